//! Sizes, scores, positions and counts.

use super::{
    super::{CommandError, CommandResult, args::Args, ctx::Ctx},
    bounds::{Bounds, By},
};
use crate::types::zset::ZSet;

/// `ZCARD key`
pub(super) fn zcard(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    ctx.reply.count(ctx.ks.read_object::<ZSet>(&key)?.map_or(0, ZSet::len));
    Ok(())
}

/// `ZSCORE key member`
pub(super) fn zscore(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    match ctx.ks.read_object::<ZSet>(&key)?.and_then(|set| set.score(args.get(2))) {
        Some(score) => ctx.reply.double(score),
        None => ctx.reply.null(),
    }
    Ok(())
}

/// `ZMSCORE key member [member …]`
pub(super) fn zmscore(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    let set = ctx.ks.read_object::<ZSet>(&key)?;
    ctx.reply.array(args.len() - 2);
    for member in args.from(2) {
        match set.and_then(|set| set.score(member)) {
            Some(score) => ctx.reply.double(score),
            None => ctx.reply.null(),
        }
    }
    Ok(())
}

/// `ZRANK key member [WITHSCORE]`
pub(super) fn zrank(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    rank(ctx, args, false)
}

/// `ZREVRANK key member [WITHSCORE]`
pub(super) fn zrevrank(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    rank(ctx, args, true)
}

fn rank(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, reverse: bool) -> CommandResult {
    let key = ctx.key(args, 1);
    if args.len() > 4 {
        return Err(CommandError::Arity(ctx.spec.name.into()));
    }
    let with_score = args.len() == 4;
    if with_score && !args.is(3, "withscore") {
        return Err(CommandError::Syntax);
    }
    let found = ctx.ks.read_object::<ZSet>(&key)?.and_then(|set| set.rank(args.get(2), reverse));
    match found {
        Some((rank, score)) if with_score => {
            ctx.reply.array(2);
            ctx.reply.count(rank);
            ctx.reply.double(score);
        }
        Some((rank, _)) => ctx.reply.count(rank),
        None if with_score => ctx.reply.null_array(),
        None => ctx.reply.null(),
    }
    Ok(())
}

/// `ZCOUNT key min max`
pub(super) fn zcount(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    count(ctx, args, By::Score)
}

/// `ZLEXCOUNT key min max`
pub(super) fn zlexcount(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    count(ctx, args, By::Lex)
}

fn count(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, by: By) -> CommandResult {
    let key = ctx.key(args, 1);
    let bounds = Bounds::parse(by, args, 2, 3)?;
    let set = ctx.ks.read_object::<ZSet>(&key)?;
    ctx.reply.count(set.map_or(0, |set| bounds.ranks(set, false).len()));
    Ok(())
}
