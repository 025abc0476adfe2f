//! CLIENT PAUSE, UNPAUSE, UNBLOCK: holding commands back, and letting them go.

use super::super::super::{CommandError, CommandResult, args::Args, ctx::Ctx};
use crate::util::number;

/// `CLIENT PAUSE timeout-ms [WRITE|ALL]`
pub(super) fn pause(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    if args.len() > 4 {
        return Err(super::super::super::unknown_subcommand(ctx.spec, args));
    }
    let all = args.len() == 3 || args.is(3, "all");
    if !all && !args.is(3, "write") {
        return Err(CommandError::err("CLIENT PAUSE mode must be WRITE or ALL"));
    }
    let timeout_ms =
        number::parse_i64(args.get(2)).ok_or_else(|| CommandError::err("timeout is not an integer or out of range"))?;
    let timeout_ms = u64::try_from(timeout_ms).map_err(|_| CommandError::err("timeout is negative"))?;
    let until_ms = ctx
        .now_ms()
        .checked_add(timeout_ms)
        .filter(|until_ms| i64::try_from(*until_ms).is_ok())
        .ok_or_else(|| CommandError::err("timeout is out of range"))?;
    ctx.node.pause.begin(until_ms, all, ctx.now_ms());
    ctx.reply.ok();
    Ok(())
}

/// `CLIENT UNPAUSE`
pub(super) fn unpause(ctx: &mut Ctx<'_, '_>) -> CommandResult {
    ctx.node.pause.end();
    ctx.reply.ok();
    Ok(())
}

/// `CLIENT UNBLOCK id [TIMEOUT|ERROR]`
pub(super) fn unblock(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    if args.len() > 4 {
        return Err(super::super::super::unknown_subcommand(ctx.spec, args));
    }
    let with_error = args.len() == 4 && args.is(3, "error");
    if args.len() == 4 && !with_error && !args.is(3, "timeout") {
        return Err(CommandError::err("CLIENT UNBLOCK reason should be TIMEOUT or ERROR"));
    }
    let id = u64::try_from(args.integer(2)?).unwrap_or(0);
    let unblocked = ctx.node.blocked.unblock(id, with_error)
        || ctx.node.clients.get(id).is_some_and(|client| client.unblock_elsewhere(with_error));
    ctx.reply.integer(i64::from(unblocked));
    Ok(())
}
