//! The nodes that may get slots, as slots meet them on the ring, and how slots are dealt out to them.

use std::{cmp::Reverse, collections::BinaryHeap};

use crate::cluster::ring::{Point, Ring, first_at, position_of};

/// Things to be dealt out: slots that need an owner, copies that need a place.
pub(super) trait Items {
    /// The slot that the item is about.
    fn slot(&self, item: u32) -> u16;
    /// Whether the item has to go (still), or may stay where it is.
    fn must_go(&self, item: u32) -> bool;
    /// The keys of the takers that must not have the item.
    fn barred_keys(&self, item: u32, keys: &mut Vec<u16>);
    /// Gives the item to a node.
    fn give(&mut self, item: u32, node: u16);
}

/// Nodes with room, on a ring of their own.
///
/// Each has a *key*; an item may bar some keys. The key is the node itself, or its zone where holders of a slot should
/// be in different ones.
pub(super) struct Takers<'a> {
    points: Vec<Point>,
    /// For each point the one to look at next when its node is full; shortened as it is used.
    next: Vec<u32>,
    room: Vec<u32>,
    keys: &'a [u16],
    /// The keys of the nodes with room, and how many nodes have each.
    open_keys: Vec<u16>,
    key_use: Vec<u32>,
}

impl<'a> Takers<'a> {
    /// `room` and `keys` are per node of the ring.
    pub(super) fn new(ring: &Ring, room: Vec<u32>, keys: &'a [u16]) -> Self {
        let has_room = |point: &&Point| room[usize::from(point.node)] > 0;
        let points: Vec<Point> = ring.points().iter().filter(has_room).copied().collect();
        let count = points.len() as u32;
        let next = (1..count).chain([0]).take(points.len()).collect();
        let mut key_use = vec![0; keys.len()];
        let mut open_keys = Vec::new();
        for (key, _) in keys.iter().zip(&room).filter(|(_, room)| **room > 0) {
            let uses: &mut u32 = &mut key_use[usize::from(*key)];
            *uses += 1;
            if *uses == 1 {
                open_keys.push(*key);
            }
        }
        Self { points, next, room, keys, open_keys, key_use }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open_keys.is_empty()
    }

    /// Deals out items: always the one that stands nearest to a taker goes next. Returns those that nobody could take.
    pub(super) fn deal(&mut self, items: &mut impl Items, queue: Vec<u32>) -> Vec<u32> {
        if self.is_empty() {
            return queue;
        }
        let mut left = Vec::new();
        let mut barred = Vec::new();
        let mut heap = BinaryHeap::with_capacity(queue.len());
        for item in queue {
            items.barred_keys(item, &mut barred);
            let slot_at = position_of(items.slot(item));
            match self.seek(first_at(&self.points, slot_at) % self.points.len(), &barred) {
                Some(point) => heap.push(self.bid(slot_at, item, point)),
                None => left.push(item),
            }
        }
        while let Some(Reverse((_, item, point))) = heap.pop() {
            if !items.must_go(item) {
                continue;
            }
            // Since it was queued, the taker may have become full, or a holder of the same slot.
            items.barred_keys(item, &mut barred);
            let node = self.points[point].node;
            if self.room[usize::from(node)] > 0 && !barred.contains(&self.keys[usize::from(node)]) {
                self.fill(node);
                items.give(item, node);
                continue;
            }
            match self.seek(point, &barred) {
                Some(point) => heap.push(self.bid(position_of(items.slot(item)), item, point)),
                None => left.push(item),
            }
        }
        left.sort_unstable();
        left
    }

    /// An item with the point where it would go, nearest first.
    fn bid(&self, slot_at: u64, item: u32, point: usize) -> Reverse<(u64, u32, usize)> {
        Reverse((self.points[point].position.wrapping_sub(slot_at), item, point))
    }

    /// The first point at or behind `point`, around the circle, whose node has room and is not barred.
    fn seek(&mut self, point: usize, barred: &[u16]) -> Option<usize> {
        // Ends: some node with room has a key that is not barred, and at most `barred.len()` keys are passed over.
        self.open_keys.iter().find(|key| !barred.contains(key))?;
        let mut point = self.with_room(point);
        while barred.contains(&self.keys[usize::from(self.points[point].node)]) {
            point = self.with_room(self.next_of(point));
        }
        Some(point)
    }

    /// The first point at or behind `point` whose node has room; some node has.
    fn with_room(&mut self, point: usize) -> usize {
        let is_full = |takers: &Self, point: usize| takers.room[usize::from(takers.points[point].node)] == 0;
        let mut found = point;
        while is_full(self, found) {
            found = self.next[found] as usize;
        }
        // Whoever comes here again goes straight on.
        let mut passed = point;
        while is_full(self, passed) {
            passed = std::mem::replace(&mut self.next[passed], found as u32) as usize;
        }
        found
    }

    fn next_of(&self, point: usize) -> usize {
        (point + 1) % self.points.len()
    }

    /// Takes one slot's room of a node.
    fn fill(&mut self, node: u16) {
        let room = &mut self.room[usize::from(node)];
        *room -= 1;
        if *room > 0 {
            return;
        }
        let key = self.keys[usize::from(node)];
        let uses = &mut self.key_use[usize::from(key)];
        *uses -= 1;
        if *uses == 0 {
            self.open_keys.retain(|open| *open != key);
        }
    }
}
