//! Forward links on wires: what `forward/link.rs` and the socket's half of `forward/owner.rs` do.

use std::{
    collections::BTreeMap,
    task::{Context, Waker},
};

use rondache_protocol::bus::identity::Identity;

use super::{Now, SimNode, bus_addr};
use crate::cluster::{
    forward::{inbox::take_frames, link, owner::Serving},
    routing::PeerIndex,
};

#[derive(Default)]
pub(in crate::cluster::simulation) struct Forwards {
    /// The peers that this node's links have dialled.
    dialled: BTreeMap<u64, PeerIndex>,
    /// Of those, the ones that are connected.
    open: Vec<u64>,
    /// Whose requests come in, by wire.
    serving: BTreeMap<u64, Serving>,
}

impl SimNode {
    /// The peers whose links are to be dialled now.
    pub(in crate::cluster::simulation) fn links_to_dial(&mut self, now: Now) -> Vec<(PeerIndex, Identity)> {
        let routing = &self.node.cluster.routing;
        self.worker.links.tick(routing, now.instant);
        let started = self.worker.links.take_to_start().into_iter();
        started.filter_map(|peer| routing.peer(peer).map(|known| (peer, known.identity))).collect()
    }

    pub(in crate::cluster::simulation) fn note_link(&mut self, peer: PeerIndex, wire: u64) {
        self.forwards.dialled.insert(wire, peer);
    }

    pub(in crate::cluster::simulation) fn on_link_open(&mut self, wire: u64) {
        if self.forwards.dialled.contains_key(&wire) {
            self.forwards.open.push(wire);
        }
    }

    /// Another node's requests are to come over a wire.
    pub(in crate::cluster::simulation) fn accept_link(&mut self, host: usize, wire: u64) {
        let client = self.node.clients.unlisted(bus_addr(host), bus_addr(host), 0);
        self.forwards.serving.insert(wire, Serving::new(&self.node, client));
    }

    /// Frames have come over a link. Answers what is to be sent back; `None`: they were not for a link.
    pub(in crate::cluster::simulation) fn on_link_bytes(
        &mut self,
        now: Now,
        wire: u64,
        bytes: &[u8],
    ) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        if let Some(serving) = self.forwards.serving.get_mut(&wire) {
            let worker = &mut self.worker;
            take_frames(bytes, |frame| serving.take_frame(worker, frame, &mut out)).expect("members make sense");
            return Some(out);
        }
        let peer = *self.forwards.dialled.get(&wire)?;
        let (node, links) = (&self.node, &mut self.worker.links);
        take_frames(bytes, |frame| link::take_frame(node, links, peer, frame, now.instant))
            .expect("members make sense");
        Some(out)
    }

    pub(in crate::cluster::simulation) fn on_link_broken(&mut self, now: Now, wire: u64) {
        self.forwards.serving.remove(&wire);
        self.forwards.open.retain(|open| *open != wire);
        if let Some(peer) = self.forwards.dialled.remove(&wire) {
            self.worker.links.lose(peer, now.instant);
        }
    }

    /// What the links have to send, by wire, and the wires of those that are to end.
    pub(in crate::cluster::simulation) fn take_link_frames(&mut self) -> (Vec<(u64, Vec<u8>)>, Vec<u64>) {
        let (mut out, mut ended) = (Vec::new(), Vec::new());
        for wire in &self.forwards.open {
            let peer = self.forwards.dialled[wire];
            let queued = self.worker.links.queued(peer).to_vec();
            if !queued.is_empty() {
                self.worker.links.sent(peer, queued.len());
                out.push((*wire, queued));
            }
            if !self.worker.links.wait(peer, Waker::noop()) {
                ended.push(*wire);
            }
        }
        let cx = Context::from_waker(Waker::noop());
        for (wire, serving) in &self.forwards.serving {
            let mut late = Vec::new();
            serving.late.take(&cx, &mut late);
            if !late.is_empty() {
                out.push((*wire, late));
            }
        }
        (out, ended)
    }
}
