//! Walking a hash.

use super::table::FieldTable;
use super::{Hash, Repr};
use crate::types::packed;

/// The fields of a hash that have not expired, with their values.
#[derive(Clone, Debug)]
pub struct HashIter<'a>(Walk<'a>);

#[derive(Clone, Debug)]
enum Walk<'a> {
    Packed(packed::Iter<'a>),
    Table { table: &'a FieldTable, next: usize, now_ms: u64 },
}

impl<'a> HashIter<'a> {
    pub(super) fn new(hash: &'a Hash, now_ms: u64) -> Self {
        Self(match &hash.0 {
            Repr::Packed(packed) => Walk::Packed(packed.iter()),
            Repr::Table(table) => Walk::Table { table, next: 0, now_ms },
        })
    }
}

impl<'a> Iterator for HashIter<'a> {
    type Item = (&'a [u8], &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Walk::Packed(packed) => Some((packed.next()?, packed.next()?)),
            Walk::Table { table, next, now_ms } => {
                while *next < table.total_len() {
                    *next += 1;
                    if let Some(pair) = table.at(*next - 1, *now_ms) {
                        return Some(pair);
                    }
                }
                None
            }
        }
    }
}
