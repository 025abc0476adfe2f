//! Sorted sets.
//!
//! A small set is one flat allocation (`compact`); a large one a table of members beside an order-statistic tree
//! (`indexed`, `tree`), so that ranks, counts and ranges of any kind cost O(log n). Every range form is first turned
//! into a range of ranks, then read, counted or removed by rank.

mod compact;
mod indexed;
mod iter;
mod range;
#[cfg(test)]
mod tests;
mod tree;

use std::ops::Range;

pub use iter::Iter;
pub use range::{LexBound, LexRange, ScoreRange};

use super::limits::EncodingLimits;
use compact::{Compact, compare};
use indexed::Indexed;

/// Members with scores, ordered by score and then by member. A score is never NaN.
#[derive(Clone, Debug)]
pub struct ZSet(Repr);

#[derive(Clone, Debug)]
enum Repr {
    Compact(Compact),
    Indexed(Box<Indexed>),
}

/// Removing more than this share of a large set at once goes over all of it instead of searching for each member.
const BULK_REMOVAL_SHARE: usize = 16;

/// What [`ZSet::upsert`] did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Upserted {
    /// The member is new.
    Added,
    /// The member had another score.
    Updated {
        /// The score it had.
        old_score: f64,
    },
    /// The member had this score already.
    Unchanged,
    /// The caller wanted no change, or the score was NaN.
    Refused,
}

impl Default for ZSet {
    fn default() -> Self {
        Self::new()
    }
}

impl ZSet {
    /// An empty set, which allocates nothing.
    pub fn new() -> Self {
        Self(Repr::Compact(Compact::default()))
    }

    /// Members in the set.
    pub fn len(&self) -> usize {
        match &self.0 {
            Repr::Compact(compact) => compact.len(),
            Repr::Indexed(indexed) => indexed.len(),
        }
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The name of the current form, as OBJECT ENCODING tells it.
    pub fn encoding(&self) -> &'static str {
        match &self.0 {
            Repr::Compact(_) => "listpack",
            Repr::Indexed(_) => "skiplist",
        }
    }

    /// Bytes on the heap.
    pub fn memory_usage(&self) -> usize {
        match &self.0 {
            Repr::Compact(compact) => compact.allocated_bytes(),
            Repr::Indexed(indexed) => indexed.allocated_bytes(),
        }
    }

    /// The member's score.
    pub fn score(&self, member: &[u8]) -> Option<f64> {
        match &self.0 {
            Repr::Compact(compact) => compact.find(member).map(|found| found.score),
            Repr::Indexed(indexed) => indexed.score(member),
        }
    }

    /// Whether the member is in the set.
    pub fn contains(&self, member: &[u8]) -> bool {
        self.score(member).is_some()
    }

    /// Sets a member's score, whatever it was.
    pub fn insert(&mut self, member: &[u8], score: f64, limits: &EncodingLimits) -> Upserted {
        self.upsert(member, limits, |_| Some(score))
    }

    /// Sets a member's score to what `decide` makes of the present one, with a single lookup.
    ///
    /// `decide` gets `None` for a member that is not in the set, and answers `None` to leave everything as it is. A NaN
    /// is refused.
    pub fn upsert(
        &mut self,
        member: &[u8],
        limits: &EncodingLimits,
        decide: impl FnOnce(Option<f64>) -> Option<f64>,
    ) -> Upserted {
        let compact = match &mut self.0 {
            Repr::Indexed(indexed) => return indexed.upsert(member, decide),
            Repr::Compact(compact) => compact,
        };
        let found = compact.find(member);
        let Some(score) = decide(found.map(|found| found.score)).filter(|score| !score.is_nan()) else {
            return Upserted::Refused;
        };
        if let Some(found) = found {
            if found.score == score {
                return Upserted::Unchanged;
            }
            compact.remove(found);
            compact.insert(member, score);
            return Upserted::Updated { old_score: found.score };
        }
        let too_long = member.len() > limits.zset_max_listpack_value || u32::try_from(member.len()).is_err();
        if too_long || compact.len() >= limits.zset_max_listpack_entries {
            let mut indexed = Box::new(Indexed::from_compact(compact));
            let outcome = indexed.upsert(member, |_| Some(score));
            self.0 = Repr::Indexed(indexed);
            return outcome;
        }
        compact.insert(member, score);
        Upserted::Added
    }

    /// Returns to the compact form if the set fits it, as results of ZUNIONSTORE and the like do.
    pub fn compact_if_small(&mut self, limits: &EncodingLimits) {
        let Repr::Indexed(indexed) = &self.0 else {
            return;
        };
        if indexed.len() > limits.zset_max_listpack_entries {
            return;
        }
        let mut compact = Compact::default();
        for (member, score) in self.iter() {
            compact.insert(member, score);
        }
        if compact.max_member_bytes() <= limits.zset_max_listpack_value {
            self.0 = Repr::Compact(compact);
        }
    }

    /// Removes a member and returns its score.
    pub fn remove(&mut self, member: &[u8]) -> Option<f64> {
        match &mut self.0 {
            Repr::Compact(compact) => {
                let found = compact.find(member)?;
                compact.remove(found);
                Some(found.score)
            }
            Repr::Indexed(indexed) => indexed.remove(member),
        }
    }

    /// The member's position and score; positions count from 0 at the lowest score, or at the highest if `reverse`.
    pub fn rank(&self, member: &[u8], reverse: bool) -> Option<(usize, f64)> {
        let (rank, score) = match &self.0 {
            Repr::Compact(compact) => compact.find(member).map(|found| (found.rank, found.score))?,
            Repr::Indexed(indexed) => indexed.rank(member)?,
        };
        Some((if reverse { self.len() - 1 - rank } else { rank }, score))
    }

    /// All entries, ascending.
    pub fn iter(&self) -> Iter<'_> {
        self.range(0..self.len(), false)
    }

    /// The entries at `ranks`, which count from the lowest in either direction; `descending` yields the highest first.
    pub fn range(&self, ranks: Range<usize>, descending: bool) -> Iter<'_> {
        let end = ranks.end.min(self.len());
        let start = ranks.start.min(end);
        let count = end - start;
        match &self.0 {
            Repr::Compact(compact) if descending => Iter::compact_reversed(compact.iter(), start, count),
            Repr::Compact(compact) => Iter::compact_forward(compact.iter(), start, count),
            Repr::Indexed(indexed) => {
                let first = if descending { end.saturating_sub(1) } else { start };
                Iter::indexed(indexed, first, count, descending)
            }
        }
    }

    /// The ranks of the members whose scores lie in `range`; its length is their count.
    pub fn score_ranks(&self, range: &ScoreRange) -> Range<usize> {
        if range.is_empty() {
            return 0..0;
        }
        let (start, end) = match &self.0 {
            Repr::Compact(compact) => (
                compact.partition_point(|_, score| range.starts_after(score)),
                compact.partition_point(|_, score| !range.ends_before(score)),
            ),
            Repr::Indexed(indexed) => indexed.score_bounds(range),
        };
        start..end.max(start)
    }

    /// The ranks of the members in `range`; meaningful only if all scores are equal, as for ZRANGEBYLEX.
    pub fn lex_ranks(&self, range: &LexRange<'_>) -> Range<usize> {
        let (start, end) = match &self.0 {
            Repr::Compact(compact) => (
                compact.partition_point(|member, _| range.starts_after(member)),
                compact.partition_point(|member, _| !range.ends_before(member)),
            ),
            Repr::Indexed(indexed) => (
                indexed.partition_point(|member, _| range.starts_after(member)),
                indexed.partition_point(|member, _| !range.ends_before(member)),
            ),
        };
        start..end.max(start)
    }

    /// Removes the entries at `ranks` (from the lowest), gives each to `removed`, and returns how many there were.
    pub fn remove_ranks(&mut self, ranks: Range<usize>, mut removed: impl FnMut(&[u8], f64)) -> usize {
        let indexed = match &mut self.0 {
            Repr::Compact(compact) => return compact.remove_ranks(ranks, removed),
            Repr::Indexed(indexed) => indexed,
        };
        let count = ranks.end.min(indexed.len()).saturating_sub(ranks.start);
        if count == indexed.len() {
            self.iter().for_each(|(member, score)| removed(member, score));
            *self = Self::new();
            return count;
        }
        if count > indexed.len() / BULK_REMOVAL_SHARE {
            indexed.remove_many(ranks.start..ranks.start + count, removed);
            return count;
        }
        for _ in 0..count {
            let Some(id) = indexed.tree().id_at(ranks.start) else {
                break;
            };
            if let Some((member, score)) = indexed.remove_id(id) {
                removed(member.as_bytes(), score);
            }
        }
        count
    }

    /// Removes and returns the entry with the lowest score.
    pub fn pop_min(&mut self) -> Option<(Vec<u8>, f64)> {
        self.pop_rank(0)
    }

    /// Removes and returns the entry with the highest score.
    pub fn pop_max(&mut self) -> Option<(Vec<u8>, f64)> {
        self.pop_rank(self.len().checked_sub(1)?)
    }

    fn pop_rank(&mut self, rank: usize) -> Option<(Vec<u8>, f64)> {
        let mut popped = None;
        self.remove_ranks(rank..rank.checked_add(1)?, |member, score| popped = Some((member.to_vec(), score)));
        popped
    }

    /// Visits about `count` entries and returns the cursor to go on with, 0 at the end; the first cursor is 0.
    ///
    /// Every entry that stays in the set during a whole scan is visited at least once: the walk goes down the slots, and
    /// a removal only ever moves an entry down. A compact set is visited at once.
    pub fn scan(&self, cursor: u64, count: usize, mut visit: impl FnMut(&[u8], f64)) -> u64 {
        let Repr::Indexed(indexed) = &self.0 else {
            self.iter().for_each(|(member, score)| visit(member, score));
            return 0;
        };
        let from = match cursor {
            0 => indexed.len(),
            _ => usize::try_from(cursor).map_or(indexed.len(), |cursor| cursor.min(indexed.len())),
        };
        let to = from.saturating_sub(count.max(1));
        for id in (to..from).rev() {
            if let Some((member, score)) = indexed.slot(id) {
                visit(member, score);
            }
        }
        to as u64
    }

    /// A random entry.
    pub fn random(&self, rng: &mut fastrand::Rng) -> Option<(&[u8], f64)> {
        if self.is_empty() {
            return None;
        }
        self.nth_unordered(rng.usize(..self.len()))
    }

    /// Up to `count` different random entries, in random order.
    pub fn random_distinct(&self, count: usize, rng: &mut fastrand::Rng) -> Vec<(&[u8], f64)> {
        let len = self.len();
        let count = count.min(len);
        // Fisher and Yates's shuffle, stopped after `count` steps; when few are wanted, only the swaps are kept.
        let mut swapped = hashbrown::HashMap::new();
        let mut picked = Vec::with_capacity(count);
        let entries: Vec<_> = match &self.0 {
            Repr::Compact(compact) => compact.iter().collect(),
            Repr::Indexed(_) => Vec::new(),
        };
        for step in 0..count {
            let at = rng.usize(step..len);
            let chosen = swapped.get(&at).copied().unwrap_or(at);
            let displaced = swapped.get(&step).copied().unwrap_or(step);
            swapped.insert(at, displaced);
            picked.extend(entries.get(chosen).copied().or_else(|| self.nth_unordered(chosen)));
        }
        picked
    }

    /// The entry at a place of an arbitrary order that stands as long as the set is not changed.
    fn nth_unordered(&self, place: usize) -> Option<(&[u8], f64)> {
        match &self.0 {
            Repr::Compact(compact) => compact.iter().nth(place),
            Repr::Indexed(indexed) => indexed.slot(place),
        }
    }
}

impl PartialEq for ZSet {
    /// Equal members with equal scores, in whatever form.
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().zip(other.iter()).all(|(a, b)| compare((a.1, a.0), (b.1, b.0)).is_eq())
    }
}

impl<'a> IntoIterator for &'a ZSet {
    type Item = (&'a [u8], f64);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

const _: () = assert!(size_of::<ZSet>() <= 24);
