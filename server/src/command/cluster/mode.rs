//! ASKING, READONLY, READWRITE.

use super::super::{CommandResult, args::Args, ctx::Ctx};

/// `ASKING`: no node ever answers ASK, so it changes nothing.
pub(super) fn asking(ctx: &mut Ctx<'_, '_>, _: &Args<'_>) -> CommandResult {
    ctx.reply.ok();
    Ok(())
}

/// `READONLY`
pub(super) fn readonly(ctx: &mut Ctx<'_, '_>, _: &Args<'_>) -> CommandResult {
    ctx.session.reads_copies = true;
    ctx.reply.ok();
    Ok(())
}

/// `READWRITE`
pub(super) fn readwrite(ctx: &mut Ctx<'_, '_>, _: &Args<'_>) -> CommandResult {
    ctx.session.reads_copies = false;
    ctx.reply.ok();
    Ok(())
}
