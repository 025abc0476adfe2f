//! PING and ECHO.

use super::super::{CommandError, CommandResult, args::Args, ctx::Ctx};

/// `PING [message]`
pub(super) fn ping(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    if args.len() > 2 {
        return Err(CommandError::Arity("ping".into()));
    }
    if ctx.session.is_listening_only() {
        // In the shape of a message, the only thing that such a client reads.
        ctx.reply.array(2);
        ctx.reply.bulk(b"pong");
        ctx.reply.bulk(args.get(1));
    } else if args.len() == 2 {
        ctx.reply.bulk(args.get(1));
    } else {
        ctx.reply.simple("PONG");
    }
    Ok(())
}

/// `ECHO message`
pub(super) fn echo(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    ctx.reply.bulk(args.get(1));
    Ok(())
}
