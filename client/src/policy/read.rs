//! Which copy of a slot a read goes to.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

/// How reads are dealt out to the copies of a slot. Only the owner is always up to date: every other policy may read
/// what was written a moment ago as it was before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReadPolicy {
    /// The owner: each key is linearizable.
    #[default]
    OwnerOnly,
    /// All copies in turn.
    RoundRobin,
    /// Any copy.
    Random,
    /// Any copy, by the nodes' weights.
    Weighted,
    /// The copy with the fewest of this client's requests in flight.
    LeastOutstanding,
    /// The faster of two copies drawn at random. Comparing two instead of all keeps clients from rushing together to
    /// whoever looks fastest.
    Fastest,
    /// The faster of two copies in the client's own zone; only without one there, of the others.
    SameZoneFirst,
}

/// A copy of a slot, as a read sees it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Candidate {
    /// Whether it owns the slot.
    pub is_owner: bool,
    /// Whether its breaker lets requests through and its connection is up.
    pub is_available: bool,
    /// Whether it is in the client's zone.
    pub is_same_zone: bool,
    /// Its weight in the cluster; below zero counts as zero.
    pub weight: f64,
    /// This client's requests in flight to it.
    pub outstanding: u32,
    /// Its average latency, if known.
    pub latency: Option<Duration>,
}

/// A policy and what it remembers from read to read.
#[derive(Debug, Default)]
pub struct ReadSelector {
    policy: ReadPolicy,
    turn: AtomicUsize,
}

impl ReadSelector {
    /// A selector for a policy.
    #[must_use]
    pub fn new(policy: ReadPolicy) -> Self {
        Self { policy, turn: AtomicUsize::new(0) }
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> ReadPolicy {
        self.policy
    }

    /// The index of the copy that a read goes to; nothing only if there are no copies. If none is available the owner is
    /// chosen, so that its breaker and its deadline decide.
    pub fn choose(&self, copies: &[Candidate], rng: &mut fastrand::Rng) -> Option<usize> {
        self.choose_among(copies, rng, |_| true)
    }

    /// The copy that a hedge of a read goes to: as [`choose`](Self::choose) does, but neither the copy that has it
    /// already nor one that is not available.
    pub fn choose_other(&self, copies: &[Candidate], taken: usize, rng: &mut fastrand::Rng) -> Option<usize> {
        let is_possible = |at: usize| at != taken && copies.get(at).is_some_and(|copy| copy.is_available);
        if self.policy == ReadPolicy::OwnerOnly || !(0..copies.len()).any(is_possible) {
            return None;
        }
        self.choose_among(copies, rng, is_possible).filter(|at| *at != taken)
    }

    fn choose_among(
        &self,
        copies: &[Candidate],
        rng: &mut fastrand::Rng,
        is_allowed: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let owner = copies.iter().position(|copy| copy.is_owner);
        let fallback = owner.or((!copies.is_empty()).then_some(0));
        let usable = || (0..copies.len()).filter(|at| copies[*at].is_available && is_allowed(*at));
        let chosen = match self.policy {
            ReadPolicy::OwnerOnly => owner,
            ReadPolicy::RoundRobin => {
                let turn = self.turn.fetch_add(1, Ordering::Relaxed);
                nth_in_turn(usable, turn)
            }
            ReadPolicy::Random => nth_in_turn(usable, rng.usize(..)),
            ReadPolicy::Weighted => by_weight(usable, copies, rng),
            ReadPolicy::LeastOutstanding => {
                // Ties, the usual case when little is going on, are broken at random, or the first copy would get all.
                usable().min_by_key(|at| (copies[*at].outstanding, rng.u32(..)))
            }
            ReadPolicy::Fastest => faster_of_two(usable, copies, rng),
            ReadPolicy::SameZoneFirst => {
                let near = || usable().filter(|at| copies[*at].is_same_zone);
                faster_of_two(near, copies, rng).or_else(|| faster_of_two(usable, copies, rng))
            }
        };
        chosen.or(fallback)
    }
}

fn nth_in_turn<I: Iterator<Item = usize>>(usable: impl Fn() -> I, turn: usize) -> Option<usize> {
    let count = usable().count();
    usable().nth(turn.checked_rem(count)?)
}

fn by_weight<I: Iterator<Item = usize>>(
    usable: impl Fn() -> I,
    copies: &[Candidate],
    rng: &mut fastrand::Rng,
) -> Option<usize> {
    // `max` also takes what is no number for zero.
    let weight = |at: usize| copies[at].weight.max(0.0);
    let mut left = usable().map(weight).sum::<f64>() * rng.f64();
    let found = usable().find(|at| {
        left -= weight(*at);
        left < 0.0
    });
    // All weights are zero, or rounding left a remainder.
    found.or_else(|| nth_in_turn(&usable, rng.usize(..)))
}

/// Two different copies at random, and of these the one whose answer is expected sooner.
fn faster_of_two<I: Iterator<Item = usize>>(
    usable: impl Fn() -> I,
    copies: &[Candidate],
    rng: &mut fastrand::Rng,
) -> Option<usize> {
    let count = usable().count();
    if count < 2 {
        return usable().next();
    }
    let first = rng.usize(..count);
    let second = (first + rng.usize(1..count)) % count;
    let (first, second) = (usable().nth(first)?, usable().nth(second)?);
    Some(if expected(&copies[second]) < expected(&copies[first]) { second } else { first })
}

/// How long an answer is expected to take: what is in flight waits before it. A copy of which nothing is known is
/// expected to be fast, so that it gets known.
fn expected(copy: &Candidate) -> f64 {
    copy.latency.unwrap_or_default().as_secs_f64() * (f64::from(copy.outstanding) + 1.0)
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
