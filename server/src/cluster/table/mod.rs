//! The slot table: for every slot the row that says who serves it.
//!
//! Every node keeps a whole table. Rows reach it by broadcast and by reconciliation in any order and more than once;
//! [`order::supersedes`] decides between two rows of a slot, so that all tables become the same whatever was lost on
//! the way.
//!
//! | module | holds |
//! |---|---|
//! | [`order`] | which of two rows of a slot wins |
//! | [`batch`] | rows as they travel |
//! | [`digest`] | what two tables compare, to exchange only what differs |
//! | `packed` | rows as they are kept: 40 bytes each |

pub mod batch;
pub mod digest;
pub mod order;
mod packed;

use std::ops::Range;

use rondache_protocol::bus::identity::Identity;

use self::{
    batch::RowBatch,
    digest::{Digests, RANGES},
    packed::{Nodes, Packed},
};
use super::plane::{Claim, Row};

/// The most copies that a row names: those planned, and those that leave once these are in sync.
pub const COPIES_MAX: usize = packed::COPIES_MAX;

/// What became of a row that was merged into a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merged {
    /// It won over what was there, and stands in the table now.
    Newer,
    /// It was there already.
    Same,
    /// What is there wins over it, or it cannot be kept: it names no slot of this table, or too many nodes.
    Stale,
}

/// A row for each slot that is known.
#[derive(Debug)]
pub struct SlotTable {
    nodes: Nodes,
    rows: Box<[Option<Packed>]>,
    digests: Digests,
    known: usize,
}

impl SlotTable {
    /// A table of `slots` slots, none of which is known.
    #[must_use]
    pub fn new(slots: u16) -> Self {
        Self {
            nodes: Nodes::default(),
            rows: vec![None; usize::from(slots)].into_boxed_slice(),
            digests: Digests::default(),
            known: 0,
        }
    }

    /// How many slots there are.
    #[must_use]
    pub fn slots(&self) -> u16 {
        self.rows.len() as u16
    }

    /// Whether there is a row for every slot.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.known == self.rows.len()
    }

    /// The slot's row.
    #[must_use]
    pub fn row(&self, slot: u16) -> Option<Row> {
        self.packed(slot).map(|packed| self.nodes.unpack(slot, packed))
    }

    /// The slot's owner.
    #[must_use]
    pub fn owner(&self, slot: u16) -> Option<Identity> {
        self.packed(slot).map(|packed| self.nodes.get(packed.owner))
    }

    /// The epoch of the slot's owner; 0 if the slot is not known.
    #[must_use]
    pub fn epoch(&self, slot: u16) -> u64 {
        self.packed(slot).map_or(0, |packed| packed.epoch)
    }

    /// What the owner's claim is worth.
    #[must_use]
    pub fn claim(&self, slot: u16) -> Option<Claim> {
        self.packed(slot).map(|packed| packed.claim)
    }

    /// The nodes that hold a copy of the slot in sync.
    pub fn copies(&self, slot: u16) -> impl Iterator<Item = Identity> {
        self.packed(slot).into_iter().flat_map(|packed| packed.copies()).map(|node| self.nodes.get(node))
    }

    /// The nodes that rows name, or have named.
    #[must_use]
    pub fn nodes(&self) -> &[Identity] {
        self.nodes.all()
    }

    /// The slot's owner and its copies as places in [`SlotTable::nodes`].
    pub fn places(&self, slot: u16) -> impl Iterator<Item = u16> {
        self.packed(slot).into_iter().flat_map(|packed| std::iter::once(packed.owner).chain(packed.copies()))
    }

    /// Every known slot with its owner.
    pub fn owners(&self) -> impl Iterator<Item = (u16, Identity)> {
        (0u16..)
            .zip(self.rows.iter())
            .filter_map(|(slot, row)| row.as_ref().map(|row| (slot, self.nodes.get(row.owner))))
    }

    /// Puts the row where it wins.
    pub fn merge(&mut self, row: &Row) -> Merged {
        let at = usize::from(row.slot);
        if at >= self.rows.len() || !order::is_sound(row) {
            return Merged::Stale;
        }
        let before = self.row(row.slot);
        match before.as_ref() {
            Some(before) if before == row => return Merged::Same,
            Some(before) if !order::supersedes(row, before) => return Merged::Stale,
            _ => {}
        }
        let Some(packed) = self.pack(row) else {
            return Merged::Stale;
        };
        match &before {
            Some(before) => self.digests.toggle(self.slots(), before),
            None => self.known += 1,
        }
        self.digests.toggle(self.slots(), row);
        self.rows[at] = Some(packed);
        Merged::Newer
    }

    /// The digests of the table's [`RANGES`] ranges.
    #[must_use]
    pub fn digests(&self) -> &[u64; RANGES] {
        self.digests.ranges()
    }

    /// One digest of the whole table.
    #[must_use]
    pub fn digest(&self) -> u64 {
        self.digests.whole()
    }

    /// The slots of a range.
    #[must_use]
    pub fn range(&self, range: usize) -> Range<u16> {
        digest::slots_of(self.slots(), range)
    }

    /// The rows of some slots, in as many batches as they need.
    #[must_use]
    pub fn batches(&self, slots: impl IntoIterator<Item = u16>) -> Vec<RowBatch> {
        RowBatch::of(slots.into_iter().filter_map(|slot| self.row(slot)))
    }

    fn packed(&self, slot: u16) -> Option<&Packed> {
        self.rows.get(usize::from(slot))?.as_ref()
    }

    /// Packs the row; where there is no number left for its nodes, those of nodes that no row names any more are used
    /// again.
    fn pack(&mut self, row: &Row) -> Option<Packed> {
        if let Some(packed) = self.nodes.pack(row) {
            return Some(packed);
        }
        let rows: Vec<Row> = (0..self.slots()).filter_map(|slot| self.row(slot)).collect();
        let mut nodes = Nodes::default();
        for kept in &rows {
            self.rows[usize::from(kept.slot)] = nodes.pack(kept);
        }
        self.nodes = nodes;
        self.nodes.pack(row)
    }
}

#[cfg(test)]
mod tests;
