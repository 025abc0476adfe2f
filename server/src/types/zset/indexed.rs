//! The indexed form: a table from member to score beside an ordered tree.
//!
//! Members live once, in a dense vector of slots; the hash index and the tree name them by slot number. Removing a member
//! moves the last slot into its place, so that the vector stays dense and a scan downwards never misses an element.

use std::ops::Range;

use hashbrown::HashTable;

use super::Upserted;
use super::compact::Compact;
use super::iter::entries_from;
use super::range::ScoreRange;
use super::tree::{ByScore, Entry, Tree};
use crate::types::bytestr::ByteStr;
use crate::types::indexed::hash_of;

/// Below this many slots the vector doubles as usual; above it grows by a quarter, to leave less unused.
const GENTLE_GROWTH_FROM: usize = 4096;
/// Tables that hold fewer members than this share of their capacity are shrunk.
const SHRINK_BELOW: usize = 4;

/// Marks a slot whose member is being removed; no slot has this number, since ids count from 0 to below it.
const GONE: u32 = u32::MAX;

#[derive(Clone, Debug)]
struct Slot {
    member: ByteStr,
    score: f64,
}

/// Entries of a large sorted set.
#[derive(Clone, Debug)]
pub(super) struct Indexed {
    slots: Vec<Slot>,
    index: HashTable<u32>,
    tree: Tree,
    /// What members that are too long for their slot own on the heap.
    member_heap_bytes: usize,
}

impl Indexed {
    /// The same entries in the indexed form, with room for one more.
    pub(super) fn from_compact(compact: &Compact) -> Self {
        let capacity = compact.len() + 1;
        let mut indexed = Self {
            slots: Vec::with_capacity(capacity),
            index: HashTable::with_capacity(capacity),
            tree: Tree::new(),
            member_heap_bytes: 0,
        };
        for (member, score) in compact.iter() {
            indexed.add(hash_of(member), member, score);
        }
        indexed
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn tree(&self) -> &Tree {
        &self.tree
    }

    pub(super) fn allocated_bytes(&self) -> usize {
        size_of::<Self>()
            + self.slots.capacity() * size_of::<Slot>()
            + self.index.allocation_size()
            + self.tree.allocated_bytes()
            + self.member_heap_bytes
    }

    /// The entry in a slot; slots are numbered from 0 without holes.
    pub(super) fn slot(&self, id: usize) -> Option<(&[u8], f64)> {
        self.slots.get(id).map(|slot| (slot.member.as_bytes(), slot.score))
    }

    pub(super) fn member(&self, id: u32) -> &[u8] {
        self.slots.get(id as usize).map_or(&[], |slot| slot.member.as_bytes())
    }

    fn find(&self, hash: u64, member: &[u8]) -> Option<u32> {
        self.index.find(hash, |&id| self.member(id) == member).copied()
    }

    pub(super) fn score(&self, member: &[u8]) -> Option<f64> {
        let id = self.find(hash_of(member), member)?;
        Some(self.slots[id as usize].score)
    }

    pub(super) fn upsert(&mut self, member: &[u8], decide: impl FnOnce(Option<f64>) -> Option<f64>) -> Upserted {
        let hash = hash_of(member);
        let found = self.find(hash, member);
        let old_score = found.map(|id| self.slots[id as usize].score);
        let Some(score) = decide(old_score).filter(|score| !score.is_nan()) else {
            return Upserted::Refused;
        };
        match (found, old_score) {
            (Some(id), Some(old_score)) if old_score != score => {
                self.move_entry(id, old_score, score);
                Upserted::Updated { old_score }
            }
            (Some(_), _) => Upserted::Unchanged,
            (None, _) => self.add(hash, member, score),
        }
    }

    /// Adds a member that is not present.
    fn add(&mut self, hash: u64, member: &[u8], score: f64) -> Upserted {
        // Ids are 32 bits wide; the tables of so many members would need more memory than any node has.
        let Some(id) = u32::try_from(self.slots.len()).ok().filter(|&id| id != GONE) else {
            return Upserted::Refused;
        };
        if self.slots.len() == self.slots.capacity() && self.slots.len() >= GENTLE_GROWTH_FROM {
            self.slots.reserve_exact(self.slots.len() / 4);
        }
        let member = ByteStr::new(member);
        self.member_heap_bytes += member.heap_bytes();
        self.slots.push(Slot { member, score });
        let slots = &self.slots;
        self.index.insert_unique(hash, id, |&other| hash_of(slots[other as usize].member.as_bytes()));
        self.link(id, score);
        Upserted::Added
    }

    fn link(&mut self, id: u32, score: f64) {
        let slots = &self.slots;
        let member = slots[id as usize].member.as_bytes();
        let before = ByScore { score, ties: |other: u32| slots[other as usize].member.as_bytes() < member };
        self.tree.insert(Entry { score, id }, &before);
    }

    fn unlink(&mut self, id: u32, score: f64) {
        let slots = &self.slots;
        let member = slots[id as usize].member.as_bytes();
        let upto =
            ByScore { score, ties: |other: u32| other == id || slots[other as usize].member.as_bytes() < member };
        self.tree.remove(&upto);
    }

    fn move_entry(&mut self, id: u32, old_score: f64, score: f64) {
        self.unlink(id, old_score);
        self.slots[id as usize].score = score;
        self.link(id, score);
    }

    pub(super) fn remove(&mut self, member: &[u8]) -> Option<f64> {
        let id = self.find(hash_of(member), member)?;
        self.remove_id(id).map(|slot| slot.1)
    }

    /// Removes the member in slot `id`; the last slot takes its place.
    pub(super) fn remove_id(&mut self, id: u32) -> Option<(ByteStr, f64)> {
        let score = self.slots.get(id as usize)?.score;
        self.unlink(id, score);
        let hash = hash_of(self.member(id));
        if let Ok(entry) = self.index.find_entry(hash, |&other| other == id) {
            entry.remove();
        }
        let last = self.slots.len() as u32 - 1;
        if last != id {
            self.rename(last, id);
        }
        let slot = self.slots.swap_remove(id as usize);
        self.member_heap_bytes -= slot.member.heap_bytes();
        self.shrink_if_sparse();
        Some((slot.member, slot.score))
    }

    /// Removes the entries at `ranks` in one pass over all: for many of them cheaper than one by one.
    ///
    /// Those that stay keep the order of their slots and only move down, so that a scan misses none of them.
    pub(super) fn remove_many(&mut self, ranks: Range<usize>, mut removed: impl FnMut(&[u8], f64)) {
        let mut entries: Vec<Entry> = entries_from(self, 0).collect();
        let mut new_ids = vec![0; self.slots.len()];
        for entry in entries.drain(ranks) {
            new_ids[entry.id as usize] = GONE;
            removed(self.member(entry.id), entry.score);
        }
        for (new_id, id) in (0..).zip(new_ids.iter_mut().filter(|id| **id != GONE)) {
            *id = new_id;
        }
        let mut old_ids = new_ids.iter();
        let heap_bytes = &mut self.member_heap_bytes;
        self.slots.retain(|slot| {
            let stays = old_ids.next().is_some_and(|id| *id != GONE);
            *heap_bytes -= if stays { 0 } else { slot.member.heap_bytes() };
            stays
        });
        self.index.retain(|id| {
            *id = new_ids[*id as usize];
            *id != GONE
        });
        entries.iter_mut().for_each(|entry| entry.id = new_ids[entry.id as usize]);
        self.tree = Tree::from_sorted(&entries);
        self.shrink_if_sparse();
    }

    /// Makes index and tree call the member in slot `from` by its future number.
    fn rename(&mut self, from: u32, to: u32) {
        let slots = &self.slots;
        let Slot { member, score } = &slots[from as usize];
        if let Some(id) = self.index.find_mut(hash_of(member.as_bytes()), |&other| other == from) {
            *id = to;
        }
        let upto =
            ByScore { score: *score, ties: |other: u32| other == from || slots[other as usize].member < *member };
        self.tree.renumber(&upto, to);
    }

    fn shrink_if_sparse(&mut self) {
        let len = self.slots.len();
        if len >= GENTLE_GROWTH_FROM / 4 && len < self.slots.capacity() / SHRINK_BELOW {
            self.slots.shrink_to(len * 2);
            let slots = &self.slots;
            self.index.shrink_to(len * 2, |&other| hash_of(slots[other as usize].member.as_bytes()));
        }
    }

    /// How many entries, in order, satisfy `before`, which must hold for a prefix.
    pub(super) fn partition_point(&self, before: impl Fn(&[u8], f64) -> bool) -> usize {
        self.tree.partition_point(&|score, id| before(self.member(id), score))
    }

    /// The ranks at which a range of scores starts and ends; members need no look.
    pub(super) fn score_bounds(&self, range: &ScoreRange) -> (usize, usize) {
        let start = ByScore { score: range.min, ties: |_| range.min_exclusive };
        let end = ByScore { score: range.max, ties: |_| !range.max_exclusive };
        (self.tree.partition_point(&start), self.tree.partition_point(&end))
    }

    pub(super) fn rank(&self, member: &[u8]) -> Option<(usize, f64)> {
        let id = self.find(hash_of(member), member)?;
        let score = self.slots[id as usize].score;
        let slots = &self.slots;
        let before = ByScore { score, ties: |other: u32| slots[other as usize].member.as_bytes() < member };
        let rank = self.tree.partition_point(&before);
        Some((rank, score))
    }
}
