//! Tells clients that asked for it (`CLIENT CAPA topology`) when slots have other owners, so that they can look before a
//! redirection tells them.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use bytes::Bytes;

use super::Node;

/// What clients announce, and the kind of the message that they are sent.
pub const CAPABILITY: &str = "topology";

/// Changes that follow each other this closely are told once: while slots move, there are hundreds.
const GATHERED_FOR: Duration = Duration::from_millis(250);

/// Runs for as long as the node.
pub(crate) async fn run(node: Arc<Node>) {
    let routing = &node.cluster.routing;
    let mut seen = routing.changes();
    loop {
        routing.wait_beyond(seen).await;
        tokio::time::sleep(GATHERED_FOR).await;
        // What changes from here on is told the next time.
        seen = routing.changes();
        tell(&node, seen);
    }
}

/// Sends the message to all who want it: the kind, and a number that grows with every change this node has seen.
fn tell(node: &Node, version: u64) {
    let message = Bytes::from(format!(">2\r\n${}\r\n{CAPABILITY}\r\n:{version}\r\n", CAPABILITY.len()));
    let settings = node.settings.load();
    for client in node.clients.all() {
        // RESP2 can't tell messages from replies.
        if client.wants_topology.load(Ordering::Relaxed) && client.is_resp3() {
            client.mailbox.push(message.clone(), client.output_limit(&settings.output_limits));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::settings::Settings, session::client::Client};
    use std::net::{Ipv4Addr, SocketAddr};

    fn client(node: &Node, wants: bool, is_resp3: bool) -> Arc<Client> {
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
        let client = node.clients.admit(addr, addr, -1, 0);
        client.wants_topology.store(wants, Ordering::Relaxed);
        client.is_resp3.store(is_resp3, Ordering::Relaxed);
        client
    }

    #[test]
    fn only_those_are_told_who_asked_and_can_tell_messages_from_replies() {
        let node = Node::new(Settings::default());
        let told = client(&node, true, true);
        let others = [client(&node, false, true), client(&node, true, false), client(&node, false, false)];
        tell(&node, 7);
        let mut message = Vec::new();
        assert!(told.mailbox.take(&mut message).is_none());
        assert_eq!(message, b">2\r\n$8\r\ntopology\r\n:7\r\n");
        assert!(others.iter().all(|client| client.mailbox.is_empty()));
    }
}
