//! SHARDS: the owners, each with its runs of slots.

use super::{
    super::{CommandResult, ctx::Ctx},
    endpoint,
};
use crate::cluster::status::MemberState;

/// `CLUSTER SHARDS`: every node is the only master of a shard of its own, since what it owns has its copies spread over several
/// nodes.
pub(super) fn shards(ctx: &mut Ctx<'_, '_>) -> CommandResult {
    let status = ctx.node.cluster_status();
    ctx.reply.array(status.known_members().count());
    for (place, member) in status.known_members() {
        let runs: Vec<_> = status.ranges.iter().filter(|run| run.owner == Some(place)).collect();
        let addr = endpoint::redirect(ctx, &status, place, member);
        let ip = addr.ip().to_string();
        let health = match member.state {
            MemberState::Dead | MemberState::Left => "fail",
            MemberState::Joining => "loading",
            MemberState::Active | MemberState::Leaving | MemberState::Suspect => "online",
        };
        let reply = &mut ctx.reply;
        reply.map(2);
        reply.bulk(b"slots");
        reply.array(runs.len() * 2);
        for run in runs {
            reply.integer(i64::from(run.first));
            reply.integer(i64::from(run.last));
        }
        reply.bulk(b"nodes");
        reply.array(1);
        reply.map(7);
        let text = |reply: &mut rondache_protocol::resp::writer::ReplyWriter<'_>, name: &str, value: &str| {
            reply.bulk(name.as_bytes());
            reply.bulk(value.as_bytes());
        };
        text(reply, "id", &member.id);
        reply.bulk(b"port");
        reply.integer(i64::from(addr.port()));
        text(reply, "ip", &ip);
        text(reply, "endpoint", &ip);
        text(reply, "role", "master");
        reply.bulk(b"replication-offset");
        reply.integer(0);
        text(reply, "health", health);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::session::harness::Harness;

    #[test]
    fn a_node_that_is_alone_is_one_shard() {
        let reply = Harness::unjittered().run("CLUSTER SHARDS");
        assert!(reply.starts_with("*1|*4|$5|slots|*2|:0|:16383|$5|nodes|*1|*14|$2|id|$40|"), "{reply}");
        assert!(
            reply.contains("|$4|port|:7379|$2|ip|$9|127.0.0.1|$8|endpoint|$9|127.0.0.1|$4|role|$6|master|"),
            "{reply}"
        );
    }
}
