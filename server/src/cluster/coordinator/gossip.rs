//! The exchange of tables: what broadcasts did not bring arrives so.

use std::collections::BTreeSet;

use rondache_protocol::bus::identity::Identity;

use super::{
    Coordinator, Io,
    message::{CoordinatorMessage, Ranges, TableDigest},
    plan::Plan,
};
use crate::cluster::{
    member::{Member, View},
    table::digest::RANGES,
};

/// While this node does not know all slots it asks this often.
const HURRY_MS: u64 = 200;
/// With how many of the members that are new a node exchanges tables at once. All nodes do so: one each would do.
const GREETED_MAX: usize = 3;
/// The rows of so many ranges travel in one message.
const RANGES_PER_MESSAGE: usize = 8;

/// When tables are exchanged next.
#[derive(Debug, Default)]
pub(super) struct Gossip {
    due_ms: u64,
    /// Counts the calls of [`Coordinator::fence`].
    round: u64,
    /// Who has yet to answer the latest one.
    unfenced: BTreeSet<Identity>,
}

impl Coordinator {
    /// Exchanges tables with a random member now and then.
    pub(super) fn tick_gossip(&mut self, io: &mut Io<'_>) {
        if io.now_ms < self.gossip.due_ms {
            return;
        }
        let wait_ms = if self.table.is_complete() { self.settings.digest_ms } else { HURRY_MS };
        self.gossip.due_ms = io.now_ms + wait_ms;
        let others: Vec<Identity> =
            self.view.live().map(super::identity_of).filter(|member| *member != self.me).collect();
        if !others.is_empty() {
            let peer = others[self.random.usize(..others.len())];
            self.send_digest(io, peer);
        }
    }

    /// Exchanges tables with members that are new, or are back.
    pub(super) fn greet(&mut self, io: &mut Io<'_>, before: &View) {
        let is_new = |member: &&Member| member.info.identity != self.me && !before.is_alive(&member.info.identity);
        let new: Vec<Identity> = self.view.live().filter(is_new).map(super::identity_of).collect();
        for peer in self.random.choose_multiple(new, GREETED_MAX) {
            self.send_digest(io, peer);
        }
    }

    pub(super) fn on_digest(&mut self, io: &mut Io<'_>, from: Identity, theirs: &TableDigest) {
        if let Some(plan) = self.plan.as_ref().filter(|plan| theirs.plan.is_none_or(|rank| plan.rank() > rank)) {
            io.send(from, CoordinatorMessage::Plan(plan.clone()));
        }
        if theirs.ranges.len() != RANGES {
            return;
        }
        let mine = self.table.digests();
        let differing: Vec<u8> = (0..RANGES).filter(|at| mine[*at] != theirs.ranges[*at]).map(|at| at as u8).collect();
        for ranges in differing.chunks(RANGES_PER_MESSAGE) {
            let slots = ranges.iter().flat_map(|range| self.table.range(usize::from(*range)));
            let rows = self.table.batches(slots);
            io.send(from, CoordinatorMessage::Ranges(Ranges { ranges: ranges.to_vec(), rows }));
        }
    }

    pub(super) fn on_ranges(&mut self, io: &mut Io<'_>, from: Identity, theirs: &Ranges) {
        let mut told = vec![None; usize::from(self.settings.slots)];
        for row in theirs.rows.iter().take(RANGES).flat_map(|rows| rows.rows()) {
            if let Some(place) = told.get_mut(usize::from(row.slot)) {
                *place = Some(row.clone());
                self.learn(io, from, row);
            }
        }
        let is_told = |slot: &u16| told[usize::from(*slot)].as_ref() == self.table.row(*slot).as_ref();
        let ranges = theirs.ranges.iter().take(RANGES).map(|range| self.table.range(usize::from(*range)));
        let newer: Vec<u16> = ranges.flatten().filter(|slot| !is_told(slot)).collect();
        for rows in self.table.batches(newer) {
            io.send(from, CoordinatorMessage::Rows(rows));
        }
    }

    /// Compares tables with every live member: after a freeze, others may have taken over what this node owned. Once
    /// [`Coordinator::unfenced`] tells that all have answered, whatever they know is known here.
    pub fn fence(&mut self, io: &mut Io<'_>) {
        self.gossip.round += 1;
        let me = self.me;
        self.gossip.unfenced = self.view.live().map(super::identity_of).filter(|member| *member != me).collect();
        for peer in self.gossip.unfenced.clone() {
            self.send_digest(io, peer);
            io.send(peer, CoordinatorMessage::Fence { round: self.gossip.round });
        }
    }

    /// How many live members have yet to answer the latest [`Coordinator::fence`].
    #[must_use]
    pub fn unfenced(&self) -> usize {
        self.gossip.unfenced.iter().filter(|peer| self.view.is_alive(peer)).count()
    }

    pub(super) fn on_fenced(&mut self, from: Identity, round: u64) {
        if round == self.gossip.round {
            self.gossip.unfenced.remove(&from);
        }
    }

    fn send_digest(&self, io: &mut Io<'_>, to: Identity) {
        let (ranges, plan) = (self.table.digests().to_vec(), self.plan.as_ref().map(Plan::rank));
        io.send(to, CoordinatorMessage::Digest(TableDigest { ranges, plan }));
    }
}
