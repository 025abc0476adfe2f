//! WAIT: how many copies have what the connection wrote.
//!
//! The node that the client is connected to remembers where the slots stood that the connection wrote to, and asks their
//! owners again and again, until enough copies have all of that or the time is over. What an owner counts are the copies
//! that may take the slot over; what an owner died with, before its copies had it, nobody has.

use rondache_protocol::bus::replicate::SlotPosition;

use crate::{
    cluster::forward::gather::Combine,
    command::{
        CommandError, CommandResult,
        args::Args,
        ctx::{Ctx, Waiting},
    },
    node::Node,
    session::{Session, placing::Place, written},
};

/// In place of a timeout: the slots to be counted, as [`written::describe`] writes them. Nodes ask each other so.
pub(crate) const COUNTED_SLOTS: &str = "slots:";

/// `WAIT numreplicas timeout`, where nobody has to be asked: a node that is alone has no copies, and in a transaction
/// nothing waits.
pub(super) fn wait(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    if ctx.waiting == Waiting::Never {
        if counted_slots(args).is_none() {
            check(args)?;
        }
        // It was counted before the transaction's shards were held.
        ctx.reply.integer(ctx.session.acknowledged);
        return Ok(());
    }
    if let Some(slots) = counted_slots(args) {
        ctx.ks.release();
        ctx.reply.integer(count(ctx.node, slots.into_iter()));
        return Ok(());
    }
    check(args)?;
    ctx.reply.integer(0);
    Ok(())
}

/// Where a WAIT is answered, in a cluster.
pub(crate) fn place_wait(node: &Node, args: &Args<'_>) -> Result<Place, CommandError> {
    check(args)?;
    Ok(if node.cluster.routing.has_others() { Place::Everywhere(Combine::Least) } else { Place::Here })
}

/// What a WAIT in a transaction answers: the copies that have what the connection wrote before it. Slots of other nodes
/// count as slots without copies: nobody can be asked while a transaction runs. No shard may be held.
pub(crate) fn acknowledged(node: &Node, session: &Session, args: &Args<'_>) -> i64 {
    match (counted_slots(args), &session.written) {
        (Some(slots), _) => count(node, slots.into_iter()),
        (None, Some(written)) => count(node, written.iter()),
        (None, None) => 0,
    }
}

/// Looks at the arguments, in Redis's words.
pub(crate) fn check(args: &Args<'_>) -> CommandResult {
    args.integer(1)?;
    let timeout_ms =
        args.integer(2).map_err(|_| CommandError::coded("ERR timeout is not an integer or out of range"))?;
    if timeout_ms < 0 {
        return Err(CommandError::coded("ERR timeout is negative"));
    }
    Ok(())
}

fn counted_slots(args: &Args<'_>) -> Option<Vec<(u16, Option<SlotPosition>)>> {
    written::parse(args.get(2).strip_prefix(COUNTED_SLOTS.as_bytes())?)
}

/// The least number of copies that have what was written to one of these slots; of no slots, as many as there may be.
fn count(node: &Node, slots: impl Iterator<Item = (u16, Option<SlotPosition>)>) -> i64 {
    let of_slot = |(slot, at): (u16, Option<SlotPosition>)| match slot < rondache_protocol::slot::SLOTS {
        true if node.cluster.routing.is_mine(slot) => node.store.control(slot, |control| control.confirmed(at)),
        _ => 0,
    };
    let least = slots.map(of_slot).min().unwrap_or(usize::MAX).min(node.settings.load().cluster.replicas);
    i64::try_from(least).unwrap_or(i64::MAX)
}
