//! Lists.
//!
//! A short list is one packed sequence; a long one is a queue of such chunks, each within the size that
//! `list_max_listpack_size` allows, or with a single larger element. A list that shrank to one chunk of half that
//! size becomes one packed sequence again.

mod iter;
mod quick;

pub use iter::{ListIter, ListIterBack};

use super::bytestr::ByteStr;
use super::limits::{ChunkLimit, EncodingLimits};
use super::packed::Packed;
use quick::Quick;

/// A list of byte strings.
#[derive(Clone, Debug)]
pub struct List(Repr);

#[derive(Clone, Debug)]
enum Repr {
    Packed(Packed),
    Quick(Box<Quick>),
}

const _: () = assert!(size_of::<List>() <= 24);

/// What [`List::positions`] looks for.
#[derive(Clone, Copy, Debug)]
pub struct PositionQuery {
    /// Which match is the first to count: 1 = the first from the head, -1 = the first from the tail. Zero counts as 1.
    pub rank: i64,
    /// Most matches to return; zero for all.
    pub count: usize,
    /// Most elements to compare; zero for all.
    pub max_len: usize,
}

impl Default for List {
    fn default() -> Self {
        Self::new()
    }
}

impl List {
    /// An empty list.
    #[must_use]
    pub const fn new() -> Self {
        Self(Repr::Packed(Packed::new()))
    }

    /// Number of elements.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        match &self.0 {
            Repr::Packed(packed) => packed.len(),
            Repr::Quick(quick) => quick.len(),
        }
    }

    /// Whether there are no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds an element before the first.
    #[inline]
    pub fn push_front(&mut self, value: &[u8], limits: &EncodingLimits) {
        let limit = limits.list_chunk();
        self.convert_for(value.len(), limit);
        match &mut self.0 {
            Repr::Packed(packed) => packed.push_front(value),
            Repr::Quick(quick) => quick.push_front(value, limit),
        }
    }

    /// Adds an element behind the last.
    #[inline]
    pub fn push_back(&mut self, value: &[u8], limits: &EncodingLimits) {
        let limit = limits.list_chunk();
        self.convert_for(value.len(), limit);
        match &mut self.0 {
            Repr::Packed(packed) => packed.push_back(value),
            Repr::Quick(quick) => quick.push_back(value, limit),
        }
    }

    /// The first element.
    #[must_use]
    pub fn front(&self) -> Option<&[u8]> {
        self.iter().next()
    }

    /// The last element.
    #[must_use]
    pub fn back(&self) -> Option<&[u8]> {
        self.iter_back().next()
    }

    /// Removes and returns the first element.
    pub fn pop_front(&mut self, limits: &EncodingLimits) -> Option<ByteStr> {
        let value = ByteStr::new(self.front()?);
        self.drop_front(1, limits);
        Some(value)
    }

    /// Removes and returns the last element.
    pub fn pop_back(&mut self, limits: &EncodingLimits) -> Option<ByteStr> {
        let value = ByteStr::new(self.back()?);
        self.drop_back(1, limits);
        Some(value)
    }

    /// Removes the first `count` elements: cheaper than popping them when their values were read already.
    pub fn drop_front(&mut self, count: usize, limits: &EncodingLimits) {
        match &mut self.0 {
            Repr::Packed(packed) => packed.drop_front(count),
            Repr::Quick(quick) => quick.drop_front(count),
        }
        self.convert_shrunk(limits.list_chunk().halved());
    }

    /// Removes the last `count` elements.
    pub fn drop_back(&mut self, count: usize, limits: &EncodingLimits) {
        match &mut self.0 {
            Repr::Packed(packed) => packed.drop_back(count),
            Repr::Quick(quick) => quick.drop_back(count),
        }
        self.convert_shrunk(limits.list_chunk().halved());
    }

    /// The element at `index` from the head; the caller resolves negative indexes.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        self.iter_from(index).next()
    }

    /// Replaces the element at `index`; whether there is one.
    pub fn set(&mut self, index: usize, value: &[u8], limits: &EncodingLimits) -> bool {
        if index >= self.len() {
            return false;
        }
        let limit = limits.list_chunk();
        self.convert_for(value.len(), limit);
        match &mut self.0 {
            Repr::Packed(packed) => packed.replace_at(packed.position(index), value),
            Repr::Quick(quick) => quick.set(index, value, limit),
        }
        self.convert_shrunk(limit.halved());
        true
    }

    /// Inserts before the element at `index`, or behind the last for any larger index.
    pub fn insert(&mut self, index: usize, value: &[u8], limits: &EncodingLimits) {
        let limit = limits.list_chunk();
        self.convert_for(value.len(), limit);
        match &mut self.0 {
            Repr::Packed(packed) => packed.insert_at(packed.position(index), value),
            Repr::Quick(quick) => quick.insert(index, value, limit),
        }
    }

    /// Inserts before or after the first element equal to `pivot`; whether there is one.
    pub fn insert_beside(&mut self, pivot: &[u8], after: bool, value: &[u8], limits: &EncodingLimits) -> bool {
        let Some(index) = self.iter().position(|element| element == pivot) else {
            return false;
        };
        self.insert(index + usize::from(after), value, limits);
        true
    }

    /// Removes elements equal to `value` and returns how many: all for a `count` of zero, else at most `|count|`, from
    /// the head if it is positive and from the tail if negative.
    pub fn remove(&mut self, count: i64, value: &[u8], limits: &EncodingLimits) -> usize {
        let limit = limits.list_chunk();
        let most = match count.unsigned_abs() {
            0 => usize::MAX,
            most => usize::try_from(most).unwrap_or(usize::MAX),
        };
        let removed = match &mut self.0 {
            Repr::Packed(packed) => remove_from(packed, value, most, count < 0),
            Repr::Quick(quick) => quick.remove(value, most, count < 0, limit),
        };
        if removed > 0 {
            self.convert_shrunk(limit.halved());
        }
        removed
    }

    /// Keeps the elements from `start` to `end` (inclusive, both from the head) and removes all others.
    pub fn trim(&mut self, start: usize, end: usize, limits: &EncodingLimits) {
        let len = self.len();
        let kept = end.saturating_add(1).min(len).saturating_sub(start);
        if kept == 0 {
            *self = Self::new();
            return;
        }
        self.drop_back(len - start - kept, limits);
        self.drop_front(start, limits);
    }

    /// Indexes of the elements equal to `value`, in the order in which they are met.
    #[must_use]
    pub fn positions(&self, value: &[u8], query: PositionQuery) -> Vec<usize> {
        let skipped = usize::try_from(query.rank.unsigned_abs()).unwrap_or(usize::MAX).saturating_sub(1);
        let all_if_zero = |number| if number == 0 { usize::MAX } else { number };
        let (count, max_len) = (all_if_zero(query.count), all_if_zero(query.max_len));
        let last = self.len().saturating_sub(1);
        if query.rank < 0 {
            let matches = self.iter_back().take(max_len).enumerate().filter(|(_, element)| *element == value);
            matches.skip(skipped).take(count).map(|(back, _)| last - back).collect()
        } else {
            let matches = self.iter().take(max_len).enumerate().filter(|(_, element)| *element == value);
            matches.skip(skipped).take(count).map(|(index, _)| index).collect()
        }
    }

    /// All elements from head to tail.
    #[must_use]
    pub fn iter(&self) -> ListIter<'_> {
        self.iter_from(0)
    }

    /// The elements from `index` to the tail.
    #[must_use]
    pub fn iter_from(&self, index: usize) -> ListIter<'_> {
        match &self.0 {
            Repr::Packed(packed) => ListIter::packed(packed, index),
            Repr::Quick(quick) => quick.iter_from(index),
        }
    }

    /// All elements from tail to head.
    #[must_use]
    pub fn iter_back(&self) -> ListIterBack<'_> {
        self.iter_back_from(usize::MAX)
    }

    /// The elements from `index` (or the last, if it is beyond) back to the head.
    #[must_use]
    pub fn iter_back_from(&self, index: usize) -> ListIterBack<'_> {
        match &self.0 {
            Repr::Packed(packed) => ListIterBack::packed(packed, index),
            Repr::Quick(quick) => quick.iter_back_from(index),
        }
    }

    /// Makes a list that was just built compact, if it is within the limits: after loading or sorting, where the half
    /// limit of shrinking lists does not apply.
    pub fn compact(&mut self, limits: &EncodingLimits) {
        self.convert_shrunk(limits.list_chunk());
    }

    /// Name of the encoding, as `OBJECT ENCODING` gives it.
    #[must_use]
    pub fn encoding(&self) -> &'static str {
        match &self.0 {
            Repr::Packed(_) => "listpack",
            Repr::Quick(_) => "quicklist",
        }
    }

    /// Heap bytes owned.
    #[must_use]
    pub fn memory_usage(&self) -> usize {
        match &self.0 {
            Repr::Packed(packed) => packed.memory_usage(),
            Repr::Quick(quick) => quick.memory_usage(),
        }
    }

    /// Becomes a queue of chunks if one more element of `added_bytes` would exceed the limit of one.
    #[inline]
    fn convert_for(&mut self, added_bytes: usize, limit: ChunkLimit) {
        if let Repr::Packed(packed) = &mut self.0
            && !limit.admits(packed.used_bytes().saturating_add(added_bytes), packed.len() + 1)
        {
            self.0 = Repr::Quick(Box::new(Quick::from_packed(std::mem::take(packed))));
        }
    }

    /// Becomes one packed sequence if it is a single chunk within the limit.
    #[inline]
    fn convert_shrunk(&mut self, limit: ChunkLimit) {
        if let Repr::Quick(quick) = &mut self.0
            && let Some(packed) = quick.take_single(limit)
        {
            self.0 = Repr::Packed(packed);
        }
    }
}

/// Removes up to `most` elements equal to `value` from one end of a packed sequence.
fn remove_from(packed: &mut Packed, value: &[u8], most: usize, from_tail: bool) -> usize {
    let kept = if from_tail && most < packed.len() {
        packed.iter().filter(|element| *element == value).count().saturating_sub(most)
    } else {
        0
    };
    packed.remove_matches(value, kept, most)
}

/// Lists are equal if their elements are, whatever their encoding.
impl PartialEq for List {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl Eq for List {}

#[cfg(test)]
mod tests;
