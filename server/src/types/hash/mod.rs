//! Hashes, with optional deadlines per field.
//!
//! A small hash is one packed sequence of fields and values in turn; one that outgrows the limits, or whose fields
//! get deadlines, is a table with an index, for good, so that a scan's cursor stays valid.
//!
//! A field whose deadline has passed is hidden from every read at once, and stays in memory until
//! [`Hash::take_expired`] or a write removes it.

mod deadlines;
mod iter;
mod pair;
mod table;

pub use iter::HashIter;

use super::bytestr::ByteStr;
use super::limits::EncodingLimits;
use super::packed::Packed;
use super::sample::distinct_indexes;
use table::FieldTable;

/// A map from fields to values.
#[derive(Clone, Debug)]
pub struct Hash(Repr);

#[derive(Clone, Debug)]
enum Repr {
    Packed(Packed),
    Table(Box<FieldTable>),
}

const _: () = assert!(size_of::<Hash>() <= 24);

/// A field with its value.
pub type FieldValue<'a> = (&'a [u8], &'a [u8]);

/// When a field expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldDeadline {
    /// There is no such field.
    Missing,
    /// The field has no deadline.
    Unset,
    /// The field expires at this unix time in milliseconds.
    At(u64),
}

/// How often a random pick may hit an expired field before the live ones are listed.
const RANDOM_TRIES: usize = 16;

impl Default for Hash {
    fn default() -> Self {
        Self::new()
    }
}

impl Hash {
    /// An empty hash.
    #[must_use]
    pub const fn new() -> Self {
        Self(Repr::Packed(Packed::new()))
    }

    /// Number of fields that have not expired.
    #[must_use]
    #[inline]
    pub fn len(&self, now_ms: u64) -> usize {
        match &self.0 {
            Repr::Packed(packed) => packed.len() / 2,
            Repr::Table(table) => table.total_len() - table.expired_len(now_ms),
        }
    }

    /// Number of fields in memory, expired ones included: what counts for deleting an empty key.
    #[must_use]
    #[inline]
    pub fn total_len(&self) -> usize {
        match &self.0 {
            Repr::Packed(packed) => packed.len() / 2,
            Repr::Table(table) => table.total_len(),
        }
    }

    /// Value of `field`.
    #[must_use]
    #[inline]
    pub fn get(&self, field: &[u8], now_ms: u64) -> Option<&[u8]> {
        match &self.0 {
            Repr::Packed(packed) => {
                let (_, behind) = packed.entry_at(packed.find(field, 2)?)?;
                packed.entry_at(behind).map(|(value, _)| value)
            }
            Repr::Table(table) => table.get(field, now_ms),
        }
    }

    /// Whether there is such a field.
    #[must_use]
    pub fn contains(&self, field: &[u8], now_ms: u64) -> bool {
        self.get(field, now_ms).is_some()
    }

    /// Sets a field's value and removes its deadline; whether the field is new.
    #[inline]
    pub fn insert(&mut self, field: &[u8], value: &[u8], now_ms: u64, limits: &EncodingLimits) -> bool {
        self.put(field, value, false, now_ms, limits)
    }

    /// Sets a field's value and keeps its deadline; whether the field is new.
    pub fn insert_keeping_deadline(
        &mut self,
        field: &[u8],
        value: &[u8],
        now_ms: u64,
        limits: &EncodingLimits,
    ) -> bool {
        self.put(field, value, true, now_ms, limits)
    }

    #[inline]
    fn put(&mut self, field: &[u8], value: &[u8], keeps: bool, now_ms: u64, limits: &EncodingLimits) -> bool {
        match &mut self.0 {
            Repr::Table(table) => table.insert(field, value, keeps, now_ms),
            Repr::Packed(packed) => {
                let longest = field.len().max(value.len());
                let is_safe = packed.is_safe_to_add(field.len().saturating_add(value.len()));
                if longest > limits.hash_max_listpack_value || !is_safe {
                    return self.become_table().insert(field, value, keeps, now_ms);
                }
                let is_new = put_packed(packed, field, value);
                if packed.len() / 2 > limits.hash_max_listpack_entries {
                    self.become_table();
                }
                is_new
            }
        }
    }

    /// Converts to a table, if it is none yet.
    fn become_table(&mut self) -> &mut FieldTable {
        if !matches!(self.0, Repr::Table(_)) {
            let mut table = FieldTable::with_capacity(self.total_len() + 1);
            for (field, value) in self.iter(0) {
                table.insert(field, value, false, 0);
            }
            self.0 = Repr::Table(Box::new(table));
        }
        match &mut self.0 {
            Repr::Table(table) => table,
            Repr::Packed(_) => unreachable!("the hash was just made a table"),
        }
    }

    /// Removes a field; whether it was there and had not expired.
    pub fn remove(&mut self, field: &[u8], now_ms: u64) -> bool {
        match &mut self.0 {
            Repr::Packed(packed) => {
                let found = packed.find(field, 2);
                found.inspect(|&at| packed.remove_at(at, 2)).is_some()
            }
            Repr::Table(table) => table.remove(field, now_ms),
        }
    }

    /// All fields that have not expired, with their values.
    #[must_use]
    pub fn iter(&self, now_ms: u64) -> HashIter<'_> {
        HashIter::new(self, now_ms)
    }

    /// All fields in memory, expired ones included, with their deadlines. A hash built again by inserting them in this
    /// order keeps the cursors of scans valid.
    pub fn iter_with_deadlines(&self) -> impl Iterator<Item = (&[u8], &[u8], Option<u64>)> {
        let (packed, table) = match &self.0 {
            Repr::Packed(_) => (Some(self.iter(0)), None),
            Repr::Table(table) => (None, Some(table)),
        };
        let packed = packed.into_iter().flatten().map(|(field, value)| (field, value, None));
        let indexes = 0..table.map_or(0, |table| table.total_len());
        packed.chain(indexes.filter_map(move |index| table?.at_with_deadline(index)))
    }

    /// A random field that has not expired, with its value.
    pub fn random(&self, rng: &mut fastrand::Rng, now_ms: u64) -> Option<FieldValue<'_>> {
        let total = self.total_len();
        if total == 0 {
            return None;
        }
        match &self.0 {
            Repr::Packed(packed) => {
                let mut pair = packed.iter_from(2 * rng.usize(..total));
                Some((pair.next()?, pair.next()?))
            }
            Repr::Table(table) => {
                let quick = (0..RANDOM_TRIES).find_map(|_| table.at(rng.usize(..total), now_ms));
                quick.or_else(|| {
                    let live: Vec<_> = self.iter(now_ms).collect();
                    rng.choice(live)
                })
            }
        }
    }

    /// `count` distinct random fields that have not expired, with their values; all of them if there are no more.
    pub fn random_distinct(&self, rng: &mut fastrand::Rng, count: usize, now_ms: u64) -> Vec<FieldValue<'_>> {
        let len = self.len(now_ms);
        let indexes = distinct_indexes(rng, len, count);
        match &self.0 {
            Repr::Table(table) if len == table.total_len() => {
                indexes.into_iter().filter_map(|index| table.at(index, now_ms)).collect()
            }
            _ => {
                let mut wanted = indexes.into_iter().peekable();
                let pairs = self.iter(now_ms).enumerate();
                pairs.filter(|(index, _)| wanted.next_if_eq(index).is_some()).map(|(_, pair)| pair).collect()
            }
        }
    }

    /// Visits some fields, about `count`, and returns the cursor to go on with, 0 at the end; 0 also starts.
    ///
    /// A field that is present from the first call to the last is visited at least once. Compact hashes are visited
    /// whole at once.
    pub fn scan(&self, cursor: u64, count: usize, now_ms: u64, mut visit: impl FnMut(&[u8], &[u8])) -> u64 {
        match &self.0 {
            Repr::Table(table) => table.scan(cursor, count, now_ms, visit),
            Repr::Packed(_) => {
                self.iter(now_ms).for_each(|(field, value)| visit(field, value));
                0
            }
        }
    }

    /// When `field` expires.
    #[must_use]
    pub fn deadline(&self, field: &[u8], now_ms: u64) -> FieldDeadline {
        match &self.0 {
            Repr::Packed(packed) if packed.find(field, 2).is_some() => FieldDeadline::Unset,
            Repr::Packed(_) => FieldDeadline::Missing,
            Repr::Table(table) => match table.find(field, now_ms) {
                Some(index) => table.deadline(index).map_or(FieldDeadline::Unset, FieldDeadline::At),
                None => FieldDeadline::Missing,
            },
        }
    }

    /// Makes `field` expire at `deadline_ms` (unix); whether there is such a field.
    pub fn set_deadline(&mut self, field: &[u8], deadline_ms: u64, now_ms: u64) -> bool {
        if !self.contains(field, now_ms) {
            return false;
        }
        let table = self.become_table();
        if let Some(index) = table.find(field, now_ms) {
            table.set_deadline(index, deadline_ms);
        }
        true
    }

    /// Takes the deadline of `field` away; returns what it was.
    pub fn persist(&mut self, field: &[u8], now_ms: u64) -> FieldDeadline {
        let deadline = self.deadline(field, now_ms);
        if let (FieldDeadline::At(_), Repr::Table(table)) = (deadline, &mut self.0)
            && let Some(index) = table.find(field, now_ms)
        {
            table.clear_deadline(index);
        }
        deadline
    }

    /// Removes up to `limit` expired fields, the one that expired first leading, and returns them.
    pub fn take_expired(&mut self, now_ms: u64, limit: usize) -> Vec<ByteStr> {
        let mut fields = Vec::new();
        if let Repr::Table(table) = &mut self.0 {
            table.take_expired(now_ms, limit, |field| fields.push(ByteStr::new(field)));
        }
        fields
    }

    /// Whether a field has expired that is still in memory.
    #[must_use]
    #[inline]
    pub fn has_expired(&self, now_ms: u64) -> bool {
        self.earliest_deadline().is_some_and(|deadline_ms| deadlines::has_passed(deadline_ms, now_ms))
    }

    /// The earliest deadline of any field (unix, ms), passed or not.
    #[must_use]
    #[inline]
    pub fn earliest_deadline(&self) -> Option<u64> {
        match &self.0 {
            Repr::Packed(_) => None,
            Repr::Table(table) => table.earliest_deadline(),
        }
    }

    /// Number of fields that have a deadline, passed or not.
    #[must_use]
    pub fn deadline_count(&self) -> usize {
        match &self.0 {
            Repr::Packed(_) => 0,
            Repr::Table(table) => table.deadline_count(),
        }
    }

    /// Name of the encoding, as `OBJECT ENCODING` gives it.
    #[must_use]
    pub fn encoding(&self) -> &'static str {
        match &self.0 {
            Repr::Packed(_) => "listpack",
            Repr::Table(_) => "hashtable",
        }
    }

    /// Heap bytes owned.
    #[must_use]
    pub fn memory_usage(&self) -> usize {
        match &self.0 {
            Repr::Packed(packed) => packed.memory_usage(),
            Repr::Table(table) => table.memory_usage(),
        }
    }
}

/// Sets a field of a packed hash; whether it is new.
fn put_packed(packed: &mut Packed, field: &[u8], value: &[u8]) -> bool {
    let old = packed.find(field, 2).and_then(|at| packed.entry_at(at));
    if let Some((_, value_at)) = old {
        packed.replace_at(value_at, value);
        return false;
    }
    packed.push_back(field);
    packed.push_back(value);
    true
}

/// Hashes are equal if they have the same fields, values and deadlines, whatever their encoding.
impl PartialEq for Hash {
    fn eq(&self, other: &Self) -> bool {
        self.total_len() == other.total_len()
            && self.deadline_count() == other.deadline_count()
            && self.iter_with_deadlines().all(|(field, value, deadline_ms)| {
                let deadline = deadline_ms.map_or(FieldDeadline::Unset, FieldDeadline::At);
                other.get(field, 0) == Some(value) && other.deadline(field, 0) == deadline
            })
    }
}

impl Eq for Hash {}

#[cfg(test)]
mod tests;
