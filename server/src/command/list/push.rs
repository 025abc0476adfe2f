//! LPUSH and its kin.

use super::{
    super::{CommandResult, args::Args, ctx::Ctx},
    end::End,
};
use crate::{store::observer::EventClass, types::list::List};

/// `LPUSH key element [element …]`
pub(super) fn lpush(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    push(ctx, args, End::Head)
}

/// `RPUSH key element [element …]`
pub(super) fn rpush(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    push(ctx, args, End::Tail)
}

/// `LPUSHX key element [element …]`
pub(super) fn lpushx(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    push_to_existing(ctx, args, End::Head)
}

/// `RPUSHX key element [element …]`
pub(super) fn rpushx(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    push_to_existing(ctx, args, End::Tail)
}

#[inline]
fn push(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, end: End) -> CommandResult {
    let key = ctx.key(args, 1);
    let list = ctx.ks.object_or_insert::<List>(&key)?;
    for element in args.from(2) {
        end.push(list, element, &ctx.settings.encoding);
    }
    let len = list.len();
    ctx.changed(&key, EventClass::LIST, end.push_event());
    ctx.reply.count(len);
    Ok(())
}

fn push_to_existing(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, end: End) -> CommandResult {
    let key = ctx.key(args, 1);
    if ctx.ks.object_mut::<List>(&key)?.is_none() {
        ctx.reply.integer(0);
        return Ok(());
    }
    push(ctx, args, end)
}
