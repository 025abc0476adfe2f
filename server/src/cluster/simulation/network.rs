//! Links between hosts: each keeps its order and has its delay; some are slow, lossy or cut, in one direction or both.

use std::collections::{BTreeMap, BTreeSet};

/// The kinds of links between two hosts: each kind has an order of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::cluster) enum Kind {
    Control,
    Stream,
}

#[derive(Debug, Default)]
pub(in crate::cluster) struct Network {
    /// Directions that deliver nothing.
    pub(in crate::cluster) cut: BTreeSet<(usize, usize)>,
    /// Directions that take longer, by so many ms.
    pub(in crate::cluster) slow_ms: BTreeMap<(usize, usize), u64>,
    /// The share of control messages and datagrams that are lost, in hundredths.
    pub(in crate::cluster) loss: u8,
    /// The share of datagrams that come late, or twice, in hundredths.
    pub(in crate::cluster) disorder: u8,
    last_ms: BTreeMap<(Kind, usize, usize), u64>,
}

/// How late a datagram comes that comes late, at most.
const LATE_MS_MAX: u64 = 300;

impl Network {
    /// When something sent now arrives; `None`: never.
    pub(in crate::cluster) fn arrival_ms(
        &mut self,
        random: &mut fastrand::Rng,
        kind: Kind,
        (from, to): (usize, usize),
        now_ms: u64,
    ) -> Option<u64> {
        let is_lost = kind == Kind::Control && random.u8(..100) < self.loss;
        if self.cut.contains(&(from, to)) || is_lost {
            return None;
        }
        let at_ms = now_ms + self.delay_ms(random, (from, to));
        let last_ms = self.last_ms.entry((kind, from, to)).or_default();
        *last_ms = at_ms.max(*last_ms);
        Some(*last_ms)
    }

    /// When a datagram arrives that is sent now: never, once or twice, and in no order.
    pub(in crate::cluster) fn datagram_ms(
        &self,
        random: &mut fastrand::Rng,
        (from, to): (usize, usize),
        now_ms: u64,
    ) -> Vec<u64> {
        let is_lost = random.u8(..100) < self.loss;
        if self.cut.contains(&(from, to)) || is_lost {
            return Vec::new();
        }
        let mut arrivals = vec![now_ms + self.delay_ms(random, (from, to))];
        if random.u8(..100) < self.disorder {
            let late_ms = arrivals[0] + random.u64(1..LATE_MS_MAX);
            if random.bool() { arrivals[0] = late_ms } else { arrivals.push(late_ms) }
        }
        arrivals
    }

    /// How long something takes that is sent now.
    pub(in crate::cluster) fn delay_ms(&self, random: &mut fastrand::Rng, (from, to): (usize, usize)) -> u64 {
        random.u64(1..6) + self.slow_ms.get(&(from, to)).copied().unwrap_or(0)
    }

    pub(in crate::cluster) fn is_cut(&self, from: usize, to: usize) -> bool {
        self.cut.contains(&(from, to))
    }

    pub(in crate::cluster) fn is_joined(&self, left: usize, right: usize) -> bool {
        !self.is_cut(left, right) && !self.is_cut(right, left)
    }

    pub(in crate::cluster) fn cut_off(&mut self, side: &BTreeSet<usize>, hosts: usize, is_one_way: bool) {
        for from in 0..hosts {
            for to in 0..hosts {
                if side.contains(&from) && !side.contains(&to) {
                    self.cut.insert((from, to));
                    if !is_one_way {
                        self.cut.insert((to, from));
                    }
                }
            }
        }
    }

    pub(in crate::cluster) fn heal(&mut self) {
        self.cut.clear();
        self.slow_ms.clear();
        (self.loss, self.disorder) = (0, 0);
    }
}
