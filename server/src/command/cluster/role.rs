//! ROLE.

use super::super::{CommandResult, args::Args, ctx::Ctx};
use crate::cluster::status::{ClusterStatus, MemberStatus};

/// `ROLE`: every node is a master; its replicas are the nodes that copy any of its slots.
pub(super) fn role(ctx: &mut Ctx<'_, '_>, _: &Args<'_>) -> CommandResult {
    let status = ctx.node.cluster_status();
    let copiers = copiers(&status);
    ctx.reply.array(3);
    ctx.reply.bulk(b"master");
    ctx.reply.integer(0);
    ctx.reply.array(copiers.len());
    for member in copiers {
        ctx.reply.array(3);
        ctx.reply.bulk(member.addrs.client.ip().to_string().as_bytes());
        ctx.reply.bulk_integer(i64::from(member.addrs.client.port()));
        ctx.reply.bulk(b"0");
    }
    Ok(())
}

/// The live members that copy any slot of the telling node.
pub(in crate::command) fn copiers(status: &ClusterStatus) -> Vec<&MemberStatus> {
    let mut places: Vec<u16> = status
        .ranges
        .iter()
        .filter(|range| range.owner == Some(status.myself))
        .flat_map(|range| range.copies.iter().copied())
        .collect();
    places.sort_unstable();
    places.dedup();
    let members = places.into_iter().filter_map(|place| status.member(place));
    members.filter(|member| !member.state.is_gone()).collect()
}

#[cfg(test)]
mod tests {
    use crate::{cluster::status::tests::three, session::harness::Harness};

    #[test]
    fn those_who_copy_its_slots_are_its_replicas() {
        let mut harness = Harness::unjittered();
        assert_eq!(harness.call("ROLE"), "master :0");
        harness.node().cluster.status.publish(three());
        assert_eq!(harness.call("ROLE"), "master :0 127.0.0.1 7002 0");
    }
}
