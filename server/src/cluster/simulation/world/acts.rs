//! What a scenario does to a world's hosts and links.

use std::collections::{BTreeMap, BTreeSet};

use super::{Host, World};
use crate::cluster::simulation::node::SimNode;

/// More hosts than that are not added.
const HOSTS_MAX: usize = 7;

impl World {
    /// Adds a machine with a node, which founds the cluster or joins it.
    pub(super) fn add_host(&mut self) {
        let skew_ms_max = self.options.skew_ms_max;
        let skew_ms = self.random.i64(-skew_ms_max..=skew_ms_max);
        let skews_ms = vec![(self.now_ms, skew_ms)];
        self.hosts.push(Host { node: None, frozen_until_ms: 0, inbox: Vec::new(), skews_ms });
        self.begin(self.hosts.len() - 1);
    }

    /// Starts a node on a machine that has none: another life than any before it, under the same name.
    fn begin(&mut self, host: usize) {
        self.look_at_clocks_of(host);
        let now = self.now();
        let mut node = SimNode::new(&self.options, host, now);
        if self.places.is_empty() {
            node.found(now)
        } else {
            node.seek(now)
        }
        self.places.insert(node.identity, host);
        self.hosts[host].node = Some(node);
        self.hosts[host].inbox.clear();
    }

    /// A node's process is gone.
    pub(super) fn end(&mut self, host: usize) {
        let Some(node) = self.hosts[host].node.take() else { return };
        self.hosts[host].inbox.clear();
        self.hosts[host].frozen_until_ms = 0;
        self.end_wires_of(&node.identity);
        let now = self.now();
        for client in self.clients.iter_mut().filter(|client| client.host() == Some(host)) {
            client.disconnect(&mut self.history, now);
        }
    }

    /// The hosts that run a node which is a member and means to stay.
    pub(in crate::cluster::simulation) fn staying(&self) -> Vec<usize> {
        let stays = |node: &SimNode| node.is_joined && !node.is_leaving;
        (0..self.hosts.len()).filter(|host| self.hosts[*host].node.as_ref().is_some_and(stays)).collect()
    }

    /// Which host executes each slot.
    pub(in crate::cluster::simulation) fn executors(&self) -> BTreeMap<u16, usize> {
        let hosts = self.staying().into_iter().flat_map(|host| {
            self.look_at_clocks_of(host);
            let node = self.hosts[host].node.as_ref();
            let executes = move |slot: &u16| node.is_some_and(|node| node.executes(*slot));
            (0..self.options.slots).filter(executes).map(move |slot| (slot, host))
        });
        hosts.collect()
    }

    /// Such a host, at random.
    pub(in crate::cluster::simulation) fn some_host(&mut self) -> usize {
        let staying = self.staying();
        self.random.choice(staying).expect("scenarios leave some nodes")
    }

    pub(in crate::cluster::simulation) fn join(&mut self) {
        if self.hosts.len() < HOSTS_MAX {
            self.note(&"join");
            self.add_host();
        }
    }

    /// Kills a node, unless too few were left to go on.
    pub(in crate::cluster::simulation) fn crash(&mut self, host: usize) -> bool {
        let is_allowed = self.may_miss_one();
        if is_allowed {
            self.note(&("crash", host));
            self.end(host);
        }
        is_allowed
    }

    /// Whether the others have a majority without one of the nodes. Those that died before count.
    pub(in crate::cluster::simulation) fn may_miss_one(&self) -> bool {
        let up = self.staying().len();
        up >= 3 && (up - 1) * 2 > self.known()
    }

    /// The most members that any node counts for the majority.
    fn known(&self) -> usize {
        let nodes = self.hosts.iter().filter_map(|host| host.node.as_ref());
        nodes.map(|node| node.view.counted()).max().unwrap_or(0)
    }

    /// Starts the nodes of all machines that have none.
    pub(in crate::cluster::simulation) fn restart_all(&mut self) {
        for host in 0..self.hosts.len() {
            if self.hosts[host].node.is_none() {
                self.note(&("restart", host));
                self.begin(host);
            }
        }
    }

    pub(in crate::cluster::simulation) fn leave(&mut self, host: usize) {
        if self.staying().len() <= 3 {
            return;
        }
        self.note(&("leave", host));
        self.look_at_clocks_of(host);
        let now = self.now();
        if let Some(node) = &mut self.hosts[host].node {
            node.leave(now);
        }
    }

    pub(in crate::cluster::simulation) fn freeze(&mut self, host: usize, ms: u64) {
        self.note(&("freeze", host, ms));
        self.hosts[host].frozen_until_ms = self.now_ms + ms;
    }

    /// Somebody sets a host's clock.
    pub(in crate::cluster::simulation) fn set_clock(&mut self, host: usize, skew_ms: i64) {
        self.note(&("set clock", host, skew_ms));
        let now_ms = self.now_ms;
        self.hosts[host].skews_ms.push((now_ms, skew_ms));
    }

    pub(in crate::cluster::simulation) fn cut_off(&mut self, side: &BTreeSet<usize>, is_one_way: bool) {
        self.note(&("cut off", side, is_one_way));
        self.network.cut_off(side, self.hosts.len(), is_one_way);
    }

    /// Makes some links slow, and all of them lossy and disorderly.
    pub(in crate::cluster::simulation) fn spoil_links(&mut self, loss_max: u8, slow_ms_max: u64) {
        self.note(&"spoil links");
        self.network.loss = self.random.u8(..=loss_max);
        self.network.disorder = self.random.u8(..50);
        for from in 0..self.hosts.len() {
            for to in 0..self.hosts.len() {
                if self.random.u8(..4) == 0 {
                    let ms = self.random.u64(1..slow_ms_max);
                    self.network.slow_ms.insert((from, to), ms);
                }
            }
        }
    }

    /// Ends all faults of the network.
    pub(in crate::cluster::simulation) fn heal(&mut self) {
        self.note(&"heal");
        self.network.heal();
    }
}
