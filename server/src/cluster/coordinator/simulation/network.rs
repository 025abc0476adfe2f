//! Links between hosts: each keeps its order and has its delay; some are slow, lossy or cut, in one direction or both.

use std::collections::{BTreeMap, BTreeSet};

/// The kinds of links between two hosts: each kind has an order of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Control,
    Stream,
}

#[derive(Debug, Default)]
pub(super) struct Network {
    /// Directions that deliver nothing.
    pub(super) cut: BTreeSet<(usize, usize)>,
    /// Directions that take longer, by so many ms.
    pub(super) slow_ms: BTreeMap<(usize, usize), u64>,
    /// The share of control messages that are lost, in hundredths.
    pub(super) loss: u8,
    last_ms: BTreeMap<(Kind, usize, usize), u64>,
}

impl Network {
    /// When something sent now arrives; `None`: never.
    pub(super) fn arrival_ms(
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
        let delay_ms = random.u64(1..6) + self.slow_ms.get(&(from, to)).copied().unwrap_or(0);
        let last_ms = self.last_ms.entry((kind, from, to)).or_default();
        *last_ms = (now_ms + delay_ms).max(*last_ms);
        Some(*last_ms)
    }

    pub(super) fn is_cut(&self, from: usize, to: usize) -> bool {
        self.cut.contains(&(from, to))
    }

    pub(super) fn is_joined(&self, left: usize, right: usize) -> bool {
        !self.is_cut(left, right) && !self.is_cut(right, left)
    }

    pub(super) fn cut_off(&mut self, side: &BTreeSet<usize>, hosts: usize, is_one_way: bool) {
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

    pub(super) fn heal(&mut self) {
        self.cut.clear();
        self.slow_ms.clear();
        self.loss = 0;
    }
}
