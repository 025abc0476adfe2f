//! WAIT.

use super::super::{CommandError, CommandResult, args::Args, ctx::Ctx};

/// `WAIT numreplicas timeout`: there are no copies yet, so none has the connection's writes, and none ever will before
/// the timeout.
pub(super) fn wait(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    args.integer(1)?;
    let timeout_ms =
        args.integer(2).map_err(|_| CommandError::coded("ERR timeout is not an integer or out of range"))?;
    if timeout_ms < 0 {
        return Err(CommandError::coded("ERR timeout is negative"));
    }
    ctx.reply.integer(0);
    Ok(())
}
