//! GET, GETDEL and STRLEN.

use super::super::{CommandResult, args::Args, ctx::Ctx};
use crate::store::observer::EventClass;

/// `GET key`
pub(super) fn get(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    match ctx.ks.read_string(&key)? {
        Some(value) => ctx.reply.bulk(value),
        None => ctx.reply.null(),
    }
    Ok(())
}

/// `GETDEL key`
pub(super) fn getdel(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    get(ctx, args)?;
    if ctx.ks.remove(&key) {
        ctx.changed(&key, EventClass::GENERIC, "del");
        ctx.ks.effect(&key, &[b"DEL", key.bytes]);
    }
    Ok(())
}

/// `STRLEN key`
pub(super) fn strlen(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    let len = ctx.ks.read_string(&key)?.map_or(0, <[u8]>::len);
    ctx.reply.count(len);
    Ok(())
}
