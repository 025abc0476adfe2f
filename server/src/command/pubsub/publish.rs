//! Sending messages.

use super::super::{CommandResult, args::Args, ctx::Ctx};

/// `PUBLISH channel message`
pub(super) fn publish(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let sent = ctx.node.hub.channels.publish(args.get(1), args.get(2));
    ctx.reply.count(sent);
    Ok(())
}

/// `SPUBLISH shardchannel message`
pub(super) fn spublish(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let sent = ctx.node.hub.channels.publish_to_shard(args.get(1), args.get(2));
    ctx.reply.count(sent);
    Ok(())
}
