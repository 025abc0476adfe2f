//! Starts nodes for tests.

use rondache_client::{Client, ClientBuilder};
use rondache_server::{
    config::settings::Settings,
    node::{Node, start::RunningNode},
};

/// A node in this process that ends with the value.
pub(crate) struct TestNode {
    node: Option<RunningNode>,
}

impl TestNode {
    pub(crate) fn start() -> Self {
        Self::start_with(|_| {})
    }

    pub(crate) fn start_with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings =
            Settings { listen: vec!["127.0.0.1:0".parse().expect("an address")], threads: 1, ..Settings::default() };
        change(&mut settings);
        Self { node: Some(Node::start(settings).expect("a free port")) }
    }

    pub(crate) fn address(&self) -> String {
        self.node.as_ref().expect("it runs").addr().to_string()
    }

    pub(crate) fn builder(&self) -> ClientBuilder {
        Client::builder().seed(self.address())
    }

    pub(crate) async fn client(&self) -> Client {
        self.builder().build().await.expect("the node accepts connections")
    }
}

impl Drop for TestNode {
    fn drop(&mut self) {
        if let Some(node) = self.node.take() {
            node.shutdown();
        }
    }
}
