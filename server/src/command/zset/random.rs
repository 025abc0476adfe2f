//! ZRANDMEMBER.

use super::{
    super::{CommandError, CommandResult, args::Args, ctx::Ctx},
    reply,
};
use crate::types::zset::ZSet;

/// Bytes that a member takes in a reply besides its own.
const REPLY_BYTES_PER_MEMBER: usize = 8;
/// Repeated members that are replied without first estimating how long the reply will be.
const UNESTIMATED_COUNT_MAX: usize = 4096;

/// `ZRANDMEMBER key [count [WITHSCORES]]`
pub(super) fn zrandmember(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    if args.len() == 2 {
        let member = ctx.ks.read_object::<ZSet>(&key)?.and_then(|set| set.random(ctx.rng));
        ctx.reply.optional_bulk(member.map(|(member, _)| member));
        return Ok(());
    }
    let count = args.integer(2)?;
    if count == i64::MIN {
        return Err(CommandError::err(format_args!(
            "value is out of range, value must between -{0} and {0}",
            i64::MAX
        )));
    }
    let with_scores = args.len() > 3;
    if args.len() > 4 || (with_scores && !args.is(3, "withscores")) {
        return Err(CommandError::Syntax);
    }
    if with_scores && count.unsigned_abs() > i64::MAX as u64 / 2 {
        return Err(CommandError::coded("ERR value is out of range"));
    }
    let Some(set) = ctx.ks.read_object::<ZSet>(&key)? else {
        ctx.reply.array(0);
        return Ok(());
    };
    let wanted = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    if count >= 0 && wanted >= set.len() {
        reply::members(&mut ctx.reply, set.iter(), with_scores);
        return Ok(());
    }
    if count >= 0 {
        let picked = set.random_distinct(wanted, ctx.rng);
        reply::members(&mut ctx.reply, picked.into_iter(), with_scores);
        return Ok(());
    }
    // With repetitions the reply may be of any size, whatever the set's is.
    if wanted > UNESTIMATED_COUNT_MAX && reply_bytes(set, wanted) > ctx.settings.bulk_len_max {
        return Err(CommandError::coded("ERR value is out of range"));
    }
    let picked = (0..wanted).map(|_| set.random(ctx.rng).unwrap_or_default());
    reply::members(&mut ctx.reply, picked, with_scores);
    Ok(())
}

/// About how long a reply with so many members is.
fn reply_bytes(set: &ZSet, members: usize) -> usize {
    let member_bytes = set.memory_usage() / set.len().max(1) + REPLY_BYTES_PER_MEMBER;
    members.saturating_mul(member_bytes)
}
