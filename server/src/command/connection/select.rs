//! SELECT.

use super::super::{CommandError, CommandResult, args::Args, ctx::Ctx, generic::database};

/// `SELECT index`
pub(super) fn select(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let db = database(args, 1)?;
    if ctx.session.is_redirecting && db != 0 {
        return Err(CommandError::err("SELECT is not allowed in cluster mode; on the main port it is"));
    }
    ctx.session.db = db;
    ctx.session.client.facts.lock().db = db;
    ctx.reply.ok();
    Ok(())
}
