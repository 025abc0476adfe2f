//! TTL, PTTL, EXPIRETIME, PEXPIRETIME.

use super::super::{CommandResult, args::Args, ctx::Ctx};

/// `TTL key`
pub(super) fn ttl(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    answer(ctx, args, |deadline_ms, now_ms| to_seconds(deadline_ms.saturating_sub(now_ms)))
}

/// `PTTL key`
pub(super) fn pttl(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    answer(ctx, args, u64::saturating_sub)
}

/// `EXPIRETIME key`
pub(super) fn expiretime(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    answer(ctx, args, |deadline_ms, _| to_seconds(deadline_ms))
}

/// `PEXPIRETIME key`
pub(super) fn pexpiretime(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    answer(ctx, args, |deadline_ms, _| deadline_ms)
}

/// Rounds to whole seconds.
fn to_seconds(ms: u64) -> u64 {
    ms.saturating_add(500) / 1000
}

/// -2: no such key; -1: it has no deadline; else what `show` makes of the deadline and the time.
fn answer(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, show: impl FnOnce(u64, u64) -> u64) -> CommandResult {
    let key = ctx.key(args, 1);
    let shown = match ctx.ks.read_with(&key, false).map(|entry| entry.deadline_ms()) {
        None => -2,
        Some(None) => -1,
        Some(Some(deadline_ms)) => i64::try_from(show(deadline_ms, ctx.now_ms())).unwrap_or(i64::MAX),
    };
    ctx.reply.integer(shown);
    Ok(())
}
