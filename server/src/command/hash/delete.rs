//! HDEL, HGETDEL

use super::{
    super::{CommandResult, args::Args, ctx::Ctx},
    deadline::record,
    edit::edit,
    fields::{BAD_COUNT, Fields},
};
use crate::{store::observer::EventClass, types::hash::Hash};

/// `HDEL key field [field …]`
pub(super) fn hdel(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    let now_ms = ctx.now_ms();
    let removed = edit(ctx.ks, &key, |hash| args.from(2).filter(|field| hash.remove(field, now_ms)).count())?;
    let removed = removed.unwrap_or(0);
    if removed > 0 {
        ctx.changed(&key, EventClass::HASH, "hdel");
        ctx.ks.remove_if_empty::<Hash>(&key);
    }
    ctx.reply.count(removed);
    Ok(())
}

/// `HGETDEL key FIELDS numfields field [field …]`
pub(super) fn hgetdel(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    let now_ms = ctx.now_ms();
    let fields = Fields::parse(args, 2, 1, BAD_COUNT)?;
    ctx.reply.array(fields.len());
    let reply = &mut ctx.reply;
    let removed = edit(ctx.ks, &key, |hash| {
        let mut removed = Vec::new();
        for field in fields.names() {
            reply.optional_bulk(hash.get(field, now_ms));
            if hash.remove(field, now_ms) {
                removed.push(field);
            }
        }
        removed
    })?;
    let Some(removed) = removed else {
        fields.names().for_each(|_| ctx.reply.null());
        return Ok(());
    };
    if !removed.is_empty() {
        record(ctx, &key, &[b"HDEL", key.bytes], &removed);
        ctx.changed(&key, EventClass::HASH, "hdel");
        ctx.ks.remove_if_empty::<Hash>(&key);
    }
    Ok(())
}
