//! SELECT.

use super::super::{CommandResult, args::Args, ctx::Ctx, generic::database};

/// `SELECT index`
pub(super) fn select(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let db = database(args, 1)?;
    ctx.session.db = db;
    ctx.session.client.facts.lock().db = db;
    ctx.reply.ok();
    Ok(())
}
