//! Single fields: HGET, HMGET, HEXISTS, HSTRLEN; and how many there are: HLEN.

use super::super::{CommandResult, args::Args, ctx::Ctx};
use crate::types::hash::Hash;

/// `HGET key field`
pub(super) fn hget(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    let now_ms = ctx.now_ms();
    let value = ctx.ks.read_object::<Hash>(&key)?.and_then(|hash| hash.get(args.get(2), now_ms));
    ctx.reply.optional_bulk(value);
    Ok(())
}

/// `HMGET key field [field …]`
pub(super) fn hmget(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    let now_ms = ctx.now_ms();
    let hash = ctx.ks.read_object::<Hash>(&key)?;
    let fields = args.from(2);
    ctx.reply.array(fields.len());
    for field in fields {
        ctx.reply.optional_bulk(hash.and_then(|hash| hash.get(field, now_ms)));
    }
    Ok(())
}

/// `HEXISTS key field`
pub(super) fn hexists(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    let now_ms = ctx.now_ms();
    let exists = ctx.ks.read_object::<Hash>(&key)?.is_some_and(|hash| hash.contains(args.get(2), now_ms));
    ctx.reply.integer(exists.into());
    Ok(())
}

/// `HSTRLEN key field`
pub(super) fn hstrlen(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    let now_ms = ctx.now_ms();
    let value = ctx.ks.read_object::<Hash>(&key)?.and_then(|hash| hash.get(args.get(2), now_ms));
    ctx.reply.count(value.map_or(0, <[u8]>::len));
    Ok(())
}

/// `HLEN key`
pub(super) fn hlen(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    let now_ms = ctx.now_ms();
    let len = ctx.ks.read_object::<Hash>(&key)?.map_or(0, |hash| hash.len(now_ms));
    ctx.reply.count(len);
    Ok(())
}
