//! A placement in the making.

use std::collections::BTreeMap;

use rondache_protocol::{bus::identity::Identity, slot::SLOTS};

use super::{
    Candidate,
    placement::{NOBODY, Placement},
};
use crate::cluster::ring::{NODES_MAX, Ring};

/// The nodes that may hold slots, oldest first, and who holds what already. Nodes are named by their index here.
pub(super) struct Draft {
    pub(super) nodes: Vec<Identity>,
    pub(super) weights: Vec<u32>,
    pub(super) ring: Ring,
    /// The zones of the nodes, numbered. Nodes without one have a number each.
    pub(super) zones: Vec<u16>,
    /// Whether any two nodes are in one zone.
    pub(super) has_zones: bool,
    /// How many copies each slot gets.
    pub(super) copy_count: usize,
    /// Who holds the slots now: for each slot the owner and the copies, none of them twice.
    held: Vec<Vec<u16>>,
    /// Whether the first of those is the owner.
    has_owner: Vec<bool>,
    /// Who should own each slot.
    pub(super) owners: Vec<u16>,
    /// Who should copy them: `copy_count` cells a slot.
    pub(super) copies: Vec<u16>,
}

impl Draft {
    pub(super) fn new(mut candidates: Vec<&Candidate>, current: &Placement, copies_wanted: usize) -> Self {
        candidates.sort_unstable_by_key(|candidate| candidate.identity);
        candidates.truncate(NODES_MAX);
        let nodes: Vec<Identity> = candidates.iter().map(|candidate| candidate.identity).collect();
        let on_ring: Vec<_> = candidates.iter().map(|candidate| (candidate.identity.id, candidate.weight)).collect();
        let (zones, has_zones) = number_zones(&candidates);
        let copy_count = copies_wanted.min(nodes.len().saturating_sub(1));
        let (held, has_owner) = hold(&nodes, current);
        Self {
            weights: candidates.iter().map(|candidate| candidate.weight).collect(),
            ring: Ring::new(&on_ring),
            zones,
            has_zones,
            copy_count,
            held,
            has_owner,
            owners: vec![NOBODY; usize::from(SLOTS)],
            copies: vec![NOBODY; usize::from(SLOTS) * copy_count],
            nodes,
        }
    }

    /// The node that owns a slot now, if it may go on.
    pub(super) fn held_owner(&self, slot: u16) -> Option<u16> {
        let slot = usize::from(slot);
        self.has_owner[slot].then(|| self.held[slot][0])
    }

    /// The nodes that hold a slot now and may go on: the owner first, then the copies.
    pub(super) fn held(&self, slot: u16) -> &[u16] {
        &self.held[usize::from(slot)]
    }

    /// The copies that a slot should have; [`NOBODY`] where one is missing.
    pub(super) fn copies_of(&self, slot: u16) -> &[u16] {
        let start = usize::from(slot) * self.copy_count;
        &self.copies[start..start + self.copy_count]
    }

    /// Everything as it is now; a slot whose owner is gone goes to its first copy.
    pub(super) fn stay(mut self) -> Placement {
        for (slot, held) in self.held.iter().enumerate() {
            let Some((owner, copies)) = held.split_first() else { continue };
            self.owners[slot] = *owner;
            let cells = self.copies.iter_mut().skip(slot * self.copy_count).take(self.copy_count);
            cells.zip(copies).for_each(|(cell, copy)| *cell = *copy);
        }
        self.finish()
    }

    pub(super) fn finish(self) -> Placement {
        let mut placement = Placement::new(self.nodes.clone(), self.copy_count);
        for slot in 0..SLOTS {
            let copies: Vec<u16> = self.copies_of(slot).iter().copied().filter(|copy| *copy != NOBODY).collect();
            placement.set(slot, self.owners[usize::from(slot)], &copies);
        }
        placement
    }
}

/// Gives each zone a number, and each node without a zone one of its own.
fn number_zones(candidates: &[&Candidate]) -> (Vec<u16>, bool) {
    let mut first_of: BTreeMap<&str, u16> = BTreeMap::new();
    let mut zones = Vec::with_capacity(candidates.len());
    let mut has_zones = false;
    for (node, candidate) in (0u16..).zip(candidates) {
        let first = if candidate.zone.is_empty() { node } else { *first_of.entry(&candidate.zone).or_insert(node) };
        has_zones |= first != node;
        zones.push(first);
    }
    (zones, has_zones)
}

/// For each slot those of `nodes` that hold it now, and whether the owner is among them.
fn hold(nodes: &[Identity], current: &Placement) -> (Vec<Vec<u16>>, Vec<bool>) {
    let index = |node: &Identity| nodes.binary_search(node).map_or(NOBODY, |at| at as u16);
    let translated: Vec<u16> = current.nodes().iter().map(index).collect();
    let translate = |cell: &u16| translated.get(usize::from(*cell)).copied().filter(|node| *node != NOBODY);
    let mut held = Vec::with_capacity(usize::from(SLOTS));
    let mut has_owner = Vec::with_capacity(usize::from(SLOTS));
    for slot in 0..SLOTS {
        let cells = current.cells_of(slot);
        has_owner.push(cells.first().and_then(translate).is_some());
        held.push(cells.iter().filter_map(translate).collect());
    }
    (held, has_owner)
}
