//! The data plane's part in a new view: whom routes may name, and whom streams may go to.

use crate::{
    cluster::{member::View, replication::Replication, routing::Peer},
    node::clock,
};

/// Takes in a new view before the coordinator does: what that orders names peers.
pub(in crate::cluster) fn take_in(view: &View, replication: &Replication) {
    let node = &replication.node;
    let routing = &node.cluster.routing;
    let known = routing.peers();
    for member in view.members.values().filter(|member| member.info.identity != node.cluster.identity) {
        let peer = Peer { identity: member.info.identity, addrs: member.info.addrs, is_dead: !member.may_serve() };
        if !known.contains(&peer) && routing.put_peer(peer).is_none() {
            tracing::error!("this node has met too many others: restart it");
        }
    }
    for peer in known.iter().filter(|peer| !peer.is_dead && !view.is_alive(&peer.identity)) {
        routing.put_peer(Peer { is_dead: true, ..*peer });
        replication.close_peer(&peer.identity);
    }
    // Requests that wait for an owner's return, or its end, look again.
    routing.publish();
    if view.live().count() > 1 {
        routing.set_clustered(true);
        node.cluster.guard.arm(node.settings.load().cluster.suspicion_ms / 2, clock::boot_ms());
    }
}
