//! All fields at once: HGETALL, HKEYS, HVALS.

use super::super::{CommandResult, args::Args, ctx::Ctx};
use crate::types::hash::Hash;

/// `HGETALL key`
pub(super) fn hgetall(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    let now_ms = ctx.now_ms();
    let Some(hash) = ctx.ks.read_object::<Hash>(&key)? else {
        ctx.reply.map(0);
        return Ok(());
    };
    ctx.reply.map(hash.len(now_ms));
    for (field, value) in hash.iter(now_ms) {
        ctx.reply.bulk(field);
        ctx.reply.bulk(value);
    }
    Ok(())
}

/// `HKEYS key`
pub(super) fn hkeys(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    let now_ms = ctx.now_ms();
    let Some(hash) = ctx.ks.read_object::<Hash>(&key)? else {
        ctx.reply.array(0);
        return Ok(());
    };
    ctx.reply.array(hash.len(now_ms));
    hash.iter(now_ms).for_each(|(field, _)| ctx.reply.bulk(field));
    Ok(())
}

/// `HVALS key`
pub(super) fn hvals(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    let now_ms = ctx.now_ms();
    let Some(hash) = ctx.ks.read_object::<Hash>(&key)? else {
        ctx.reply.array(0);
        return Ok(());
    };
    ctx.reply.array(hash.len(now_ms));
    hash.iter(now_ms).for_each(|(_, value)| ctx.reply.bulk(value));
    Ok(())
}
