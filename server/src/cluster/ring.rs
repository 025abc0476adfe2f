//! The ring: in which order each slot prefers the nodes.
//!
//! Every node stands at many points of a circle of 64-bit positions, slot *s* at *s* × 2⁵⁰. Walking clockwise from a
//! slot meets the nodes in the order in which the slot prefers them. A node that comes or goes changes the order only
//! where its own points are, and neighbouring slots mostly prefer the same node, so that ownership comes in runs.

use rondache_protocol::{bus::identity::NodeId, slot::SLOTS};
use xxhash_rust::xxh3::xxh3_64;

use super::member::WEIGHT_ONE;

/// How many points a node of weight 1 has: enough that shares differ by some 8 % before they are evened out.
pub const POINTS_PER_WEIGHT: u64 = 160;

/// The most points of a node: one for each slot. More would not make its share more even, only longer to walk past.
pub const POINTS_PER_NODE_MAX: u64 = SLOTS as u64;

/// The most points on a ring: beyond that, every node gets proportionally fewer, but at least one. Bounds the work
/// and the memory that any combination of weights can cause.
pub const POINTS_MAX: u64 = 1 << 20;

/// The most nodes on a ring; further ones are left out.
pub const NODES_MAX: usize = u16::MAX as usize;

/// The distance between neighbouring slots, as a power of two.
const SLOT_SHIFT: u32 = u64::BITS - SLOTS.ilog2();

/// Where a slot stands.
#[must_use]
pub fn position_of(slot: u16) -> u64 {
    u64::from(slot) << SLOT_SHIFT
}

/// One of the points at which a node stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// Where.
    pub position: u64,
    /// Which node, as its index in the list that the ring was made from.
    pub node: u16,
}

/// The points of all nodes, clockwise.
#[derive(Clone, Debug, Default)]
pub struct Ring {
    points: Vec<Point>,
    node_count: usize,
}

impl Ring {
    /// A ring of nodes with their weights in hundredths. Nodes of weight 0 do not stand on it.
    ///
    /// Where a node stands depends on nothing but its id, its weight and, on a ring that would be too large, the sum of
    /// the weights. Should two nodes meet in one position, the one that comes first in the list is preferred.
    #[must_use]
    pub fn new(nodes: &[(NodeId, u32)]) -> Self {
        let nodes = nodes.get(..NODES_MAX).unwrap_or(nodes);
        let wanted: u64 = nodes.iter().map(|(_, weight)| point_count(*weight)).sum();
        let mut points = Vec::with_capacity(wanted.min(POINTS_MAX) as usize);
        for (node, (id, weight)) in (0u16..).zip(nodes) {
            let mut count = point_count(*weight);
            if wanted > POINTS_MAX && count > 0 {
                count = (u128::from(count) * u128::from(POINTS_MAX) / u128::from(wanted)).max(1) as u64;
            }
            points.extend((0..count).map(|index| Point { position: point_position(*id, index), node }));
        }
        points.sort_unstable();
        Self { points, node_count: nodes.len() }
    }

    /// All points, clockwise from position 0.
    #[must_use]
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// The nodes in the order in which a slot prefers them, each once. Lazy: taking the first few is cheap.
    pub fn walk(&self, slot: u16) -> impl Iterator<Item = u16> {
        let start = first_at(&self.points, position_of(slot));
        let (before, behind) = self.points.split_at(start);
        let mut is_met = vec![false; self.node_count];
        behind.iter().chain(before).filter_map(move |point| {
            let is_met = is_met.get_mut(usize::from(point.node))?;
            (!std::mem::replace(is_met, true)).then_some(point.node)
        })
    }
}

/// The index of the first point at or behind a position; the number of points if there is none before the end.
#[must_use]
pub fn first_at(points: &[Point], position: u64) -> usize {
    points.partition_point(|point| point.position < position)
}

/// How many points a weight is worth.
fn point_count(weight: u32) -> u64 {
    (u64::from(weight) * POINTS_PER_WEIGHT).div_ceil(u64::from(WEIGHT_ONE)).min(POINTS_PER_NODE_MAX)
}

/// Where a node's point stands. The byte order is fixed, so that all machines agree.
fn point_position(id: NodeId, index: u64) -> u64 {
    let mut bytes = [0; 24];
    let (name, number) = bytes.split_at_mut(16);
    name.copy_from_slice(&id.0.to_le_bytes());
    number.copy_from_slice(&index.to_le_bytes());
    xxh3_64(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(count: u128) -> Vec<(NodeId, u32)> {
        (1..=count).map(|id| (NodeId(id * 0x9e37_79b9_7f4a_7c15), WEIGHT_ONE)).collect()
    }

    #[test]
    fn a_walk_meets_every_node_once() {
        let ring = Ring::new(&nodes(20));
        for slot in [0, 1, 8000, SLOTS - 1] {
            let mut met: Vec<u16> = ring.walk(slot).collect();
            met.sort_unstable();
            assert_eq!(met, (0..20).collect::<Vec<_>>());
        }
    }

    #[test]
    fn an_empty_ring_prefers_nobody() {
        assert_eq!(Ring::new(&[]).walk(5).next(), None);
        assert_eq!(Ring::new(&[(NodeId(1), 0)]).walk(5).next(), None);
    }

    #[test]
    fn points_follow_the_weight() {
        let ring = Ring::new(&[(NodeId(1), 0), (NodeId(2), 50), (NodeId(3), 300), (NodeId(4), 1)]);
        let count = |node| ring.points().iter().filter(|point| point.node == node).count();
        assert_eq!((count(0), count(1), count(2), count(3)), (0, 80, 480, 2));
    }

    #[test]
    fn huge_weights_do_not_make_a_huge_ring() {
        let mut all: Vec<_> = nodes(100).into_iter().map(|(id, _)| (id, u32::MAX)).collect();
        all.push((NodeId(1), 1));
        let ring = Ring::new(&all);
        assert!(ring.points().len() as u64 <= POINTS_MAX + 1);
        assert!(ring.walk(0).any(|node| node == 100), "even the lightest node stands somewhere");
    }

    #[test]
    fn a_newcomer_takes_a_share_and_leaves_the_others_in_order() {
        let before = Ring::new(&nodes(10));
        let after = Ring::new(&nodes(11));
        let mut taken = 0;
        for slot in 0..SLOTS {
            let now: Vec<u16> = after.walk(slot).take(4).collect();
            taken += usize::from(now.first() == Some(&10));
            let without: Vec<u16> = now.into_iter().filter(|node| *node != 10).take(3).collect();
            assert_eq!(without, before.walk(slot).take(3).collect::<Vec<_>>(), "slot {slot}");
        }
        let fair = usize::from(SLOTS) / 11;
        assert!(taken > fair / 2 && taken < fair * 2, "{taken} of a fair {fair}");
    }

    #[test]
    fn ownership_comes_in_runs() {
        let ring = Ring::new(&nodes(3));
        let first: Vec<_> = (0..SLOTS).map(|slot| ring.walk(slot).next()).collect();
        let runs = first.chunk_by(|a, b| a == b).count();
        assert!(runs < 500, "{runs} runs");
    }
}
