//! All nodes that were ever met.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use tokio::runtime::Handle;

use super::Link;
use crate::{
    config::{Config, LinkConfig, seed::Seed},
    conn::Conn,
};

/// Most nodes that are remembered. Beyond that, those are forgotten that no topology names.
const LINKS_MAX: usize = 1024;

/// The nodes by address. One that was met is remembered, so that the loss of all seeds, and of all nodes that the
/// topology named, leaves ways back in.
pub(crate) struct Registry {
    links: Mutex<HashMap<Seed, Arc<Link>>>,
    link_config: Arc<LinkConfig>,
    connections: usize,
    hedge_quantile: f64,
    runtime: Handle,
}

impl Registry {
    pub(crate) fn new(config: &Config, runtime: Handle) -> Self {
        Self {
            links: Mutex::default(),
            link_config: Arc::new(config.link.clone()),
            connections: config.connections_per_node,
            hedge_quantile: config.hedge.unwrap_or_default().quantile,
            runtime,
        }
    }

    /// The node at an address; nothing is sent to it yet.
    pub(crate) fn link(&self, addr: &Seed) -> Arc<Link> {
        let mut links = self.links.lock();
        if let Some(link) = links.get(addr) {
            return link.clone();
        }
        if links.len() >= LINKS_MAX {
            links.retain(|_, link| Arc::strong_count(link) > 1);
        }
        let conns = (0..self.connections).map(|_| self.conn(addr)).collect();
        let link = Arc::new(Link::new(addr.clone(), conns, self.hedge_quantile));
        links.insert(addr.clone(), link.clone());
        link
    }

    /// A connection of its own to a node.
    fn conn(&self, addr: &Seed) -> Conn {
        Conn::new(addr.clone(), self.link_config.clone(), self.runtime.clone())
    }

    pub(crate) fn all(&self) -> Vec<Arc<Link>> {
        self.links.lock().values().cloned().collect()
    }

    pub(crate) fn runtime(&self) -> &Handle {
        &self.runtime
    }
}
