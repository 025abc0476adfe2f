//! `PUBSUB`: who listens to what.

use super::super::{CommandResult, args::Args, ctx::Ctx, help, subcommand};
use crate::node::hub::channels::Kind;

const HELP: &[(&str, &str)] = &[
    ("CHANNELS [<pattern>]", "Names of channels that someone listens to."),
    ("NUMPAT", "How many patterns someone listens to."),
    ("NUMSUB [<channel> ...]", "How many clients listen to each channel."),
    ("SHARDCHANNELS [<pattern>]", "Names of shard channels that someone listens to."),
    ("SHARDNUMSUB [<shardchannel> ...]", "How many clients listen to each shard channel."),
];

/// `PUBSUB subcommand …`
pub(super) fn pubsub(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    match subcommand(ctx.spec, args)?.name {
        "channels" => list(ctx, args, Kind::Channel),
        "shardchannels" => list(ctx, args, Kind::Shard),
        "numsub" => count(ctx, args, Kind::Channel),
        "shardnumsub" => count(ctx, args, Kind::Shard),
        "numpat" => {
            let patterns = ctx.node.hub.channels.len(Kind::Pattern);
            ctx.reply.count(patterns);
            Ok(())
        }
        _ => {
            help::reply(ctx, args, HELP);
            Ok(())
        }
    }
}

fn list(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, kind: Kind) -> CommandResult {
    if args.len() > 3 {
        return Err(super::super::unknown_subcommand(ctx.spec, args));
    }
    let names = ctx.node.hub.channels.names(kind, (args.len() == 3).then(|| args.get(2)));
    ctx.reply.array(names.len());
    names.iter().for_each(|name| ctx.reply.bulk(name));
    Ok(())
}

fn count(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, kind: Kind) -> CommandResult {
    ctx.reply.array(2 * (args.len() - 2));
    for name in args.from(2) {
        ctx.reply.bulk(name);
        ctx.reply.count(ctx.node.hub.channels.listeners(kind, name));
    }
    Ok(())
}
