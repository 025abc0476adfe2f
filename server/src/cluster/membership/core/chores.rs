//! What is to be done now and then.

use rondache_protocol::bus::identity::Identity;

use super::Membership;
use crate::cluster::membership::{
    exchange::{Exchange, digest},
    output::Output,
    tuning,
};

/// Two members compare what they know this often (ms), plus up to half of it at random.
pub(super) const EXCHANGE_MS: u64 = 4000;

impl Membership {
    /// Forgets the long dead, follows the cluster's size, and asks for what is missing.
    pub(super) fn chores(&mut self) {
        let now_ms = self.exits.now_ms;
        self.directory.with(|known| {
            let forgotten = self.lives.forget(&known.infos, self.tuning.forget_after, now_ms);
            forgotten.iter().for_each(|id| drop(known.infos.remove(id)));
        });
        let live = self.lives.live().count() + 1;
        if live != self.tuned_for {
            self.tuned_for = live;
            // Refused only for settings that never change here.
            let _ = self.foca.set_config(tuning::config(live, &self.tuning));
        }
        self.ask_for_infos();
        self.call_the_dead();
        if now_ms >= self.exchange_due_ms {
            self.exchange_due_ms = now_ms + EXCHANGE_MS + self.rng.u64(..EXCHANGE_MS / 2);
            if let Some(to) = self.anyone() {
                let message = Exchange::Digest(digest(self.briefs().iter()));
                self.outputs.push(Output::Control { to, message });
            }
        }
    }

    /// Foca calls the dead now and then, but is idle itself without anybody alive: so that those whom a partition left alone,
    /// each of them, find together again, they are called here.
    fn call_the_dead(&mut self) {
        let now_ms = self.exits.now_ms;
        if now_ms < self.call_due_ms || self.lives.live().next().is_some() {
            return;
        }
        self.call_due_ms = now_ms + tuning::CALL_DEAD_PERIOD.as_millis() as u64;
        self.call_some();
    }

    /// Asks for what live members say of themselves, where that got lost.
    fn ask_for_infos(&mut self) {
        let wanted: Vec<_> = self.directory.with(|known| {
            let ids = self.lives.live().map(|life| life.gossiper.identity);
            let is_missing =
                |identity: &Identity| known.infos.get(&identity.id).is_none_or(|i| i.identity != *identity);
            ids.filter(is_missing).map(|identity| identity.id).collect()
        });
        if let (false, Some(to)) = (wanted.is_empty(), self.anyone()) {
            let message = Exchange::Entries { entries: Vec::new(), wanted };
            self.outputs.push(Output::Control { to, message });
        }
    }

    /// A live member that can be talked to.
    fn anyone(&mut self) -> Option<Identity> {
        let candidates: Vec<Identity> = self.directory.with(|known| {
            let is_known = |identity: &Identity| known.infos.get(&identity.id).is_some_and(|i| i.identity == *identity);
            self.lives.live().map(|life| life.gossiper.identity).filter(is_known).collect()
        });
        self.rng.choice(candidates)
    }
}
