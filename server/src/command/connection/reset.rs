//! Ends of a connection, or of what it was.

use rondache_protocol::resp::writer::RespVersion;

use super::super::{CommandResult, args::Args, ctx::Ctx};
use crate::session::{ReplyMode, transaction};

/// `QUIT`
pub(super) fn quit(ctx: &mut Ctx<'_, '_>, _: &Args<'_>) -> CommandResult {
    ctx.session.closes = true;
    ctx.reply.ok();
    Ok(())
}

/// `RESET`: the connection as it began, but for what it told of its library.
pub(super) fn reset(ctx: &mut Ctx<'_, '_>, _: &Args<'_>) -> CommandResult {
    transaction::end(ctx.session, ctx.ks);
    ctx.node.hub.forget(ctx.session);
    let session = &mut *ctx.session;
    session.set_resp(RespVersion::V2);
    session.db = 0;
    session.no_touch = false;
    session.reads_copies = false;
    session.reply_mode = ReplyMode::On;
    session.is_authenticated = ctx.settings.password.is_empty();
    {
        let mut facts = session.client.facts.lock();
        facts.name.clear();
        (facts.db, facts.no_touch, facts.no_evict) = (0, false, false);
    }
    session.refresh_mode();
    ctx.reply.set_version(RespVersion::V2);
    ctx.reply.simple("RESET");
    Ok(())
}
