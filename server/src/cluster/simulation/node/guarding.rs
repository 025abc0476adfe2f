//! The frozen-node guard's beats and questions, as in `runtime/guarding.rs`.

use rondache_protocol::bus::identity::Identity;

use super::{Now, Parcel, SimNode};
use crate::{cluster::guard::BEAT_INTERVAL_MS, node::clock};

/// As in `thread/net.rs` …
const WITNESSES: usize = 3;
const WITNESS_DEADLINE_MS: u64 = 500;
/// … and in `runtime/guarding.rs`.
const FENCE_DEADLINE_MS: u64 = 1_000;

#[derive(Debug, Default)]
pub(super) enum Guarding {
    /// It beats.
    #[default]
    Beating,
    /// It has asked members whether it is one.
    Asking { round: u64, until_ms: u64, unanswered: usize, is_member: bool },
    /// It waits until all have told what they own.
    Fencing { until_ms: u64 },
}

impl SimNode {
    pub(super) fn tick_guard(&mut self, now: Now, random: &mut fastrand::Rng) {
        match self.guarding {
            Guarding::Beating => {
                if now.ms.is_multiple_of(BEAT_INTERVAL_MS) && !self.node.cluster.guard.beat(clock::boot_ms()) {
                    self.ask(now, random);
                }
            }
            Guarding::Asking { until_ms, is_member, .. } if now.ms >= until_ms => self.end_asking(now, is_member),
            Guarding::Fencing { until_ms } if now.ms >= until_ms => self.open(),
            Guarding::Asking { .. } | Guarding::Fencing { .. } => {}
        }
    }

    fn ask(&mut self, now: Now, random: &mut fastrand::Rng) {
        let asked = random.choose_multiple(self.others(), WITNESSES);
        if asked.is_empty() {
            return self.open();
        }
        let until_ms = now.ms + WITNESS_DEADLINE_MS;
        // No two rounds begin at the same time.
        let round = now.ms;
        self.guarding = Guarding::Asking { round, until_ms, unanswered: asked.len(), is_member: false };
        self.outbox.extend(asked.into_iter().map(|member| Parcel::AskAlive(member, round)));
    }

    /// Whether a node is a member, as this one sees it.
    pub(in crate::cluster::simulation) fn answer_alive(&self, of: &Identity) -> bool {
        self.view.is_alive(of)
    }

    /// A member has answered what it was asked in a round.
    pub(in crate::cluster::simulation) fn on_alive(&mut self, now: Now, of_round: u64, is_alive: bool) {
        let Guarding::Asking { round, unanswered, is_member, .. } = &mut self.guarding else { return };
        if *round != of_round {
            return;
        }
        if !is_alive {
            // It comes back by itself, or becomes alone in its own view.
            self.guarding = Guarding::Beating;
            return;
        }
        *is_member = true;
        *unanswered -= 1;
        if *unanswered == 0 {
            self.end_asking(now, true);
        }
    }

    fn end_asking(&mut self, now: Now, is_member: bool) {
        if !is_member {
            self.guarding = Guarding::Beating;
            return;
        }
        self.guarding = Guarding::Fencing { until_ms: now.ms + FENCE_DEADLINE_MS };
        self.drive(now, |coordinator, io| coordinator.fence(io));
        self.end_fence();
    }

    /// Opens the guard, if all have answered.
    pub(super) fn end_fence(&mut self) {
        if matches!(self.guarding, Guarding::Fencing { .. }) && self.coordinator.unfenced() == 0 {
            self.open();
        }
    }

    fn open(&mut self) {
        self.guarding = Guarding::Beating;
        self.node.cluster.guard.open();
    }
}
