//! Sets.
//!
//! A set starts as sorted integers, becomes a packed sequence when a short text joins a few of them, and a table with
//! an index when it outgrows the limits. It never converts back, so that a scan's cursor stays valid.

mod intset;
mod iter;

pub use iter::SetIter;

use super::bytestr::ByteStr;
use super::indexed::IndexedTable;
use super::item::Item;
use super::limits::EncodingLimits;
use super::packed::Packed;
use super::sample::distinct_indexes;
use intset::{IntSet, parse_canonical};

/// A set of byte strings.
#[derive(Clone, Debug)]
pub struct Set(Repr);

#[derive(Clone, Debug)]
enum Repr {
    Ints(IntSet),
    Packed(Packed),
    Table(Box<IndexedTable<ByteStr>>),
}

const _: () = assert!(size_of::<Set>() <= 24);

impl Default for Set {
    fn default() -> Self {
        Self::new()
    }
}

impl Set {
    /// An empty set.
    #[must_use]
    pub fn new() -> Self {
        Self(Repr::Ints(IntSet::default()))
    }

    /// Number of members.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        match &self.0 {
            Repr::Ints(ints) => ints.len(),
            Repr::Packed(packed) => packed.len(),
            Repr::Table(table) => table.len(),
        }
    }

    /// Whether there are no members.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether `member` is in the set.
    #[must_use]
    #[inline]
    pub fn contains(&self, member: &[u8]) -> bool {
        match &self.0 {
            Repr::Ints(ints) => parse_canonical(member).is_some_and(|number| ints.contains(number)),
            Repr::Packed(packed) => packed.find(member, 1).is_some(),
            Repr::Table(table) => table.contains(member),
        }
    }

    /// Whether an item of another set is in this one.
    #[must_use]
    pub fn contains_item(&self, item: Item<'_>) -> bool {
        match (&self.0, item) {
            (Repr::Ints(ints), Item::Int(number)) => ints.contains(number),
            _ => self.contains(item.as_bytes(&mut itoa::Buffer::new())),
        }
    }

    /// Adds `member`; whether it is new.
    #[inline]
    pub fn add(&mut self, member: &[u8], limits: &EncodingLimits) -> bool {
        match &mut self.0 {
            Repr::Table(table) => table.find_or_insert_with(member, || ByteStr::new(member)).1,
            Repr::Packed(_) => self.add_packed(member, limits),
            Repr::Ints(_) => self.add_to_ints(member, limits),
        }
    }

    fn add_packed(&mut self, member: &[u8], limits: &EncodingLimits) -> bool {
        if let Repr::Packed(packed) = &mut self.0 {
            if packed.find(member, 1).is_some() {
                return false;
            }
            if fits_packed(packed.len(), member.len(), limits) && packed.is_safe_to_add(member.len()) {
                packed.push_back(member);
                return true;
            }
        }
        self.become_table().find_or_insert_with(member, || ByteStr::new(member)).1
    }

    fn add_to_ints(&mut self, member: &[u8], limits: &EncodingLimits) -> bool {
        let Repr::Ints(ints) = &mut self.0 else {
            return false;
        };
        let admits_ints = limits.set_max_intset_entries > 0 || ints.len() > 0;
        if let Some(number) = parse_canonical(member).filter(|_| admits_ints) {
            let is_new = ints.insert(number);
            if ints.len() > limits.set_max_intset_entries {
                self.become_table();
            }
            return is_new;
        }
        let mut digits = itoa::Buffer::new();
        let ends = [ints.get(0), ints.len().checked_sub(1).and_then(|last| ints.get(last))];
        let longest = ends.into_iter().flatten().map(|number| digits.format(number).len()).max().unwrap_or(0);
        if fits_packed(ints.len(), member.len().max(longest), limits) {
            let mut packed = Packed::new();
            for number in ints.iter() {
                packed.push_back(digits.format(number).as_bytes());
            }
            packed.push_back(member);
            self.0 = Repr::Packed(packed);
            return true;
        }
        self.become_table().find_or_insert_with(member, || ByteStr::new(member)).1
    }

    /// Converts to a table, if it is none yet.
    fn become_table(&mut self) -> &mut IndexedTable<ByteStr> {
        if !matches!(self.0, Repr::Table(_)) {
            let mut table = IndexedTable::with_capacity(self.len() + 1);
            let mut digits = itoa::Buffer::new();
            for item in self.iter() {
                let member = item.as_bytes(&mut digits);
                table.find_or_insert_with(member, || ByteStr::new(member));
            }
            self.0 = Repr::Table(Box::new(table));
        }
        match &mut self.0 {
            Repr::Table(table) => table,
            _ => unreachable!("the set was just made a table"),
        }
    }

    /// Removes `member`; whether it was there.
    pub fn remove(&mut self, member: &[u8]) -> bool {
        match &mut self.0 {
            Repr::Ints(ints) => parse_canonical(member).is_some_and(|number| ints.remove(number)),
            Repr::Packed(packed) => {
                let found = packed.find(member, 1);
                found.inspect(|&at| packed.remove_at(at, 1)).is_some()
            }
            Repr::Table(table) => table.swap_remove(member).is_some(),
        }
    }

    /// The member at `index` of the set's own order, which any removal may change.
    #[must_use]
    pub fn at(&self, index: usize) -> Option<Item<'_>> {
        match &self.0 {
            Repr::Ints(ints) => ints.get(index).map(Item::Int),
            Repr::Packed(packed) => packed.get(index).map(Item::Bytes),
            Repr::Table(table) => table.at(index).map(|member| Item::Bytes(member)),
        }
    }

    /// All members. A set built again by adding them in this order keeps the cursors of scans valid.
    #[must_use]
    pub fn iter(&self) -> SetIter<'_> {
        SetIter::new(self)
    }

    /// A random member.
    pub fn random(&self, rng: &mut fastrand::Rng) -> Option<Item<'_>> {
        if self.is_empty() {
            return None;
        }
        self.at(rng.usize(..self.len()))
    }

    /// `count` distinct random members, all of them if there are no more.
    pub fn random_distinct(&self, rng: &mut fastrand::Rng, count: usize) -> Vec<Item<'_>> {
        let indexes = distinct_indexes(rng, self.len(), count);
        if let Repr::Packed(packed) = &self.0 {
            let mut wanted = indexes.into_iter().peekable();
            let chosen = packed.iter().enumerate().filter(|(index, _)| wanted.next_if_eq(index).is_some());
            return chosen.map(|(_, member)| Item::Bytes(member)).collect();
        }
        indexes.into_iter().filter_map(|index| self.at(index)).collect()
    }

    /// Removes and returns a random member.
    pub fn pop_random(&mut self, rng: &mut fastrand::Rng) -> Option<ByteStr> {
        if self.is_empty() {
            return None;
        }
        let index = rng.usize(..self.len());
        match &mut self.0 {
            Repr::Table(table) => table.swap_remove_at(index).map(|removed| removed.entry),
            Repr::Ints(ints) => {
                let number = ints.get(index)?;
                ints.remove(number);
                Some(ByteStr::new(itoa::Buffer::new().format(number).as_bytes()))
            }
            Repr::Packed(packed) => {
                let at = packed.position(index);
                let member = ByteStr::new(packed.entry_at(at)?.0);
                packed.remove_at(at, 1);
                Some(member)
            }
        }
    }

    /// Visits some members, about `count`, and returns the cursor to go on with, 0 at the end; 0 also starts.
    ///
    /// A member that is present from the first call to the last is visited at least once. Compact sets are visited
    /// whole at once.
    pub fn scan(&self, cursor: u64, count: usize, mut visit: impl FnMut(Item<'_>)) -> u64 {
        match &self.0 {
            Repr::Table(table) => table.scan(cursor, count, |_, member| visit(Item::Bytes(member))),
            _ => {
                self.iter().for_each(visit);
                0
            }
        }
    }

    /// Name of the encoding, as `OBJECT ENCODING` gives it.
    #[must_use]
    pub fn encoding(&self) -> &'static str {
        match &self.0 {
            Repr::Ints(_) => "intset",
            Repr::Packed(_) => "listpack",
            Repr::Table(_) => "hashtable",
        }
    }

    /// Heap bytes owned.
    #[must_use]
    pub fn memory_usage(&self) -> usize {
        match &self.0 {
            Repr::Ints(ints) => ints.memory_usage(),
            Repr::Packed(packed) => packed.memory_usage(),
            Repr::Table(table) => size_of::<IndexedTable<ByteStr>>() + table.memory_usage(),
        }
    }
}

/// Whether a packed set of `len` members may take one more of `bytes`.
fn fits_packed(len: usize, bytes: usize, limits: &EncodingLimits) -> bool {
    len < limits.set_max_listpack_entries && bytes <= limits.set_max_listpack_value
}

/// Sets are equal if they have the same members, whatever their encoding.
impl PartialEq for Set {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().all(|member| other.contains_item(member))
    }
}

impl Eq for Set {}

#[cfg(test)]
mod tests;
