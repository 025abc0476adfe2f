//! The plan: who should own and copy each slot.
//!
//! A pure function of the live members, of who holds what now, and of the number of copies. Same inputs give the same
//! plan on every machine, and a table that is as planned gives the same plan again. Safety never depends on a plan, only
//! balance does.
//!
//! | module | holds |
//! |---|---|
//! | `placement` | who holds each slot, compactly; what moves between two placements |
//! | `draft` | the nodes that may hold slots, and a placement in the making |
//! | `shares` | how much each node should hold, and how much it does |
//! | `takers` | how slots are dealt out to nodes with room, along the ring |
//! | `owners` | the owners |
//! | `copies` | the copies |
//!
//! **Owners** stay where they are while their node lives, is not leaving, and holds no more than 1.10 × its share.
//! Slots without an owner go to a node that has a copy, if that is not full, else to the one with room that they prefer.
//! A node below 0.90 takes slots up to its share from the fullest ones, those that would meet it first on the ring.
//!
//! **Copies** likewise, measured by what a node holds as owner and as copy together. A copy goes to a zone without a
//! holder of its slot while a node there is below 1.10.
//!
//! **Limits.** Balance comes before zones: where one zone has more than 1 ÷ (1 + copies) of all weight, some of its
//! slots have two holders in it. A node whose weight asks for more than all slots, as owner and copies together, holds
//! every slot once, and the others share the rest.

mod copies;
mod draft;
mod owners;
mod placement;
mod shares;
mod takers;

#[cfg(test)]
mod churn_tests;
#[cfg(test)]
mod tests;

use rondache_protocol::bus::identity::Identity;

pub use self::placement::{COPIES_MAX, Moved, Placement};
use self::{copies::plan_copies, draft::Draft, owners::plan_owners};

/// A live node, as far as plans care.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Which life of which node. Of two lives of a node only the later one counts.
    pub identity: Identity,
    /// Its share in hundredths of weight 1. 0: it holds nothing.
    pub weight: u32,
    /// Its zone. Empty: it is in nobody's zone.
    pub zone: String,
    /// Whether it is on its way out, and so holds nothing.
    pub is_leaving: bool,
}

/// Places every slot and `copies` copies of it on the live `nodes`, given who owns and has in-sync copies of it now.
///
/// With fewer than `copies` + 1 nodes there are fewer copies. When no node may own slots, because all are leaving or
/// have weight 0, slots stay with those that have them.
#[must_use]
pub fn place(nodes: &[Candidate], current: &Placement, copies: usize) -> Placement {
    let copies = copies.min(COPIES_MAX);
    let newest = newest_lives(nodes);
    let able: Vec<&Candidate> = newest.iter().copied().filter(|node| node.weight > 0 && !node.is_leaving).collect();
    if able.is_empty() {
        return Draft::new(newest, current, copies).stay();
    }
    let mut draft = Draft::new(able, current, copies);
    plan_owners(&mut draft);
    plan_copies(&mut draft);
    draft.finish()
}

/// The nodes, each in its latest life only.
fn newest_lives(nodes: &[Candidate]) -> Vec<&Candidate> {
    let mut nodes: Vec<&Candidate> = nodes.iter().collect();
    nodes.sort_unstable_by_key(|node| (node.identity.id, std::cmp::Reverse(node.identity.generation)));
    nodes.dedup_by_key(|node| node.identity.id);
    nodes
}
