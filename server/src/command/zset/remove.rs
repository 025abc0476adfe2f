//! ZREM and ZREMRANGEBY….

use super::{
    super::{CommandResult, args::Args, ctx::Ctx},
    bounds::{Bounds, By},
};
use crate::{
    store::{key::Key, observer::EventClass},
    types::zset::ZSet,
};

/// `ZREM key member [member …]`
pub(super) fn zrem(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    let removed = match ctx.ks.object_mut::<ZSet>(&key)? {
        Some(set) => args.from(2).filter(|member| set.remove(member).is_some()).count(),
        None => 0,
    };
    finish(ctx, &key, removed, "zrem");
    Ok(())
}

/// `ZREMRANGEBYRANK key start stop`
pub(super) fn zremrangebyrank(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    remove_range(ctx, args, By::Rank, "zremrangebyrank")
}

/// `ZREMRANGEBYSCORE key min max`
pub(super) fn zremrangebyscore(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    remove_range(ctx, args, By::Score, "zremrangebyscore")
}

/// `ZREMRANGEBYLEX key min max`
pub(super) fn zremrangebylex(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    remove_range(ctx, args, By::Lex, "zremrangebylex")
}

fn remove_range(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, by: By, event: &str) -> CommandResult {
    let key = ctx.key(args, 1);
    let bounds = Bounds::parse(by, args, 2, 3)?;
    let removed = match ctx.ks.object_mut::<ZSet>(&key)? {
        Some(set) => set.remove_ranks(bounds.ranks(set, false), |_, _| {}),
        None => 0,
    };
    finish(ctx, &key, removed, event);
    Ok(())
}

fn finish(ctx: &mut Ctx<'_, '_>, key: &Key<'_>, removed: usize, event: &str) {
    if removed > 0 {
        ctx.changed(key, EventClass::ZSET, event);
        ctx.ks.remove_if_empty::<ZSet>(key);
    }
    ctx.reply.count(removed);
}
