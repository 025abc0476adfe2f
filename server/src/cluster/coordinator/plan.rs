//! Plans: who is to own and to copy which slot.

use std::sync::OnceLock;

use rondache_protocol::bus::identity::Identity;
use serde::{Deserialize, Serialize};

use super::super::{member::MemberInfo, table::SlotTable};

/// Makes plans: a pure function of what it is given. It should leave a slot where it is as long as the load allows.
pub trait Planner: Send {
    /// For each slot its owner and then its copies, most preferred first. `members` are those alive, by node id; one that
    /// leaves is to get nothing.
    fn plan(&self, members: &[&MemberInfo], table: &SlotTable, copies: usize) -> Vec<Vec<Identity>>;
}

/// One plan. Safety never depends on it, only balance does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    number: u64,
    publisher: Identity,
    nodes: Vec<Identity>,
    runs: Vec<Run>,
    #[serde(skip)]
    run_of_slot: RunOfSlot,
}

/// The place in [`Plan::runs`] of each slot's run: owners look their slots up again and again. It follows from the runs,
/// so that it does not travel and makes no difference between plans.
#[derive(Clone, Debug, Default)]
struct RunOfSlot(OnceLock<Box<[u16]>>);

impl PartialEq for RunOfSlot {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for RunOfSlot {}

/// Neighbouring slots with the same nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Run {
    /// Behind the run's last slot.
    end: u16,
    /// Places in [`Plan::nodes`], the owner's first.
    nodes: Vec<u16>,
}

impl Plan {
    /// A plan of what a [`Planner`] said for each slot.
    #[must_use]
    pub fn new(number: u64, publisher: Identity, slots: &[Vec<Identity>]) -> Self {
        let mut names: Vec<Identity> = slots.iter().flatten().copied().collect();
        names.sort_unstable();
        names.dedup();
        let mut runs: Vec<Run> = Vec::new();
        for (end, nodes) in (1u16..).zip(slots) {
            let nodes: Vec<u16> =
                nodes.iter().filter_map(|node| names.binary_search(node).ok()).map(|at| at as u16).collect();
            match runs.last_mut() {
                Some(last) if last.nodes == nodes => last.end = end,
                _ => runs.push(Run { end, nodes }),
            }
        }
        Self { number, publisher, nodes: names, runs, run_of_slot: RunOfSlot::default() }
    }

    /// The plan's number.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Who made it.
    #[must_use]
    pub fn publisher(&self) -> Identity {
        self.publisher
    }

    /// Of two plans, the one with the higher rank holds.
    #[must_use]
    pub fn rank(&self) -> (u64, Identity) {
        (self.number, self.publisher)
    }

    /// The slot's planned owner and copies, most preferred first.
    pub fn nodes(&self, slot: u16) -> impl Iterator<Item = Identity> {
        self.places(slot).iter().filter_map(|place| self.nodes.get(usize::from(*place)).copied())
    }

    /// The same as places in [`Plan::all_nodes`].
    #[must_use]
    pub(super) fn places(&self, slot: u16) -> &[u16] {
        let run_of_slot = self.run_of_slot.0.get_or_init(|| {
            let mut run_of_slot = Vec::new();
            // A plan that another made may hold anything: runs that do not rise are empty.
            for (at, run) in (0u16..).zip(&self.runs) {
                run_of_slot.resize(run_of_slot.len().max(usize::from(run.end)), at);
            }
            run_of_slot.into()
        });
        let run = run_of_slot.get(usize::from(slot)).and_then(|at| self.runs.get(usize::from(*at)));
        run.map_or(&[], |run| &run.nodes)
    }

    /// All nodes that it gives anything, by identity.
    #[must_use]
    pub(super) fn all_nodes(&self) -> &[Identity] {
        &self.nodes
    }

    /// The slot's planned owner.
    #[must_use]
    pub fn owner(&self, slot: u16) -> Option<Identity> {
        self.nodes(slot).next()
    }

    /// Whether it gives the node any slot or copy.
    #[must_use]
    pub fn names(&self, node: &Identity) -> bool {
        self.nodes.binary_search(node).is_ok()
    }

    /// Whether it wants the same as the other.
    pub(super) fn wants_the_same(&self, other: &Self) -> bool {
        self.nodes == other.nodes && self.runs == other.runs
    }
}

#[cfg(test)]
mod tests {
    use rondache_protocol::bus::identity::NodeId;

    use super::*;

    #[test]
    fn a_plan_says_of_each_slot_what_the_planner_said() {
        let node = |id| Identity { generation: 1, id: NodeId(id) };
        let slots = [vec![node(3), node(1)], vec![node(3), node(1)], vec![], vec![node(2)]];
        let plan = Plan::new(1, node(1), &slots);
        assert_eq!(plan.runs.len(), 3);
        for (slot, nodes) in (0u16..).zip(&slots) {
            assert_eq!(plan.nodes(slot).collect::<Vec<_>>(), *nodes);
        }
        assert_eq!(plan.owner(4), None);
    }
}
