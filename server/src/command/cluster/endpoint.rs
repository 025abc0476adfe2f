//! Where a client of the cluster reaches a member.

use std::net::SocketAddr;

use crate::{
    cluster::status::{ClusterStatus, MemberStatus},
    command::ctx::Ctx,
};

/// The redirect port of the member at `place`, as this client reaches it.
pub(super) fn redirect(ctx: &Ctx<'_, '_>, status: &ClusterStatus, place: u16, member: &MemberStatus) -> SocketAddr {
    if place != status.myself {
        return member.addrs.redirect;
    }
    let settings = ctx.node.settings.load();
    if !settings.cluster.advertise.is_empty() {
        return member.addrs.redirect;
    }
    // The address under which this client has found the node is better than any guess.
    let local = ctx.session.client.local_addr.ip();
    let listens =
        |addr: &&SocketAddr| addr.ip() == local || addr.ip().is_unspecified() && addr.is_ipv4() == local.is_ipv4();
    match settings.redirect_addrs().iter().find(listens) {
        Some(addr) => SocketAddr::new(local, addr.port()),
        None => member.addrs.redirect,
    }
}
