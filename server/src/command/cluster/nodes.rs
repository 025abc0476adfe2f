//! NODES and REPLICAS: the nodes as lines of text.

use std::fmt::Write as _;

use super::{
    super::{CommandError, CommandResult, args::Args, ctx::Ctx},
    endpoint,
};
use crate::{
    cluster::status::{ClusterStatus, MemberState, MemberStatus},
    node::clock,
};

/// `CLUSTER NODES`
pub(super) fn nodes(ctx: &mut Ctx<'_, '_>) -> CommandResult {
    let status = ctx.node.cluster_status();
    let mut text = String::new();
    for (place, member) in status.known_members() {
        describe(&mut text, ctx, &status, place, member);
    }
    ctx.reply.verbatim(*b"txt", text.as_bytes());
    Ok(())
}

/// `CLUSTER REPLICAS node-id`: copies are spread over nodes that own slots themselves, so none is a replica of another.
pub(super) fn replicas(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    known(ctx, args)?;
    ctx.reply.array(0);
    Ok(())
}

/// `CLUSTER COUNT-FAILURE-REPORTS node-id`
pub(super) fn count_failure_reports(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let state = known(ctx, args)?;
    ctx.reply.integer(i64::from(matches!(state, MemberState::Suspect | MemberState::Dead)));
    Ok(())
}

/// How the member is doing whose id is the third argument.
fn known(ctx: &Ctx<'_, '_>, args: &Args<'_>) -> Result<MemberState, CommandError> {
    let id = String::from_utf8_lossy(args.get(2));
    let status = ctx.node.cluster_status();
    let member = status.place_of(&id).and_then(|place| status.member(place));
    member.map(|member| member.state).ok_or_else(|| {
        let shown: String = id.chars().take(128).collect();
        CommandError::err(format_args!("Unknown node {shown}"))
    })
}

/// A line: id, address, flags, master, ping sent, pong received, epoch, link, slots.
fn describe(text: &mut String, ctx: &Ctx<'_, '_>, status: &ClusterStatus, place: u16, member: &MemberStatus) {
    let is_me = place == status.myself;
    let addr = endpoint::redirect(ctx, status, place, member);
    let flags = match (is_me, member.state) {
        (true, _) => "myself,master",
        (_, MemberState::Dead | MemberState::Left) => "master,fail",
        (_, MemberState::Suspect) => "master,fail?",
        (_, MemberState::Joining | MemberState::Active | MemberState::Leaving) => "master",
    };
    let heard_ms = if is_me || member.state.is_gone() { 0 } else { clock::unix_ms() };
    let link = if member.state.is_gone() { "disconnected" } else { "connected" };
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "{} {}:{}@{} {flags} - 0 {heard_ms} {} {link}",
        member.id,
        addr.ip(),
        addr.port(),
        member.addrs.bus.port(),
        status.epoch,
    );
    for (first, last) in runs_of(status, place) {
        let _ = if first == last { write!(text, " {first}") } else { write!(text, " {first}-{last}") };
    }
    text.push('\n');
}

/// The slots of a member, in runs that do not touch. Who copies them divides the status's ranges further, and nodes
/// may hear of a copy at different times: tools that compare what nodes say would find them at odds.
fn runs_of(status: &ClusterStatus, place: u16) -> Vec<(u16, u16)> {
    let mut runs: Vec<(u16, u16)> = Vec::new();
    for range in status.ranges.iter().filter(|range| range.owner == Some(place)) {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == range.first => *last = range.last,
            _ => runs.push((range.first, range.last)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use crate::{cluster::status::tests::three, session::harness::Harness};

    #[test]
    fn a_node_that_is_alone_is_one_line() {
        let mut harness = Harness::unjittered();
        let id = harness.node().cluster.identity.id.to_string();
        let line = harness.call("CLUSTER NODES");
        assert_eq!(
            line,
            format!("{id} 127.0.0.1:7379@16379 myself,master - 0 0 0 connected 0-16383\\n").replace("\\n", "\n")
        );
    }

    #[test]
    fn others_stand_beside_it_with_their_state() {
        let mut harness = Harness::unjittered();
        let mut status = three();
        status.members[2].state = crate::cluster::status::MemberState::Dead;
        harness.node().cluster.status.publish(status);
        let text = harness.call("CLUSTER NODES");
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[1].contains(" 127.0.0.1:8002@17002 master - 0 "), "{text}");
        assert!(lines[1].ends_with(" connected 5462-10923"), "{text}");
        assert!(lines[2].contains(" master,fail - 0 0 ") && lines[2].ends_with(" disconnected 10924-16383"), "{text}");
    }

    #[test]
    fn slots_with_different_copies_are_one_run() {
        let mut harness = Harness::unjittered();
        let mut status = three();
        let mut rest = status.ranges[1].clone();
        (status.ranges[1].last, rest.first, rest.copies) = (5999, 6000, vec![0, 2]);
        status.ranges.insert(2, rest);
        harness.node().cluster.status.publish(status);
        let text = harness.call("CLUSTER NODES");
        assert!(text.contains(" connected 5462-10923"), "{text}");
    }

    #[test]
    fn only_known_nodes_can_be_asked_about() {
        let mut harness = Harness::unjittered();
        let id = harness.node().cluster.identity.id.to_string();
        assert_eq!(harness.run(&format!("CLUSTER REPLICAS {id}")), "*0|");
        assert_eq!(harness.run(&format!("CLUSTER COUNT-FAILURE-REPORTS {id}")), ":0|");
        assert_eq!(harness.run("CLUSTER REPLICAS x"), "-ERR Unknown node x|");
    }
}
