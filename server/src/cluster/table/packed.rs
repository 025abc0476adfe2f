//! Rows as a table keeps them: nodes by number, in 40 bytes.

use std::collections::HashMap;

use rondache_protocol::bus::identity::Identity;

use super::super::plane::{Claim, Row};

/// The most copies that a packed row holds.
pub(super) const COPIES_MAX: usize = 7;
/// Stands where a row has no further copy.
const NOBODY: u16 = u16::MAX;

/// A row without its slot, its nodes by their numbers in [`Nodes`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Packed {
    pub(super) epoch: u64,
    pub(super) claim: Claim,
    pub(super) version: u32,
    pub(super) owner: u16,
    copies: [u16; COPIES_MAX],
}

impl Packed {
    /// The numbers of the copies.
    pub(super) fn copies(&self) -> impl Iterator<Item = u16> {
        self.copies.into_iter().take_while(|node| *node != NOBODY)
    }
}

/// The lives that a table's rows name, by number. Bound: [`NOBODY`] of them.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    names: Vec<Identity>,
    numbers: HashMap<Identity, u16>,
}

impl Nodes {
    /// The node of a number that a packed row holds.
    pub(super) fn get(&self, number: u16) -> Identity {
        self.names[usize::from(number)]
    }

    /// All nodes, by their numbers.
    pub(super) fn all(&self) -> &[Identity] {
        &self.names
    }

    /// Packs a row of at most [`COPIES_MAX`] copies; `None`: there is no number left for one of its nodes.
    pub(super) fn pack(&mut self, row: &Row) -> Option<Packed> {
        let mut copies = [NOBODY; COPIES_MAX];
        for (place, copy) in copies.iter_mut().zip(&row.copies) {
            *place = self.number(*copy)?;
        }
        let owner = self.number(row.owner)?;
        Some(Packed { epoch: row.epoch, claim: row.claim, version: row.version, owner, copies })
    }

    /// The row that was packed.
    pub(super) fn unpack(&self, slot: u16, packed: &Packed) -> Row {
        Row {
            slot,
            epoch: packed.epoch,
            version: packed.version,
            claim: packed.claim,
            owner: self.get(packed.owner),
            copies: packed.copies().map(|node| self.get(node)).collect(),
        }
    }

    fn number(&mut self, node: Identity) -> Option<u16> {
        if let Some(number) = self.numbers.get(&node) {
            return Some(*number);
        }
        let number = u16::try_from(self.names.len()).ok().filter(|number| *number != NOBODY)?;
        self.names.push(node);
        self.numbers.insert(node, number);
        Some(number)
    }
}
