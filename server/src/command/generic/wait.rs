//! WAIT: how many copies have what the connection wrote.
//!
//! The node that the client is connected to remembers the slots that the connection wrote to, and asks their owners again
//! and again, until enough copies have all of them or the time is over. What an owner counts are the copies that may take
//! a slot over and have everything that was written to it so far: that is no less than what the connection wrote.

use crate::{
    cluster::forward::gather::Combine,
    command::{CommandError, CommandResult, args::Args, ctx::Ctx},
    node::Node,
    session::placing::Place,
};

/// In place of a timeout: the slots to be counted, with commas between. Nodes ask each other so.
pub(crate) const COUNTED_SLOTS: &str = "slots:";

/// `WAIT numreplicas timeout`, where nobody has to be asked: a node that is alone has no copies, and in a transaction
/// nothing waits.
pub(super) fn wait(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    if let Some(slots) = args.get(2).strip_prefix(COUNTED_SLOTS.as_bytes()) {
        ctx.ks.release();
        let count = count(ctx.node, slots)?;
        ctx.reply.integer(count);
        return Ok(());
    }
    check(args)?;
    ctx.reply.integer(0);
    Ok(())
}

/// Where a WAIT is answered, in a cluster.
pub(crate) fn place_wait(args: &Args<'_>) -> Result<Place, CommandError> {
    check(args)?;
    Ok(Place::Everywhere(Combine::Least))
}

fn check(args: &Args<'_>) -> CommandResult {
    args.integer(1)?;
    let timeout_ms =
        args.integer(2).map_err(|_| CommandError::coded("ERR timeout is not an integer or out of range"))?;
    if timeout_ms < 0 {
        return Err(CommandError::coded("ERR timeout is negative"));
    }
    Ok(())
}

/// The least number of copies that one of these slots has; of no slots, as many as there may be.
fn count(node: &Node, slots: &[u8]) -> Result<i64, CommandError> {
    let mut least = node.settings.load().cluster.replicas;
    for slot in slots.split(|byte| *byte == b',').filter(|slot| !slot.is_empty()) {
        let slot = std::str::from_utf8(slot).ok().and_then(|slot| slot.parse().ok());
        let slot = slot.filter(|slot| *slot < rondache_protocol::slot::SLOTS).ok_or(CommandError::NotInteger)?;
        let copies = match node.cluster.routing.is_mine(slot) {
            true => node.store.control(slot, |control| control.acks()),
            false => Vec::new(),
        };
        least = least.min(copies.iter().filter(|(outgoing, position)| outgoing.acked() >= *position).count());
    }
    Ok(i64::try_from(least).unwrap_or(i64::MAX))
}
