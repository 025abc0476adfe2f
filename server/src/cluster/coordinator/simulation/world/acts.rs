//! What a scenario does to a world's nodes and links.

use std::collections::BTreeSet;

use super::{Node, World};

impl World {
    pub(in super::super) fn join(&mut self) {
        self.now_ms += 1;
        if self.nodes.len() < 9 {
            let host = self.nodes.len();
            let node = self.new_node(host);
            self.nodes.push(node);
            self.input(host, |coordinator, io| coordinator.join(io));
        }
    }

    /// Kills a node, unless too few were left to go on.
    pub(in super::super) fn crash(&mut self, host: usize) {
        self.note(&("crash", host));
        let (up, known) = self.staying_and_known();
        if up >= 3 && (up - 1) * 2 > known {
            self.nodes[host].is_up = false;
        }
    }

    /// How many nodes run and are to go on, and how many count where a majority is asked for: the dead, too, of whose next lives,
    /// which left, nobody has heard.
    fn staying_and_known(&self) -> (usize, usize) {
        let staying = || self.nodes.iter().filter(|node| node.is_up && !node.is_leaving);
        let counts = |(host, node): &(usize, &Node)| {
            !node.has_left || staying().any(|other| other.beliefs.has_earlier_life(*host, &node.identity))
        };
        (staying().count(), self.nodes.iter().enumerate().filter(counts).count())
    }

    pub(in super::super) fn restart(&mut self, host: usize) {
        if !self.nodes[host].is_up && !self.nodes[host].has_left {
            self.note(&("restart", host));
            self.nodes[host] = self.new_node(host);
            self.input(host, |coordinator, io| coordinator.join(io));
        }
    }

    pub(in super::super) fn restart_all(&mut self) {
        (0..self.nodes.len()).for_each(|host| self.restart(host));
    }

    /// Sends a node away, unless too few were left, or no majority: without one nobody makes the copies that it takes along.
    pub(in super::super) fn leave(&mut self, host: usize) {
        let (staying, known) = self.staying_and_known();
        let is_majority_left = (staying - 1) * 2 > known - 1;
        if staying > 3 && is_majority_left && self.nodes[host].is_up && !self.nodes[host].is_leaving {
            self.note(&("leave", host));
            self.nodes[host].is_leaving = true;
            self.input(host, |coordinator, io| coordinator.leave(io));
        }
    }

    pub(in super::super) fn freeze(&mut self, host: usize, ms: u64) {
        self.note(&("freeze", host, ms));
        self.nodes[host].frozen_until_ms = self.now_ms + ms;
        self.nodes[host].guarded_until_ms = self.now_ms + ms + 500;
    }

    pub(in super::super) fn cut_off(&mut self, side: &BTreeSet<usize>, is_one_way: bool) {
        self.note(&("cut off", side, is_one_way));
        self.network.cut_off(side, self.nodes.len(), is_one_way);
    }

    /// Makes some links slow and all of them lossy.
    pub(in super::super) fn spoil_links(&mut self) {
        self.note(&"spoil links");
        self.network.loss = self.random.u8(0..20);
        for from in 0..self.nodes.len() {
            for to in 0..self.nodes.len() {
                if self.random.u8(..4) == 0 {
                    let ms = self.random.u64(10..400);
                    self.network.slow_ms.insert((from, to), ms);
                }
            }
        }
    }

    /// Ends all faults of the network.
    pub(in super::super) fn heal(&mut self) {
        self.note(&"heal");
        self.network.heal();
    }
}
