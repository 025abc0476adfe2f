//! CLIENT REPLY, NO-EVICT, NO-TOUCH.

use super::super::super::{CommandError, CommandResult, args::Args, ctx::Ctx};
use crate::session::ReplyMode;

/// `CLIENT REPLY ON|OFF|SKIP`
pub(super) fn reply(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    if args.is(2, "on") {
        ctx.session.reply_mode = ReplyMode::On;
        ctx.reply.ok();
    } else if args.is(2, "off") {
        ctx.session.reply_mode = ReplyMode::Off;
    } else if args.is(2, "skip") {
        if ctx.session.reply_mode != ReplyMode::Off {
            ctx.session.reply_mode = ReplyMode::SkipNext;
        }
    } else {
        return Err(CommandError::Syntax);
    }
    ctx.session.refresh_mode();
    Ok(())
}

/// `CLIENT NO-EVICT ON|OFF`
pub(super) fn no_evict(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let on = switch(args)?;
    ctx.session.client.facts.lock().no_evict = on;
    ctx.reply.ok();
    Ok(())
}

/// `CLIENT NO-TOUCH ON|OFF`
pub(super) fn no_touch(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let on = switch(args)?;
    ctx.session.no_touch = on;
    // For the rest of the batch too.
    ctx.ks.circumstances.touch = !on;
    ctx.session.client.facts.lock().no_touch = on;
    ctx.reply.ok();
    Ok(())
}

fn switch(args: &Args<'_>) -> Result<bool, CommandError> {
    match (args.is(2, "on"), args.is(2, "off")) {
        (true, _) => Ok(true),
        (_, true) => Ok(false),
        _ => Err(CommandError::Syntax),
    }
}
