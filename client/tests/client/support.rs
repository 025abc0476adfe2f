//! Starts nodes for tests.

use std::net::{Ipv4Addr, SocketAddr};

use rondache_client::{Client, ClientBuilder};
use rondache_server::{
    config::settings::Settings,
    node::{Node, local::LocalNode, start::RunningNode},
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
        // Every port of the system's choice: those that follow from the main one may be taken.
        let any_port = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))];
        let mut settings = Settings { listen: any_port.clone(), threads: 1, ..Settings::default() };
        settings.cluster.redirect_listen.clone_from(&any_port);
        settings.cluster.admin_listen.clone_from(&any_port);
        settings.cluster.bus_listen = any_port;
        change(&mut settings);
        Self { node: Some(Node::start(settings).expect("a free port")) }
    }

    pub(crate) fn address(&self) -> String {
        self.node.as_ref().expect("it runs").addr().to_string()
    }

    pub(crate) fn local(&self) -> LocalNode {
        self.node.as_ref().expect("it runs").local()
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
