//! An order-statistic B+tree over (score, member id).
//!
//! The tree knows scores and ids only. What orders equal scores, the members, is the caller's: every operation takes a
//! [`Place`], which tells the entries before a place in the order from those behind it.
//!
//! Leaves are sized to one allocation class; inner nodes keep the first entry and the size of each child, so that a search
//! reads one leaf and a rank is a sum on the way down.

/// Entries in a leaf: with its length, 768 bytes, which allocators serve without waste.
const LEAF_CAPACITY: usize = 63;
/// Children of an inner node.
const INNER_CAPACITY: usize = 64;

/// Entries in the leaves of a tree that is built at once: some room is left for more.
const BUILT_LEAF_LEN: usize = 48;

/// A score and the id of the member that has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) score: f64,
    pub(super) id: u32,
}

/// A place between two entries of the order.
pub(super) trait Place {
    /// Whether an entry is before the place.
    fn is_behind(&self, score: f64, id: u32) -> bool;

    /// How many entries of a sorted run are before the place.
    fn search(&self, scores: &[f64], ids: &[u32]) -> usize {
        partition(0, scores.len().min(ids.len()), |at| self.is_behind(scores[at], ids[at]))
    }
}

/// Any predicate that holds for a prefix of the order is a place.
impl<F: Fn(f64, u32) -> bool> Place for F {
    fn is_behind(&self, score: f64, id: u32) -> bool {
        self(score, id)
    }
}

/// The place behind all lower scores and behind those entries of the same score for which `ties` holds.
pub(super) struct ByScore<F> {
    pub(super) score: f64,
    pub(super) ties: F,
}

impl<F: Fn(u32) -> bool> Place for ByScore<F> {
    fn is_behind(&self, score: f64, id: u32) -> bool {
        score < self.score || (score == self.score && (self.ties)(id))
    }

    /// Counts all lower scores: for the few dozen of a node that is faster than halving, since the compiler makes it
    /// branch-free vector code whose cache misses overlap.
    fn search(&self, scores: &[f64], ids: &[u32]) -> usize {
        let lower: u64 = scores.iter().map(|&score| u64::from(score < self.score)).sum();
        let lower = lower as usize;
        if scores.get(lower).is_none_or(|&score| score != self.score) {
            return lower;
        }
        partition(lower, scores.len().min(ids.len()), |at| self.is_behind(scores[at], ids[at]))
    }
}

/// Cuts `0..len` into as few runs of at most `len_max` as possible, all about equally long.
fn groups(len: usize, len_max: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    let count = len.div_ceil(len_max);
    (0..count).map(move |group| len * group / count..len * (group + 1) / count)
}

/// The first index from `low` up to `high` for which `holds` no longer does.
fn partition(mut low: usize, mut high: usize, holds: impl Fn(usize) -> bool) -> usize {
    while low < high {
        let middle = low.midpoint(high);
        if holds(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

#[derive(Clone, Debug)]
pub(super) struct Leaf {
    scores: [f64; LEAF_CAPACITY],
    ids: [u32; LEAF_CAPACITY],
    len: u32,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Inner {
    /// The score of the first entry of each child.
    scores: Vec<f64>,
    /// The id of the first entry of each child.
    ids: Vec<u32>,
    /// The number of entries below each child.
    sizes: Vec<u32>,
    children: Vec<Node>,
}

/// A subtree.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Leaf(Box<Leaf>),
    Inner(Box<Inner>),
}

/// The tree; all leaves are at the same depth.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    root: Node,
}

impl Tree {
    pub(super) fn new() -> Self {
        Self { root: Node::Leaf(Leaf::empty()) }
    }

    /// A tree of entries that are in order already.
    pub(super) fn from_sorted(entries: &[Entry]) -> Self {
        let mut level: Vec<Node> = groups(entries.len(), BUILT_LEAF_LEN)
            .map(|group| {
                let mut leaf = Leaf::empty();
                for (at, entry) in entries[group].iter().enumerate() {
                    leaf.insert_at(at, *entry);
                }
                Node::Leaf(leaf)
            })
            .collect();
        while level.len() > 1 {
            let groups = groups(level.len(), INNER_CAPACITY);
            let mut children = level.into_iter();
            level = groups.map(|group| Node::Inner(Inner::of(children.by_ref().take(group.len())))).collect();
        }
        Self { root: level.pop().unwrap_or_else(|| Node::Leaf(Leaf::empty())) }
    }

    pub(super) fn root(&self) -> &Node {
        &self.root
    }

    /// Adds an entry behind those that are `before` it.
    pub(super) fn insert(&mut self, entry: Entry, before: &impl Place) {
        if let Some(right) = self.root.insert(entry, before) {
            let left = std::mem::replace(&mut self.root, Node::Inner(Box::default()));
            if let Node::Inner(root) = &mut self.root {
                root.insert_child(0, left);
                root.insert_child(1, right);
            }
        }
    }

    /// Removes the last entry that is `upto`: the predicate includes the entry itself.
    pub(super) fn remove(&mut self, upto: &impl Place) {
        self.root.remove(upto);
        while let Node::Inner(root) = &mut self.root
            && root.children.len() == 1
            && let Some(child) = root.children.pop()
        {
            self.root = child;
        }
    }

    /// Gives the last entry that is `upto` another id.
    pub(super) fn renumber(&mut self, upto: &impl Place, id: u32) {
        self.root.renumber(upto, id);
    }

    /// How many entries are `before`.
    pub(super) fn partition_point(&self, before: &impl Place) -> usize {
        let mut node = &self.root;
        let mut rank = 0;
        loop {
            match node {
                Node::Leaf(leaf) => return rank + leaf.partition_point(before),
                Node::Inner(inner) => {
                    let index = inner.child_for(before);
                    rank += inner.size_before(index);
                    node = &inner.children[index];
                }
            }
        }
    }

    /// The id at a rank, counted from the lowest.
    pub(super) fn id_at(&self, rank: usize) -> Option<u32> {
        let (mut node, mut rest) = (&self.root, rank);
        loop {
            match node {
                Node::Leaf(leaf) => return (rest < leaf.len()).then(|| leaf.get(rest).id),
                Node::Inner(inner) => {
                    let (index, below) = inner.child_at(rest);
                    rest -= below;
                    node = inner.children.get(index)?;
                }
            }
        }
    }

    /// Bytes that the tree has allocated.
    pub(super) fn allocated_bytes(&self) -> usize {
        self.root.allocated_bytes()
    }
}

impl Node {
    fn len(&self) -> usize {
        match self {
            Self::Leaf(leaf) => leaf.len as usize,
            Self::Inner(inner) => inner.size_before(inner.sizes.len()),
        }
    }

    fn first(&self) -> Entry {
        match self {
            Self::Leaf(leaf) => leaf.get(0),
            Self::Inner(inner) => Entry { score: inner.scores[0], id: inner.ids[0] },
        }
    }

    /// Returns the new right sibling if the node had to be split.
    fn insert(&mut self, entry: Entry, before: &impl Place) -> Option<Self> {
        match self {
            Self::Leaf(leaf) => leaf.insert(entry, before).map(Self::Leaf),
            Self::Inner(inner) => inner.insert(entry, before).map(Self::Inner),
        }
    }

    fn remove(&mut self, upto: &impl Place) {
        match self {
            Self::Leaf(leaf) => leaf.remove(upto),
            Self::Inner(inner) => inner.remove(upto),
        }
    }

    fn renumber(&mut self, upto: &impl Place, id: u32) {
        match self {
            Self::Leaf(leaf) => {
                let at = leaf.partition_point(upto).saturating_sub(1);
                leaf.ids[at] = id;
            }
            Self::Inner(inner) => {
                let index = inner.holder_of(upto);
                inner.children[index].renumber(upto, id);
                inner.refresh_first(index);
            }
        }
    }

    /// Entries of a leaf, children of an inner node.
    fn width(&self) -> usize {
        match self {
            Self::Leaf(leaf) => leaf.len as usize,
            Self::Inner(inner) => inner.children.len(),
        }
    }

    /// Takes over everything of `right`, which has the same depth and fits.
    fn absorb(&mut self, right: Self) {
        match (self, right) {
            (Self::Leaf(left), Self::Leaf(right)) => left.append(&right),
            (Self::Inner(left), Self::Inner(mut right)) => {
                left.scores.append(&mut right.scores);
                left.ids.append(&mut right.ids);
                left.sizes.append(&mut right.sizes);
                left.children.append(&mut right.children);
            }
            _ => debug_assert!(false, "siblings have the same depth"),
        }
    }

    fn allocated_bytes(&self) -> usize {
        match self {
            Self::Leaf(_) => size_of::<Leaf>(),
            Self::Inner(inner) => {
                let per_child = size_of::<Entry>() + size_of::<u32>() + size_of::<Self>();
                let below: usize = inner.children.iter().map(Self::allocated_bytes).sum();
                size_of::<Inner>() + inner.children.capacity() * per_child + below
            }
        }
    }
}

impl Leaf {
    fn empty() -> Box<Self> {
        Box::new(Self { scores: [0.0; LEAF_CAPACITY], ids: [0; LEAF_CAPACITY], len: 0 })
    }

    pub(super) fn len(&self) -> usize {
        self.len as usize
    }

    pub(super) fn get(&self, at: usize) -> Entry {
        Entry { score: self.scores[at], id: self.ids[at] }
    }

    fn partition_point(&self, before: &impl Place) -> usize {
        let len = self.len();
        before.search(&self.scores[..len], &self.ids[..len])
    }

    fn insert(&mut self, entry: Entry, before: &impl Place) -> Option<Box<Self>> {
        let at = self.partition_point(before);
        if self.len() < LEAF_CAPACITY {
            self.insert_at(at, entry);
            return None;
        }
        // Entries that arrive in order leave full leaves behind.
        let kept = if at == LEAF_CAPACITY { LEAF_CAPACITY } else { LEAF_CAPACITY / 2 };
        let mut right = self.split_off(kept);
        if at <= kept && at < LEAF_CAPACITY {
            self.insert_at(at, entry);
        } else {
            right.insert_at(at - kept, entry);
        }
        Some(right)
    }

    fn insert_at(&mut self, at: usize, entry: Entry) {
        let len = self.len();
        self.scores.copy_within(at..len, at + 1);
        self.ids.copy_within(at..len, at + 1);
        self.scores[at] = entry.score;
        self.ids[at] = entry.id;
        self.len += 1;
    }

    fn split_off(&mut self, at: usize) -> Box<Self> {
        let mut right = Self::empty();
        let moved = self.len() - at;
        right.scores[..moved].copy_from_slice(&self.scores[at..at + moved]);
        right.ids[..moved].copy_from_slice(&self.ids[at..at + moved]);
        right.len = moved as u32;
        self.len = at as u32;
        right
    }

    fn append(&mut self, right: &Self) {
        let (len, more) = (self.len(), right.len());
        self.scores[len..len + more].copy_from_slice(&right.scores[..more]);
        self.ids[len..len + more].copy_from_slice(&right.ids[..more]);
        self.len += right.len;
    }

    fn remove(&mut self, upto: &impl Place) {
        let len = self.len();
        let found = self.partition_point(upto).checked_sub(1);
        debug_assert!(found.is_some(), "only entries that exist are removed");
        if let Some(at) = found {
            self.scores.copy_within(at + 1..len, at);
            self.ids.copy_within(at + 1..len, at);
            self.len -= 1;
        }
    }
}

impl Inner {
    fn of(children: impl Iterator<Item = Node>) -> Box<Self> {
        let mut inner = Box::<Self>::default();
        for (at, child) in children.enumerate() {
            inner.insert_child(at, child);
        }
        inner
    }

    pub(super) fn children(&self) -> &[Node] {
        &self.children
    }

    /// The child that holds the entry at a rank of this subtree, and how many entries come before that child.
    pub(super) fn child_at(&self, rank: usize) -> (usize, usize) {
        let mut below = 0;
        for (index, &size) in self.sizes.iter().enumerate() {
            if rank < below + size as usize {
                return (index, below);
            }
            below += size as usize;
        }
        (self.sizes.len(), below)
    }

    /// The child in which the first place that is not `before` lies, for a new entry or for counting.
    fn child_for(&self, before: &impl Place) -> usize {
        before.search(&self.scores, &self.ids).saturating_sub(1)
    }

    /// The child that holds the last entry that is `upto`, which the caller knows to exist.
    fn holder_of(&self, upto: &impl Place) -> usize {
        self.child_for(upto)
    }

    fn size_before(&self, index: usize) -> usize {
        self.sizes[..index].iter().map(|&size| size as usize).sum()
    }

    fn refresh_first(&mut self, index: usize) {
        let first = self.children[index].first();
        self.scores[index] = first.score;
        self.ids[index] = first.id;
    }

    /// Makes room for all children and the one that is too many, which a split takes away at once.
    fn reserve(&mut self) {
        self.scores.reserve_exact(INNER_CAPACITY + 1);
        self.ids.reserve_exact(INNER_CAPACITY + 1);
        self.sizes.reserve_exact(INNER_CAPACITY + 1);
        self.children.reserve_exact(INNER_CAPACITY + 1);
    }

    fn insert_child(&mut self, at: usize, child: Node) {
        if self.children.capacity() == 0 {
            self.reserve();
        }
        let first = child.first();
        self.scores.insert(at, first.score);
        self.ids.insert(at, first.id);
        self.sizes.insert(at, child.len() as u32);
        self.children.insert(at, child);
    }

    fn remove_child(&mut self, at: usize) -> Node {
        self.scores.remove(at);
        self.ids.remove(at);
        self.sizes.remove(at);
        self.children.remove(at)
    }

    fn insert(&mut self, entry: Entry, before: &impl Place) -> Option<Box<Self>> {
        let index = self.child_for(before);
        let split = self.children[index].insert(entry, before);
        self.sizes[index] += 1;
        // Only the leftmost path can get a new first entry.
        if index == 0 {
            self.refresh_first(0);
        }
        let right = split?;
        self.sizes[index] = self.children[index].len() as u32;
        self.insert_child(index + 1, right);
        if self.children.len() <= INNER_CAPACITY {
            return None;
        }
        let appended = index + 2 == self.children.len();
        let kept = if appended { INNER_CAPACITY } else { INNER_CAPACITY / 2 };
        Some(self.split_off(kept))
    }

    fn split_off(&mut self, at: usize) -> Box<Self> {
        let mut right = Box::<Self>::default();
        right.reserve();
        right.scores.extend(self.scores.drain(at..));
        right.ids.extend(self.ids.drain(at..));
        right.sizes.extend(self.sizes.drain(at..));
        right.children.extend(self.children.drain(at..));
        right
    }

    fn remove(&mut self, upto: &impl Place) {
        let index = self.holder_of(upto);
        self.children[index].remove(upto);
        self.sizes[index] -= 1;
        if self.sizes[index] == 0 {
            self.remove_child(index);
            return;
        }
        self.refresh_first(index);
        self.merge_if_thin(index);
    }

    /// Joins a child that became thin with a neighbour if both together leave room to grow.
    fn merge_if_thin(&mut self, index: usize) {
        let capacity = match &self.children[index] {
            Node::Leaf(_) => LEAF_CAPACITY,
            Node::Inner(_) => INNER_CAPACITY,
        };
        if self.children[index].width() > capacity / 4 {
            return;
        }
        let fits = |left: usize| self.children[left].width() + self.children[left + 1].width() <= capacity * 3 / 4;
        let left = if index + 1 < self.children.len() && fits(index) {
            index
        } else if index > 0 && fits(index - 1) {
            index - 1
        } else {
            return;
        };
        let right_size = self.sizes[left + 1];
        let right = self.remove_child(left + 1);
        self.children[left].absorb(right);
        self.sizes[left] += right_size;
    }
}
