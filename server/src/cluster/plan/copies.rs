//! Who should copy each slot.

use rondache_protocol::slot::SLOTS;

use super::{
    draft::Draft,
    placement::NOBODY,
    shares::{Level, Loads, shares},
    takers::{Items, Takers},
};

/// Whether a copy may be in a zone where its slot has a holder already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Apart {
    /// It may not.
    Zones,
    /// It may: holders are different nodes, no more.
    Nodes,
}

/// How often copies are evened out anew when a few heavy nodes leave so little choice that one pass gets stuck.
const ROUNDS_MAX: usize = 8;

/// Leaves copies where they are, adds missing ones, in other zones as far as these have room, and evens out what the
/// nodes hold as owners and copies together.
pub(super) fn plan_copies(draft: &mut Draft) {
    if draft.copy_count == 0 {
        return;
    }
    let mut loads = Loads::new(shares(&draft.weights, draft.copy_count + 1));
    for owner in draft.owners.iter().filter(|owner| **owner != NOBODY) {
        loads.add(*owner);
    }
    let node_keys = (0..draft.nodes.len() as u16).collect();
    let mut copies = Copies { draft, loads, node_keys, donors_above: Level::Most, apart: Apart::Nodes };
    copies.keep();
    copies.fill_up();
    copies.even_out();
    copies.part_zones();
}

/// Copies, numbered through all slots, as things to be dealt out.
struct Copies<'a> {
    draft: &'a mut Draft,
    /// What nodes hold as owners and copies together.
    loads: Loads,
    node_keys: Vec<u16>,
    /// Nodes that hold more give copies away.
    donors_above: Level,
    apart: Apart,
}

impl Items for Copies<'_> {
    fn slot(&self, item: u32) -> u16 {
        (item as usize / self.draft.copy_count) as u16
    }

    fn must_go(&self, item: u32) -> bool {
        let node = self.draft.copies[item as usize];
        node == NOBODY || self.loads.is_above(node, self.donors_above)
    }

    fn barred_keys(&self, item: u32, keys: &mut Vec<u16>) {
        let slot = self.slot(item);
        let start = usize::from(slot) * self.draft.copy_count;
        keys.clear();
        keys.push(self.draft.owners[usize::from(slot)]);
        // Where the copy is now it may not go again, but to another node of that zone it may.
        let others = self.draft.copies_of(slot).iter().enumerate();
        let is_other = |at: usize| self.apart == Apart::Nodes || start + at != item as usize;
        keys.extend(others.filter(|(at, _)| is_other(*at)).map(|(_, node)| *node));
        keys.retain(|node| *node != NOBODY);
        if self.apart == Apart::Zones {
            keys.iter_mut().for_each(|node| *node = self.draft.zones[usize::from(*node)]);
        }
    }

    fn give(&mut self, item: u32, node: u16) {
        let before = std::mem::replace(&mut self.draft.copies[item as usize], node);
        if before != NOBODY {
            self.loads.remove(before);
        }
        self.loads.add(node);
    }
}

impl Copies<'_> {
    /// Keeps the copies there are. Where an owner changes, the old one has the data and is as good as a copy. Of too
    /// many, those stay that are in different zones, and on the emptier nodes.
    fn keep(&mut self) {
        let mut crowded = Vec::new();
        for slot in 0..SLOTS {
            let owner = self.draft.owners[usize::from(slot)];
            let kept: Vec<u16> = self.draft.held(slot).iter().copied().filter(|node| *node != owner).collect();
            if kept.len() > self.draft.copy_count {
                crowded.push((slot, kept));
                continue;
            }
            for (item, node) in self.items_of(slot).zip(kept) {
                self.give(item, node);
            }
        }
        for (slot, kept) in crowded {
            self.keep_best(slot, kept);
        }
    }

    /// Fills a slot's copies with the best of too many nodes that hold it.
    fn keep_best(&mut self, slot: u16, mut kept: Vec<u16>) {
        let mut barred = Vec::new();
        self.apart = Apart::Zones;
        for item in self.items_of(slot) {
            self.barred_keys(item, &mut barred);
            let is_apart = |node: &u16| !barred.contains(&self.draft.zones[usize::from(*node)]);
            let apart = self.loads.emptiest(kept.iter().copied().filter(is_apart));
            let Some(best) = apart.or_else(|| self.loads.emptiest(kept.iter().copied())) else { break };
            kept.retain(|node| *node != best);
            self.give(item, best);
        }
    }

    /// Adds missing copies, and moves those that nodes hold beyond their share.
    fn fill_up(&mut self) {
        self.donors_above = Level::Most;
        let mut queue = self.movable();
        for apart in self.by_strictness() {
            for level in [Level::Least, Level::Fair, Level::Most] {
                queue = self.deal(queue, self.loads.room(level, |_| true), *apart);
            }
        }
        // A copy in the wrong place is better than none.
        queue.retain(|item| self.draft.copies[*item as usize] == NOBODY);
        let no_limit = vec![u32::from(SLOTS); self.draft.nodes.len()];
        self.deal(queue, no_limit, Apart::Nodes);
    }

    /// Evens out what the nodes hold. Should a node stay too full because everyone with room has its slots already,
    /// all level out first: what the others pass on makes them able to take from it.
    fn even_out(&mut self) {
        self.settle();
        for _ in 0..ROUNDS_MAX {
            if !self.is_uneven() {
                break;
            }
            for donors_above in [Level::Ample, Level::FairUp] {
                self.shift(donors_above, Level::Fair, Apart::Nodes, |_| true);
            }
            self.settle();
        }
    }

    /// Whether a node holds more or less than it should.
    fn is_uneven(&self) -> bool {
        (0..self.draft.nodes.len() as u16)
            .any(|node| self.loads.is_above(node, Level::Most) || self.loads.is_below(node, Level::Least))
    }

    /// Moves copies away from nodes that hold too much, and to nodes that hold too little, from the fullest first.
    fn settle(&mut self) {
        for apart in self.by_strictness() {
            for fill_to in [Level::Fair, Level::Most] {
                self.shift(Level::Most, fill_to, *apart, |_| true);
            }
        }
        let needy = self.loads.needy();
        for apart in self.by_strictness() {
            for donors_above in [Level::Ample, Level::FairUp, Level::Fair] {
                self.shift(donors_above, Level::Fair, *apart, |node| needy[node]);
            }
        }
    }

    /// Moves copies that share a zone with another holder of their slot, as far as other zones have room.
    fn part_zones(&mut self) {
        if !self.draft.has_zones {
            return;
        }
        // A giver may only become as empty as it is allowed to be. Every move leaves fewer copies that share a zone, so
        // this ends; it goes on until nothing moves, so that the next plan finds nothing to do.
        self.donors_above = Level::Least;
        for level in [Level::Fair, Level::Most] {
            loop {
                let sharing: Vec<u32> = self.movable().into_iter().filter(|item| self.shares_zone(*item)).collect();
                let count = sharing.len();
                if self.deal(sharing, self.loads.room(level, |_| true), Apart::Zones).len() == count {
                    break;
                }
            }
        }
    }

    fn shares_zone(&self, item: u32) -> bool {
        let zone = |node: u16| self.draft.zones[usize::from(node)];
        let slot = self.slot(item);
        let own = self.draft.copies[item as usize];
        if own == NOBODY {
            return false;
        }
        let others = self.draft.copies_of(slot).iter().chain([&self.draft.owners[usize::from(slot)]]);
        others.filter(|node| **node != own && **node != NOBODY).any(|node| zone(*node) == zone(own))
    }

    fn shift(&mut self, donors_above: Level, fill_to: Level, apart: Apart, takers: impl Fn(usize) -> bool) {
        let room = self.loads.room(fill_to, takers);
        if room.iter().all(|room| *room == 0) {
            return;
        }
        self.donors_above = donors_above;
        let queue = self.movable();
        self.deal(queue, room, apart);
    }

    fn deal(&mut self, queue: Vec<u32>, room: Vec<u32>, apart: Apart) -> Vec<u32> {
        if queue.is_empty() {
            return queue;
        }
        self.apart = apart;
        let keys = match apart {
            Apart::Zones => self.draft.zones.clone(),
            Apart::Nodes => self.node_keys.clone(),
        };
        Takers::new(&self.draft.ring, room, &keys).deal(self, queue)
    }

    /// Copies that are missing, or on a node that gives some away.
    fn movable(&self) -> Vec<u32> {
        (0..self.draft.copies.len() as u32).filter(|item| self.must_go(*item)).collect()
    }

    fn items_of(&self, slot: u16) -> std::ops::Range<u32> {
        let start = u32::from(slot) * self.draft.copy_count as u32;
        start..start + self.draft.copy_count as u32
    }

    /// Other zones first; without zones once is enough.
    fn by_strictness(&self) -> &'static [Apart] {
        if self.draft.has_zones { &[Apart::Zones, Apart::Nodes] } else { &[Apart::Nodes] }
    }
}
