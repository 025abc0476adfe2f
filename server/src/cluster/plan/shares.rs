//! How many slots each node should hold, and how many each does.

use rondache_protocol::slot::SLOTS;

/// How full a node is, in five steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// 0.90 × the fair share: whoever holds less takes slots from others.
    Least,
    /// The fair share, rounded down.
    Fair,
    /// The fair share, rounded up.
    FairUp,
    /// 1.05 × the fair share: of those above it slots are taken first.
    Ample,
    /// 1.10 × the fair share: whoever holds more gives slots away.
    Most,
}

/// What a node should hold, in slots, by [`Level`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Share([u32; 5]);

impl Share {
    /// The share `total × weight / sum`, but never more than all slots.
    fn new(total: u128, weight: u128, sum: u128) -> Self {
        let slots = u128::from(SLOTS);
        let part = |percent: u128| total * weight * percent / (100 * sum);
        let fair = part(100);
        let fair_up = (total * weight).div_ceil(sum);
        let least = (total * weight * 90).div_ceil(100 * sum).min(fair);
        let levels = [least, fair, fair_up, part(105).max(fair_up), part(110).max(fair_up)];
        Self(levels.map(|level| level.min(slots) as u32))
    }

    pub(super) fn at(&self, level: Level) -> u32 {
        self.0[level as usize]
    }
}

/// Shares of `rounds` × all slots in proportion to the weights, none of which is 0.
///
/// No node can hold a slot twice: what the heaviest ones would get beyond all slots goes to the others.
pub(super) fn shares(weights: &[u32], rounds: usize) -> Vec<Share> {
    let slots = u128::from(SLOTS);
    let mut total = slots * rounds as u128;
    let mut sum: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
    let mut by_weight: Vec<usize> = (0..weights.len()).collect();
    by_weight.sort_by_key(|node| std::cmp::Reverse(weights[*node]));
    let mut shares = vec![Share([u32::from(SLOTS); 5]); weights.len()];
    for node in by_weight {
        let weight = u128::from(weights[node]);
        if total * weight >= slots * sum {
            shares[node] = Share::new(slots, 1, 1);
            // What remains for the others, of whom there are enough: one a round.
            (total, sum) = (total.saturating_sub(slots), (sum - weight).max(1));
        } else {
            shares[node] = Share::new(total, weight, sum);
        }
    }
    shares
}

/// How many slots each node holds, against its share.
#[derive(Clone, Debug)]
pub(super) struct Loads {
    pub(super) load: Vec<u32>,
    pub(super) share: Vec<Share>,
}

impl Loads {
    pub(super) fn new(share: Vec<Share>) -> Self {
        Self { load: vec![0; share.len()], share }
    }

    pub(super) fn add(&mut self, node: u16) {
        self.load[usize::from(node)] += 1;
    }

    pub(super) fn remove(&mut self, node: u16) {
        self.load[usize::from(node)] -= 1;
    }

    pub(super) fn is_above(&self, node: u16, level: Level) -> bool {
        self.load[usize::from(node)] > self.share[usize::from(node)].at(level)
    }

    pub(super) fn is_below(&self, node: u16, level: Level) -> bool {
        self.load[usize::from(node)] < self.share[usize::from(node)].at(level)
    }

    /// How many slots each node may still get up to a level; nothing for those that are not `wanted`.
    pub(super) fn room(&self, level: Level, wanted: impl Fn(usize) -> bool) -> Vec<u32> {
        let room = |(node, load)| if wanted(node) { self.share[node].at(level).saturating_sub(load) } else { 0 };
        self.load.iter().copied().enumerate().map(room).collect()
    }

    /// Which nodes hold less than the least.
    pub(super) fn needy(&self) -> Vec<bool> {
        (0..self.load.len() as u16).map(|node| self.is_below(node, Level::Least)).collect()
    }

    /// Of some nodes the one that is least full in proportion to its fair share; of equals the first.
    pub(super) fn emptiest(&self, nodes: impl Iterator<Item = u16>) -> Option<u16> {
        let fullness = |node: &u16| {
            let node = usize::from(*node);
            let fair = u64::from(self.share[node].at(Level::FairUp)).max(1);
            (u64::from(self.load[node]) << 32) / fair
        };
        nodes.min_by_key(fullness)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fair(weights: &[u32], rounds: usize) -> Vec<u32> {
        shares(weights, rounds).iter().map(|share| share.at(Level::Fair)).collect()
    }

    #[test]
    fn shares_follow_the_weights() {
        assert_eq!(fair(&[100, 300], 1), [4096, 12288]);
        assert_eq!(fair(&[100, 100, 100], 2), [10922; 3]);
    }

    #[test]
    fn no_share_is_more_than_all_slots() {
        assert_eq!(fair(&[100, 300], 2), [16384, 16384]);
        assert_eq!(fair(&[100, 1000, 100], 2), [8192, 16384, 8192]);
        assert_eq!(fair(&[1, u32::MAX, u32::MAX, 1], 3), [8192, 16384, 16384, 8192]);
    }

    #[test]
    fn levels_are_ordered_and_within_a_tenth() {
        for weight in 1..200 {
            let share = shares(&[weight, 1000], 1)[0];
            assert!(share.0.is_sorted(), "{share:?}");
            assert!(share.at(Level::Most) <= (f64::from(share.at(Level::FairUp)) * 1.1) as u32);
        }
    }
}
