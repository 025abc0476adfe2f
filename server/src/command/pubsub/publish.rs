//! Sending messages: to this node's listeners, whom the reply counts, and to those of all other nodes.

use rondache_protocol::bus::forward::ChannelKind;

use super::super::{CommandResult, args::Args, ctx::Ctx};

/// `PUBLISH channel message`
pub(super) fn publish(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let sent = ctx.node.hub.channels.publish(args.get(1), args.get(2));
    ctx.node.hub.broadcasts.publish(ChannelKind::Plain, args.get(1), args.get(2));
    ctx.reply.count(sent);
    Ok(())
}

/// `SPUBLISH shardchannel message`
pub(super) fn spublish(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let sent = ctx.node.hub.channels.publish_to_shard(args.get(1), args.get(2));
    ctx.node.hub.broadcasts.publish(ChannelKind::Shard, args.get(1), args.get(2));
    ctx.reply.count(sent);
    Ok(())
}
