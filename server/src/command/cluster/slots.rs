//! SLOTS: who holds which slots, for cluster clients.

use super::{
    super::{CommandResult, ctx::Ctx},
    endpoint,
};
use crate::cluster::{
    member::WEIGHT_ONE,
    status::{ClusterStatus, MemberStatus, SlotRange},
};

/// `CLUSTER SLOTS`
pub(super) fn slots(ctx: &mut Ctx<'_, '_>) -> CommandResult {
    let status = ctx.node.cluster_status();
    let runs = owners_first(&status);
    ctx.reply.array(runs.len());
    for run in runs {
        let holders: Vec<u16> = run.owner.into_iter().chain(run.copies).collect();
        ctx.reply.array(2 + holders.len());
        ctx.reply.integer(i64::from(run.first));
        ctx.reply.integer(i64::from(run.last));
        for place in holders {
            let Some(member) = status.member(place) else { continue };
            let addr = endpoint::redirect(ctx, &status, place, member);
            ctx.reply.array(4);
            ctx.reply.bulk(addr.ip().to_string().as_bytes());
            ctx.reply.integer(i64::from(addr.port()));
            ctx.reply.bulk(member.id.as_bytes());
            metadata(ctx, member);
        }
    }
    Ok(())
}

/// What a client that knows this kind of node makes use of: the port on which every key works, and what it takes to choose
/// among copies. Others skip what they don't know.
fn metadata(ctx: &mut Ctx<'_, '_>, member: &MemberStatus) {
    let mut pairs = vec![("main-port", member.addrs.client.port().to_string())];
    if !member.zone.is_empty() {
        pairs.push(("availability-zone", member.zone.clone()));
    }
    if member.weight != WEIGHT_ONE {
        pairs.push(("weight", (f64::from(member.weight) / f64::from(WEIGHT_ONE)).to_string()));
    }
    ctx.reply.map(pairs.len());
    for (name, value) in pairs {
        ctx.reply.bulk(name.as_bytes());
        ctx.reply.bulk(value.as_bytes());
    }
}

/// The runs that somebody owns, in an order in which every owner stands first as an owner.
///
/// Redis knows nodes that own and nodes that copy; here each does both. Clients (redis-py among them) take a node for what
/// they first see it as, and would not ask a "replica" for its keys. So the first slot of each owner comes first, without
/// copies, and everything else behind.
fn owners_first(status: &ClusterStatus) -> Vec<SlotRange> {
    let lives = |place: &u16| status.member(*place).is_some_and(|member| !member.state.is_gone());
    let mut rest: Vec<SlotRange> = status.ranges.iter().filter(|run| run.owner.is_some()).cloned().collect();
    for run in &mut rest {
        run.copies.retain(lives);
    }
    if rest.iter().all(|run| run.copies.is_empty()) {
        return rest;
    }
    let mut first: Vec<SlotRange> = Vec::new();
    rest.retain_mut(|run| {
        if first.iter().any(|known| known.owner == run.owner) {
            return true;
        }
        first.push(SlotRange { last: run.first, copies: Vec::new(), ..run.clone() });
        run.first += 1;
        run.first <= run.last
    });
    first.append(&mut rest);
    first
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cluster::status::tests::three, session::harness::Harness};

    #[test]
    fn a_node_that_is_alone_holds_all_slots() {
        let reply = Harness::unjittered().run("CLUSTER SLOTS");
        assert!(reply.starts_with("*1|*3|:0|:16383|*4|$9|127.0.0.1|:7379|$40|"), "{reply}");
        assert!(reply.ends_with("|*2|$9|main-port|$4|6379|"), "{reply}");
    }

    #[test]
    fn every_owner_is_first_seen_as_an_owner() {
        let runs = owners_first(&three());
        let mut seen = Vec::new();
        for run in &runs {
            for (place, is_owner) in run.owner.iter().map(|o| (o, true)).chain(run.copies.iter().map(|c| (c, false))) {
                if !seen.contains(place) {
                    assert!(is_owner, "{run:?}");
                    seen.push(*place);
                }
            }
        }
        assert_eq!(runs.iter().map(SlotRange::len).sum::<u32>(), 16_384);
        assert_eq!(runs.len(), 6);
    }

    #[test]
    fn copies_on_dead_nodes_are_left_out() {
        let mut status = three();
        status.members[1].state = crate::cluster::status::MemberState::Dead;
        assert!(owners_first(&status).iter().all(|run| !run.copies.contains(&1)));
    }
}
