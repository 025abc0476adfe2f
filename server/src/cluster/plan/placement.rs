//! Who owns and who copies each slot, compactly: what is, or what should be.

use rondache_protocol::{bus::identity::Identity, slot::SLOTS};

use crate::cluster::{plane::Row, ring::NODES_MAX};

/// The most copies of a slot that are planned, besides the owner.
pub const COPIES_MAX: usize = 15;

/// Stands for nobody where an index of a node stands.
pub(super) const NOBODY: u16 = u16::MAX;

/// For each slot its owner and its copies, as indexes into a list of nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    nodes: Vec<Identity>,
    copy_count: usize,
    /// For each slot its owner, then `copy_count` copies. [`NOBODY`] where there is none, in copies only at the end.
    cells: Vec<u16>,
}

impl Default for Placement {
    /// Nobody owns anything.
    fn default() -> Self {
        Self::new(Vec::new(), 0)
    }
}

impl Placement {
    pub(super) fn new(nodes: Vec<Identity>, copy_count: usize) -> Self {
        Self { nodes, copy_count, cells: vec![NOBODY; usize::from(SLOTS) * (copy_count + 1)] }
    }

    /// What rows of the slot table say. Slots without a row have no owner; of several rows of a slot the last counts.
    pub fn of_rows<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Self {
        let rows: Vec<&Row> = rows.into_iter().filter(|row| row.slot < SLOTS).collect();
        let mut nodes: Vec<Identity> =
            rows.iter().flat_map(|row| row.copies.iter().chain([&row.owner])).copied().collect();
        nodes.sort_unstable();
        nodes.dedup();
        nodes.truncate(NODES_MAX);
        let copy_count = rows.iter().map(|row| row.copies.len()).max().unwrap_or(0).min(COPIES_MAX);
        let mut placement = Self::new(nodes, copy_count);
        for row in rows {
            let index = |node| placement.nodes.binary_search(node).map_or(NOBODY, |at| at as u16);
            let owner = index(&row.owner);
            let mut copies: Vec<u16> = Vec::with_capacity(copy_count);
            for copy in row.copies.iter().map(index) {
                if copy != NOBODY && copy != owner && !copies.contains(&copy) {
                    copies.push(copy);
                }
            }
            placement.set(row.slot, owner, &copies);
        }
        placement
    }

    /// Says who holds a slot. Copies beyond the count are left out.
    pub(super) fn set(&mut self, slot: u16, owner: u16, copies: &[u16]) {
        let copies = copies.iter().copied().chain(std::iter::repeat(NOBODY));
        let start = usize::from(slot) * (self.copy_count + 1);
        for (cell, node) in
            self.cells[start..].iter_mut().zip(std::iter::once(owner).chain(copies.take(self.copy_count)))
        {
            *cell = node;
        }
    }

    /// The nodes, some of which may hold nothing.
    #[must_use]
    pub fn nodes(&self) -> &[Identity] {
        &self.nodes
    }

    /// The slot's owner.
    #[must_use]
    pub fn owner(&self, slot: u16) -> Option<Identity> {
        self.cells_of(slot).first().and_then(|owner| self.node(*owner))
    }

    /// The nodes that hold a copy, without the owner.
    pub fn copies(&self, slot: u16) -> impl Iterator<Item = Identity> {
        self.cells_of(slot).iter().skip(1).map_while(|copy| self.node(*copy))
    }

    /// The owner, if there is one, and the copies.
    pub fn holders(&self, slot: u16) -> impl Iterator<Item = Identity> {
        self.owner(slot).into_iter().chain(self.copies(slot))
    }

    /// For each slot the indexes of its owner and copies, [`NOBODY`] included.
    pub(super) fn cells_of(&self, slot: u16) -> &[u16] {
        let width = self.copy_count + 1;
        let start = usize::from(slot) * width;
        self.cells.get(start..start + width).unwrap_or_default()
    }

    fn node(&self, index: u16) -> Option<Identity> {
        self.nodes.get(usize::from(index)).copied()
    }
}

/// What has to happen to get from one placement to another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Slots whose owner becomes another one.
    pub owners: usize,
    /// Slots, counted once for each node that has to receive them: it will hold them and did not.
    pub transfers: usize,
}

impl Moved {
    /// Counts the differences.
    #[must_use]
    pub fn between(from: &Placement, to: &Placement) -> Self {
        let mut moved = Self::default();
        for slot in 0..SLOTS {
            moved.owners += usize::from(from.owner(slot) != to.owner(slot));
            moved.transfers += to.holders(slot).filter(|node| !from.holders(slot).any(|held| held == *node)).count();
        }
        moved
    }
}

#[cfg(test)]
mod tests {
    use rondache_protocol::bus::identity::NodeId;

    use super::*;
    use crate::cluster::plane::Claim;

    fn node(id: u64) -> Identity {
        Identity { generation: id, id: NodeId(u128::from(id)) }
    }

    fn row(slot: u16, owner: u64, copies: &[u64]) -> Row {
        let copies = copies.iter().map(|id| node(*id)).collect();
        Row { slot, epoch: 1, version: 0, claim: Claim::default(), owner: node(owner), copies }
    }

    #[test]
    fn rows_become_a_placement() {
        let placement =
            Placement::of_rows(&[row(0, 3, &[1, 2]), row(7, 1, &[]), row(9, 2, &[2, 1, 1]), row(20_000, 4, &[])]);
        assert_eq!(placement.owner(0), Some(node(3)));
        assert_eq!(placement.copies(0).collect::<Vec<_>>(), [node(1), node(2)]);
        assert_eq!(placement.owner(1), None);
        assert_eq!(placement.holders(7).collect::<Vec<_>>(), [node(1)]);
        assert_eq!(placement.copies(9).collect::<Vec<_>>(), [node(1)], "neither the owner nor a copy counts twice");
        assert_eq!(placement.owner(20_000), None);
    }

    #[test]
    fn a_promotion_moves_an_owner_but_no_data() {
        let from = Placement::of_rows(&[row(0, 1, &[2]), row(1, 1, &[2])]);
        let to = Placement::of_rows(&[row(0, 2, &[1]), row(1, 3, &[1])]);
        assert_eq!(Moved::between(&from, &to), Moved { owners: 2, transfers: 1 });
        assert_eq!(Moved::between(&to, &to), Moved::default());
    }
}
