//! Changing lists within: LSET, LINSERT, LREM, LTRIM.

use super::{
    super::{CommandError, CommandResult, args::Args, ctx::Ctx},
    read::{resolve_index, resolve_range},
};
use crate::{store::observer::EventClass, types::list::List};

/// `LSET key index element`
pub(super) fn lset(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    let list = ctx.ks.object_mut::<List>(&key)?.ok_or(CommandError::NoSuchKey)?;
    let index = resolve_index(args.integer(2)?, list.len()).ok_or(CommandError::IndexOutOfRange)?;
    if !list.set(index, args.get(3), &ctx.settings.encoding) {
        return Err(CommandError::IndexOutOfRange);
    }
    ctx.changed(&key, EventClass::LIST, "lset");
    ctx.reply.ok();
    Ok(())
}

/// `LINSERT key BEFORE|AFTER pivot element`
pub(super) fn linsert(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let after = args.is(2, "AFTER");
    if !after && !args.is(2, "BEFORE") {
        return Err(CommandError::Syntax);
    }
    let key = ctx.key(args, 1);
    let Some(list) = ctx.ks.object_mut::<List>(&key)? else {
        ctx.reply.integer(0);
        return Ok(());
    };
    if !list.insert_beside(args.get(3), after, args.get(4), &ctx.settings.encoding) {
        ctx.reply.integer(-1);
        return Ok(());
    }
    let len = list.len();
    ctx.changed(&key, EventClass::LIST, "linsert");
    ctx.reply.count(len);
    Ok(())
}

/// `LREM key count element`
pub(super) fn lrem(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let count = args.signed_count(2)?;
    let key = ctx.key(args, 1);
    let removed = match ctx.ks.object_mut::<List>(&key)? {
        Some(list) => list.remove(count, args.get(3), &ctx.settings.encoding),
        None => 0,
    };
    if removed > 0 {
        ctx.changed(&key, EventClass::LIST, "lrem");
        ctx.ks.remove_if_empty::<List>(&key);
    }
    ctx.reply.count(removed);
    Ok(())
}

/// `LTRIM key start stop`
pub(super) fn ltrim(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let (start, stop) = (args.integer(2)?, args.integer(3)?);
    let key = ctx.key(args, 1);
    if let Some(list) = ctx.ks.object_mut::<List>(&key)? {
        let (first, count) = resolve_range(start, stop, list.len());
        if count == 0 {
            // The whole list goes with its key, to be freed without the lock.
            ctx.ks.remove(&key);
            ctx.changed(&key, EventClass::LIST, "ltrim");
            ctx.ks.event(&key, EventClass::GENERIC, "del");
        } else {
            list.trim(first, first + count - 1, &ctx.settings.encoding);
            ctx.changed(&key, EventClass::LIST, "ltrim");
        }
    }
    ctx.reply.ok();
    Ok(())
}
