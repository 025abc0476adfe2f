//! MONITOR.

use super::super::{
    CommandError, CommandResult,
    args::Args,
    ctx::{Ctx, Waiting},
};

/// `MONITOR`
pub(super) fn monitor(ctx: &mut Ctx<'_, '_>, _: &Args<'_>) -> CommandResult {
    if ctx.waiting == Waiting::Never {
        return Err(CommandError::err("MONITOR isn't allowed for DENY BLOCKING client"));
    }
    ctx.node.hub.monitors.add(&ctx.session.client);
    ctx.reply.ok();
    Ok(())
}
