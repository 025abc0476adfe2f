//! Iteration in order, from any rank, in either direction.

use super::compact::CompactIter;
use super::indexed::Indexed;
use super::tree::{Entry, Inner, Leaf, Node};

/// Entries of a sorted set as (member, score).
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    source: Source<'a>,
    remaining: usize,
}

#[derive(Clone, Debug)]
enum Source<'a> {
    Forward(CompactIter<'a>),
    /// Entries can only be walked forwards; a small set is gathered and turned around.
    Reversed(std::iter::Rev<std::vec::IntoIter<(&'a [u8], f64)>>),
    Tree(TreeWalk<'a>),
}

impl<'a> Iter<'a> {
    /// `count` entries from `rank` (counted from the lowest), ascending.
    pub(super) fn compact_forward(mut entries: CompactIter<'a>, rank: usize, count: usize) -> Self {
        if let Some(skipped) = rank.checked_sub(1) {
            entries.nth(skipped);
        }
        Self { source: Source::Forward(entries), remaining: count }
    }

    /// The same entries, descending.
    pub(super) fn compact_reversed(entries: CompactIter<'a>, rank: usize, count: usize) -> Self {
        let gathered: Vec<_> = entries.skip(rank).take(count).collect();
        Self { source: Source::Reversed(gathered.into_iter().rev()), remaining: count }
    }

    /// `count` entries starting with the one at `rank`, upwards or downwards.
    pub(super) fn indexed(set: &'a Indexed, rank: usize, count: usize, descending: bool) -> Self {
        let walk = TreeWalk::new(set, rank, descending);
        Self { source: Source::Tree(walk), remaining: count }
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a [u8], f64);

    fn next(&mut self) -> Option<Self::Item> {
        self.remaining = self.remaining.checked_sub(1)?;
        match &mut self.source {
            Source::Forward(entries) => entries.next(),
            Source::Reversed(entries) => entries.next(),
            Source::Tree(walk) => walk.next(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.remaining, Some(self.remaining))
    }
}

impl ExactSizeIterator for Iter<'_> {}

/// The entries of an indexed set from `rank` on, ascending.
pub(super) fn entries_from(set: &Indexed, rank: usize) -> impl Iterator<Item = Entry> {
    let mut walk = TreeWalk::new(set, rank, false);
    std::iter::from_fn(move || walk.next_entry())
}

/// A walk from leaf to leaf; the stack holds the way down to the current one.
#[derive(Clone, Debug)]
struct TreeWalk<'a> {
    set: &'a Indexed,
    stack: Vec<(&'a Inner, usize)>,
    leaf: Option<&'a Leaf>,
    /// Place in the leaf of the next entry.
    at: usize,
    descending: bool,
}

impl<'a> TreeWalk<'a> {
    fn new(set: &'a Indexed, rank: usize, descending: bool) -> Self {
        let mut walk = Self { set, stack: Vec::new(), leaf: None, at: 0, descending };
        if rank >= set.len() {
            return walk;
        }
        let (mut node, mut rest) = (set.tree().root(), rank);
        loop {
            match node {
                Node::Leaf(leaf) => {
                    walk.leaf = Some(leaf);
                    walk.at = rest;
                    return walk;
                }
                Node::Inner(inner) => {
                    let (index, below) = inner.child_at(rest);
                    rest -= below;
                    let Some(child) = inner.children().get(index) else {
                        return walk;
                    };
                    walk.stack.push((inner, index));
                    node = child;
                }
            }
        }
    }

    fn next(&mut self) -> Option<(&'a [u8], f64)> {
        let entry = self.next_entry()?;
        Some((self.set.member(entry.id), entry.score))
    }

    fn next_entry(&mut self) -> Option<Entry> {
        let leaf = self.leaf?;
        let entry = leaf.get(self.at);
        if self.descending {
            match self.at.checked_sub(1) {
                Some(at) => self.at = at,
                None => self.next_leaf(),
            }
        } else {
            self.at += 1;
            if self.at == leaf.len() {
                self.next_leaf();
            }
        }
        Some(entry)
    }

    /// Climbs until there is a neighbour in the walk's direction, then descends along its near edge.
    fn next_leaf(&mut self) {
        self.leaf = None;
        while let Some((inner, index)) = self.stack.pop() {
            let next = if self.descending { index.checked_sub(1) } else { index.checked_add(1) };
            let Some((next, child)) = next.and_then(|next| Some((next, inner.children().get(next)?))) else {
                continue;
            };
            self.stack.push((inner, next));
            self.descend(child);
            return;
        }
    }

    fn descend(&mut self, mut node: &'a Node) {
        loop {
            match node {
                Node::Leaf(leaf) => {
                    self.leaf = Some(leaf);
                    self.at = if self.descending { leaf.len().saturating_sub(1) } else { 0 };
                    return;
                }
                Node::Inner(inner) => {
                    let edge = if self.descending { inner.children().len().saturating_sub(1) } else { 0 };
                    let Some(child) = inner.children().get(edge) else {
                        return;
                    };
                    self.stack.push((inner, edge));
                    node = child;
                }
            }
        }
    }
}
