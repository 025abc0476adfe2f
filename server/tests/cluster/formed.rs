//! Clusters that form by themselves: whole nodes in this process, on ports of the system's choice.

use std::{
    thread,
    time::{Duration, Instant},
};

use rondache_protocol::slot::{SLOTS, slot_of};
use rondache_server::{
    cluster::routing::Route,
    config::settings::Settings,
    node::{Node, start::RunningNode},
};

use super::support::{Client, settings};

/// Long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Nodes that found each other.
pub(crate) struct Formed {
    pub(crate) nodes: Vec<RunningNode>,
}

impl Formed {
    /// A node that knows no other.
    pub(crate) fn alone(change: impl Fn(&mut Settings)) -> Self {
        Self::launch(1, change)
    }

    /// Starts nodes with one copy of each slot, and waits until every slot has it.
    pub(crate) fn start(count: usize, change: impl Fn(&mut Settings)) -> Self {
        let formed = Self::launch(count, change);
        formed.wait_until("every node owns slots, and every slot has a copy", |formed| {
            let slots = || 0..SLOTS;
            let owns = |at| slots().filter(|slot| formed.owner(*slot) == Some(at)).count();
            let fair = usize::from(SLOTS) / count;
            (0..count).all(|at| owns(at) * 2 > fair)
                && slots().all(|slot| formed.owner(slot).is_some() && formed.copy(slot).is_some())
        });
        formed
    }

    fn launch(count: usize, change: impl Fn(&mut Settings)) -> Self {
        let mut nodes: Vec<RunningNode> = Vec::new();
        for _ in 0..count {
            let mut settings = settings();
            if let Some(first) = nodes.first() {
                let bus = first.node().settings.load().cluster.bus_listen[0].port();
                settings.cluster.join = vec![format!("{}@{bus}", first.addr())];
            }
            change(&mut settings);
            nodes.push(Node::start(settings).expect("loopback has ports"));
        }
        Self { nodes }
    }

    /// Waits for what no event tells of, such as what nodes agree on.
    pub(crate) fn wait_until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_so(self) {
            assert!(Instant::now() < deadline, "not in time: {what}; {}", self.describe());
            thread::yield_now();
            thread::park_timeout(Duration::from_millis(5));
        }
    }

    /// For each node how many slots it owns, and how many it has copies of.
    fn describe(&self) -> String {
        let slots = || 0..SLOTS;
        let shares = self.nodes.iter().map(|node| {
            let routing = &node.node().cluster.routing;
            let count = |is_so: &dyn Fn(u16) -> bool| slots().filter(|slot| is_so(*slot)).count();
            (count(&|slot| routing.is_mine(slot)), count(&|slot| routing.is_copy(slot)), routing.peers().len())
        });
        format!("(owned, copied, peers) {:?}", shares.collect::<Vec<_>>())
    }

    /// The node that executes a slot's commands.
    pub(crate) fn owner(&self, slot: u16) -> Option<usize> {
        self.nodes.iter().position(|node| node.node().cluster.routing.route(slot) == Route::Mine)
    }

    /// A node that holds an in-sync copy of a slot.
    pub(crate) fn copy(&self, slot: u16) -> Option<usize> {
        self.nodes.iter().position(|node| node.node().cluster.routing.is_copy(slot))
    }

    /// A key that one node owns and another has a copy of.
    pub(crate) fn key_with(&self, owner: usize, copy: usize) -> String {
        let fits = |key: &String| {
            let slot = slot_of(key.as_bytes());
            self.owner(slot) == Some(owner) && self.copy(slot) == Some(copy)
        };
        (0..100_000).map(|number| format!("key:{number}")).find(fits).expect("such a key is among so many")
    }

    /// A connection to a node's main port.
    pub(crate) fn connect(&self, at: usize) -> Client {
        Client::connect(self.nodes[at].addr())
    }

    /// A connection to a node's redirect port.
    pub(crate) fn connect_redirecting(&self, at: usize) -> Client {
        Client::connect(self.nodes[at].redirect_addrs()[0])
    }
}

impl Drop for Formed {
    fn drop(&mut self) {
        self.nodes.iter().for_each(RunningNode::shutdown);
    }
}
