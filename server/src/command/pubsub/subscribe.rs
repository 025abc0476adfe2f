//! Listening to channels and patterns.

use rondache_protocol::resp::writer::ReplyWriter;

use super::super::{
    CommandResult,
    args::Args,
    ctx::{Ctx, Waiting},
};
use crate::{
    node::hub::channels::{Kind, Subscriptions},
    session::ReplyMode,
};

/// `SUBSCRIBE channel [channel …]`
pub(super) fn subscribe(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    begin(ctx, args, Kind::Channel, "subscribe")
}

/// `PSUBSCRIBE pattern [pattern …]`
pub(super) fn psubscribe(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    begin(ctx, args, Kind::Pattern, "psubscribe")
}

/// `SSUBSCRIBE shardchannel [shardchannel …]`
pub(super) fn ssubscribe(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    begin(ctx, args, Kind::Shard, "ssubscribe")
}

/// `UNSUBSCRIBE [channel …]`
pub(super) fn unsubscribe(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    end(ctx, args, Kind::Channel, "unsubscribe")
}

/// `PUNSUBSCRIBE [pattern …]`
pub(super) fn punsubscribe(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    end(ctx, args, Kind::Pattern, "punsubscribe")
}

/// `SUNSUBSCRIBE [shardchannel …]`
pub(super) fn sunsubscribe(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    end(ctx, args, Kind::Shard, "sunsubscribe")
}

fn begin(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, kind: Kind, verb: &str) -> CommandResult {
    let mut own = ctx.session.subscriptions.take().unwrap_or_default();
    for name in args.from(1) {
        ctx.node.hub.channels.subscribe(&ctx.session.client, &mut own, kind, name);
        confirm(ctx, verb, Some(name), shown_count(&own, kind));
    }
    ctx.session.subscriptions = Some(own);
    ctx.session.note_subscriptions();
    Ok(())
}

fn end(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, kind: Kind, verb: &str) -> CommandResult {
    let mut own = ctx.session.subscriptions.take().unwrap_or_default();
    let names: Vec<Box<[u8]>> =
        if args.len() > 1 { args.from(1).map(Box::from).collect() } else { own.of(kind).iter().cloned().collect() };
    if names.is_empty() {
        confirm(ctx, verb, None, shown_count(&own, kind));
    }
    for name in names {
        ctx.node.hub.channels.unsubscribe(ctx.session.client.id, &mut own, kind, &name);
        // Nothing more of this channel comes; what came already is to be read before the confirmation.
        // Where replies are silenced, the confirmation follows it through the mailbox.
        let writes_here = ctx.waiting != Waiting::Never && ctx.session.reply_mode == ReplyMode::On;
        if writes_here && ctx.session.client.mailbox.is_filled() {
            ctx.session.client.mailbox.take(ctx.reply.buf());
        }
        confirm(ctx, verb, Some(&name), shown_count(&own, kind));
    }
    ctx.session.subscriptions = Some(own);
    ctx.session.note_subscriptions();
    Ok(())
}

/// The number in a confirmation: shard channels are counted on their own.
fn shown_count(own: &Subscriptions, kind: Kind) -> usize {
    match kind {
        Kind::Shard => own.len_of(Kind::Shard),
        Kind::Channel | Kind::Pattern => own.len_of(Kind::Channel) + own.len_of(Kind::Pattern),
    }
}

/// Confirms a subscription or its end. It is a message rather than a reply: CLIENT REPLY OFF does not silence it.
fn confirm(ctx: &mut Ctx<'_, '_>, verb: &str, name: Option<&[u8]>, count: usize) {
    let write = |reply: &mut ReplyWriter<'_>| {
        reply.push(3);
        reply.bulk(verb.as_bytes());
        reply.optional_bulk(name);
        reply.count(count);
    };
    if ctx.session.reply_mode == ReplyMode::On {
        return write(&mut ctx.reply);
    }
    let mut message = Vec::new();
    write(&mut ReplyWriter::new(&mut message, ctx.session.resp));
    ctx.session.client.mailbox.push(message.into(), &ctx.settings.output_limits.pubsub);
}
