//! Several strings at once: MGET, MSET, MSETNX.

use super::super::{CommandError, CommandResult, args::Args, ctx::Ctx};
use crate::store::{keyspace::Ttl, observer::EventClass};

/// `MGET key [key …]`
pub(super) fn mget(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    ctx.reply.array(args.len() - 1);
    for index in 1..args.len() {
        let key = ctx.key(args, index);
        // A key of another type counts as missing here.
        match ctx.ks.read_string(&key) {
            Ok(Some(value)) => ctx.reply.bulk(value),
            _ => ctx.reply.null(),
        }
    }
    Ok(())
}

/// `MSET key value [key value …]`
pub(super) fn mset(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    check_pairs(ctx, args)?;
    put_all(ctx, args);
    ctx.reply.ok();
    Ok(())
}

/// `MSETNX key value [key value …]`
pub(super) fn msetnx(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    check_pairs(ctx, args)?;
    let any_exists = (1..args.len()).step_by(2).any(|index| ctx.ks.exists(&ctx.key(args, index)));
    if !any_exists {
        put_all(ctx, args);
    }
    ctx.reply.integer(i64::from(!any_exists));
    Ok(())
}

fn check_pairs(ctx: &Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    if args.len().is_multiple_of(2) {
        return Err(CommandError::Arity(ctx.spec.name.into()));
    }
    Ok(())
}

fn put_all(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) {
    for index in (1..args.len()).step_by(2) {
        let key = ctx.key(args, index);
        let value = args.get(index + 1);
        ctx.ks.put_string(&key, value, Ttl::Clear);
        ctx.changed(&key, EventClass::STRING, "set");
        // One effect per key: they may belong to several slots.
        ctx.ks.effect(&key, &[b"SET", key.bytes, value]);
    }
}
