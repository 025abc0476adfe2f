//! The slot table and the plan side by side, for walks over all slots.
//!
//! Table and plan name nodes by places in lists of their own. The lists are compared once, and then small numbers: a walk
//! costs a few nanoseconds a slot, and is made several times a second while slots move.

use rondache_protocol::bus::identity::Identity;

use super::{Coordinator, plan::Plan};
use crate::cluster::table::SlotTable;

/// See the [module](self). Nodes are places in [`Survey::nodes`].
#[derive(Debug)]
pub struct Survey<'a> {
    table: &'a SlotTable,
    plan: Option<&'a Plan>,
    /// Those of the table, then those that only the plan names.
    nodes: Vec<Identity>,
    /// For each node of the plan its place among them.
    places: Vec<u32>,
}

impl Survey<'_> {
    /// The nodes that the table or the plan names.
    #[must_use]
    pub fn nodes(&self) -> &[Identity] {
        &self.nodes
    }

    /// The planned owner and then the planned copies.
    pub fn planned(&self, slot: u16) -> impl Iterator<Item = u32> {
        let places = self.plan.map_or(&[][..], |plan| plan.places(slot));
        places.iter().filter_map(|place| self.places.get(usize::from(*place)).copied())
    }

    /// The owner and then the copies.
    pub fn holders(&self, slot: u16) -> impl Iterator<Item = u32> {
        self.table.places(slot).map(u32::from)
    }

    /// Whether the slot is to have another owner.
    #[must_use]
    pub fn is_to_move(&self, slot: u16) -> bool {
        self.planned(slot).next().is_some_and(|planned| self.holders(slot).next() != Some(planned))
    }

    /// Whether the slot's copies are those that are planned.
    #[must_use]
    pub fn are_copies_as_planned(&self, slot: u16) -> bool {
        self.planned(slot).skip(1).eq(self.holders(slot).skip(1))
    }

    /// Whether the slot's owner and copies are those that are planned.
    #[must_use]
    pub fn is_as_planned(&self, slot: u16) -> bool {
        self.planned(slot).eq(self.holders(slot))
    }

    /// The slots whose owner or copies are not those that are planned.
    #[must_use]
    pub fn slots_left(&self) -> usize {
        (0..self.table.slots()).filter(|slot| !self.is_as_planned(*slot)).count()
    }

    /// How many slots are to have another owner.
    #[must_use]
    pub fn slots_to_move(&self) -> usize {
        (0..self.table.slots()).filter(|slot| self.is_to_move(*slot)).count()
    }

    /// How many owners have slots that are to have another.
    #[must_use]
    pub fn givers(&self) -> usize {
        let mut gives = vec![false; self.nodes.len()];
        for slot in (0..self.table.slots()).filter(|slot| self.is_to_move(*slot)) {
            if let Some(owner) = self.holders(slot).next() {
                gives[owner as usize] = true;
            }
        }
        gives.into_iter().filter(|gives| *gives).count()
    }
}

impl Coordinator {
    /// The table and the plan as they are now.
    #[must_use]
    pub fn survey(&self) -> Survey<'_> {
        let mut nodes = self.table.nodes().to_vec();
        let mut place_of = |node: &Identity| {
            let known = nodes.iter().position(|known| known == node);
            known.unwrap_or_else(|| {
                nodes.push(*node);
                nodes.len() - 1
            }) as u32
        };
        let places = self.plan.iter().flat_map(Plan::all_nodes).map(&mut place_of).collect();
        Survey { table: &self.table, plan: self.plan.as_ref(), nodes, places }
    }
}

#[cfg(test)]
mod tests {
    use rondache_protocol::bus::identity::NodeId;

    use super::*;
    use crate::cluster::{
        coordinator::{settings::Settings, sticky::StickyPlanner},
        plane::{Claim, Row},
    };

    fn node(id: u128) -> Identity {
        Identity { generation: 1, id: NodeId(id) }
    }

    fn coordinator(rows: &[&[u128]], plan: &[&[u128]]) -> Coordinator {
        let settings = Settings { slots: rows.len() as u16, ..Settings::default() };
        let mut coordinator = Coordinator::new(node(1), settings, Box::new(StickyPlanner), 1);
        for (slot, nodes) in (0..).zip(rows) {
            let mut nodes = nodes.iter().copied().map(node);
            let (owner, copies) = (nodes.next().unwrap(), nodes.collect());
            let claim = Claim { firm_epoch: 1, provisional: 0 };
            coordinator.table.merge(&Row { slot, epoch: 1, version: 1, claim, owner, copies });
        }
        let plan: Vec<Vec<Identity>> = plan.iter().map(|nodes| nodes.iter().copied().map(node).collect()).collect();
        coordinator.plan = Some(Plan::new(1, node(1), &plan));
        coordinator
    }

    #[test]
    fn a_slot_moves_where_its_owner_differs_and_is_left_where_any_holder_does() {
        let rows: [&[u128]; 4] = [&[1, 2], &[1, 2], &[2, 1], &[2, 1]];
        let coordinator = coordinator(&rows, &[&[1, 2], &[2, 1], &[2, 3], &[3, 2]]);
        let survey = coordinator.survey();
        assert_eq!([0, 1, 2, 3].map(|slot| survey.is_as_planned(slot)), [true, false, false, false]);
        assert_eq!([0, 1, 2, 3].map(|slot| survey.is_to_move(slot)), [false, true, false, true]);
        assert_eq!((survey.slots_left(), survey.slots_to_move(), survey.givers()), (3, 2, 2));
    }

    #[test]
    fn without_a_plan_nothing_is_to_move() {
        let mut coordinator = coordinator(&[&[1], &[2]], &[&[2], &[1]]);
        coordinator.plan = None;
        assert_eq!((coordinator.survey().slots_to_move(), coordinator.survey().givers()), (0, 0));
    }
}
