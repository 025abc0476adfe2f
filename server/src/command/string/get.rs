//! GET and its kin.

use super::super::{CommandError, CommandResult, args::Args, ctx::Ctx};
use crate::store::{keyspace::Ttl, observer::EventClass};

/// `GET key`
pub(super) fn get(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    match ctx.ks.read_string(&key)? {
        Some(value) => ctx.reply.bulk(value),
        None => ctx.reply.null(),
    }
    Ok(())
}

/// `SET key value`
pub(super) fn set(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    ctx.ks.put_string(&key, args.get(2), Ttl::Clear);
    ctx.changed(&key, EventClass::STRING, "set");
    ctx.reply.simple("OK");
    Ok(())
}

pub(super) fn incr(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    let old = match ctx.ks.read_string(&key)? {
        Some(value) => crate::util::number::parse_i64(value).ok_or(CommandError::NotInteger)?,
        None => 0,
    };
    let new = old.checked_add(1).ok_or(CommandError::NotInteger)?;
    ctx.ks.put_string(&key, itoa::Buffer::new().format(new).as_bytes(), Ttl::Keep);
    ctx.changed(&key, EventClass::STRING, "incrby");
    ctx.reply.integer(new);
    Ok(())
}

pub(super) fn mget(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    ctx.reply.array(args.len() - 1);
    for bytes in args.from(1) {
        let key = ctx.ks.key(bytes);
        match ctx.ks.read_string(&key) {
            Ok(Some(value)) => ctx.reply.bulk(value),
            _ => ctx.reply.null(),
        }
    }
    Ok(())
}
