//! Who should own each slot.

use rondache_protocol::slot::SLOTS;

use super::{
    draft::Draft,
    placement::NOBODY,
    shares::{Level, Loads, shares},
    takers::{Items, Takers},
};

/// Leaves slots where they are, gives those without an owner to one, and evens the nodes' shares out.
pub(super) fn plan_owners(draft: &mut Draft) {
    let loads = Loads::new(shares(&draft.weights, 1));
    let mut owners = Owners { draft, loads, donors_above: Level::Most };
    owners.keep();
    owners.adopt();
    owners.even_out();
}

/// Slots as things to be dealt out to owners.
struct Owners<'a> {
    draft: &'a mut Draft,
    loads: Loads,
    /// Nodes that hold more give slots away.
    donors_above: Level,
}

impl Items for Owners<'_> {
    fn slot(&self, item: u32) -> u16 {
        item as u16
    }

    fn must_go(&self, item: u32) -> bool {
        let owner = self.draft.owners[item as usize];
        owner == NOBODY || self.loads.is_above(owner, self.donors_above)
    }

    fn barred_keys(&self, _item: u32, keys: &mut Vec<u16>) {
        keys.clear();
    }

    fn give(&mut self, item: u32, node: u16) {
        let owner = std::mem::replace(&mut self.draft.owners[item as usize], node);
        if owner != NOBODY {
            self.loads.remove(owner);
        }
        self.loads.add(node);
    }
}

impl Owners<'_> {
    fn keep(&mut self) {
        for slot in 0..SLOTS {
            if let Some(owner) = self.draft.held_owner(slot) {
                self.give(u32::from(slot), owner);
            }
        }
    }

    /// Gives each slot that nobody owns to a node: to one that has a copy, else to the most preferred one with room.
    ///
    /// Slots enough are kept for the nodes that hold less than their least share, so that these need not take any from
    /// living owners.
    fn adopt(&mut self) {
        let mut orphans: Vec<u32> = self.all().filter(|slot| self.draft.owners[*slot as usize] == NOBODY).collect();
        if orphans.is_empty() {
            return;
        }
        let needed: u64 = self.loads.room(Level::Least, |_| true).into_iter().map(u64::from).sum();
        let mut spare = (orphans.len() as u64).saturating_sub(needed);
        for level in [Level::Least, Level::Fair, Level::Ample] {
            orphans.retain(|slot| {
                let Some(heir) = self.emptiest_copy(*slot, level) else { return true };
                if !self.loads.is_below(heir, Level::Least) {
                    if spare == 0 {
                        return true;
                    }
                    spare -= 1;
                }
                self.give(*slot, heir);
                false
            });
        }
        for level in [Level::Least, Level::Fair, Level::FairUp] {
            orphans = self.deal(orphans, level, |_| true);
        }
    }

    /// Takes slots from nodes that hold too many, and for nodes that hold too few: no more than it takes, and from the
    /// fullest first.
    fn even_out(&mut self) {
        let needy = self.loads.needy();
        let is_needy = |node: usize| needy[node];
        self.shift(Level::Most, Level::Fair, is_needy);
        self.shift(Level::Most, Level::Fair, |_| true);
        self.shift(Level::Most, Level::FairUp, |_| true);
        for donors_above in [Level::Ample, Level::FairUp, Level::Fair] {
            self.shift(donors_above, Level::Fair, is_needy);
        }
    }

    /// Moves slots from nodes above a level to `takers` below another one: first to those that have a copy, which
    /// moves no data, then to those that the slots prefer.
    fn shift(&mut self, donors_above: Level, fill_to: Level, takers: impl Fn(usize) -> bool) {
        self.donors_above = donors_above;
        let mut surplus: Vec<u32> = self.all().filter(|slot| self.must_go(*slot)).collect();
        if surplus.is_empty() || self.loads.room(fill_to, &takers).iter().all(|room| *room == 0) {
            return;
        }
        surplus.retain(|slot| {
            if self.must_go(*slot)
                && let Some(heir) = self.emptiest_copy(*slot, fill_to)
                && takers(usize::from(heir))
            {
                self.give(*slot, heir);
                return false;
            }
            true
        });
        self.deal(surplus, fill_to, takers);
    }

    fn deal(&mut self, queue: Vec<u32>, fill_to: Level, takers: impl Fn(usize) -> bool) -> Vec<u32> {
        if queue.is_empty() {
            return queue;
        }
        // Nothing is barred, so the keys do not matter.
        let keys: Vec<u16> = (0..self.draft.nodes.len() as u16).collect();
        Takers::new(&self.draft.ring, self.loads.room(fill_to, takers), &keys).deal(self, queue)
    }

    /// Of the nodes that hold the slot now and are below a level, the emptiest.
    fn emptiest_copy(&self, slot: u32, below: Level) -> Option<u16> {
        let holders = self.draft.held(slot as u16).iter().copied();
        let owner = self.draft.owners[slot as usize];
        self.loads.emptiest(holders.filter(|node| *node != owner && self.loads.is_below(*node, below)))
    }

    fn all(&self) -> std::ops::Range<u32> {
        0..u32::from(SLOTS)
    }
}
