//! The fast path to a death: members whose address refuses connections.

use rondache_protocol::bus::identity::Identity;

use super::Membership;
use crate::cluster::membership::{directory::News, output::Output};

/// How many members try an address themselves when they hear that it refuses.
const SECOND_OPINIONS: f64 = 4.0;

impl Membership {
    /// The member's address refuses connections, or another node answers there.
    pub fn on_absent(&mut self, now_ms: u64, of: Identity) {
        self.enter(now_ms);
        let by = self.me.identity;
        if self.is_live(&of) {
            if self.directory.with(|known| known.refusals.add(of, by, now_ms)) {
                self.spread(&News::Refuses { of, by });
                let _ = self.foca.gossip(&mut self.exits);
            }
            self.judge(of);
        }
        self.leave_state();
    }

    /// Another member found an address refusing.
    pub(super) fn hear(&mut self, of: Identity) {
        if !self.is_live(&of) {
            return;
        }
        self.judge(of);
        let by = self.me.identity;
        let has_tried = self.directory.with(|known| known.refusals.has(of, by));
        let chance = SECOND_OPINIONS / self.lives.all().len().max(1) as f64;
        if self.is_live(&of) && !has_tried && self.rng.f64() < chance {
            self.outputs.push(Output::Probe(of));
        }
    }

    /// Declares the member dead if enough members found its address refusing.
    fn judge(&mut self, of: Identity) {
        let me = self.me.identity;
        let others = self.lives.live().map(|life| life.gossiper.identity).filter(|identity| *identity != of);
        if !self.directory.with(|known| known.refusals.condemns(of, me, others)) {
            return;
        }
        let Some(gossiper) = self.lives.get(of.id).map(|life| life.gossiper) else { return };
        tracing::info!(member = ?of, "its address refuses connections: it is dead");
        self.declare_dead(gossiper);
    }
}
