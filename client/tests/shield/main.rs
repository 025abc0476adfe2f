//! Tests of the cache and the near cache against a real node, over real sockets.

mod cache;
mod near;

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use rondache_client::{Client, ClientBuilder};
use rondache_server::{
    config::settings::Settings,
    node::{Node, start::RunningNode},
};

/// Longer than anything here takes, unless it is stuck.
const PATIENCE: Duration = Duration::from_secs(10);

/// A node in this process; it ends with this value.
struct TestNode(Option<RunningNode>);

impl TestNode {
    fn start() -> Self {
        let listen = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))];
        let node = Node::start(Settings { listen, threads: 1, ..Settings::default() }).expect("a free port");
        Self(Some(node))
    }

    fn client(&self) -> ClientBuilder {
        let addr = self.0.as_ref().map(|node| node.addr().to_string());
        Client::builder().seeds(addr)
    }

    async fn connect(&self) -> Client {
        self.client().build().await.expect("the node answers")
    }
}

impl Drop for TestNode {
    fn drop(&mut self) {
        if let Some(node) = self.0.take() {
            node.shutdown();
            node.wait();
        }
    }
}

/// Waits until a condition holds.
async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !holds().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("waited in vain until {what}"));
}
