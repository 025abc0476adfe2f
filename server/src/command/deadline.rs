//! Deadlines from TTLs: the one place where jitter is applied.

use super::{ctx::Ctx, expire_args::Expiry};
use crate::store::{jitter::Jitter, key::Key, observer::EventClass};

impl Ctx<'_, '_> {
    /// The deadline, unix ms, of a relative TTL on `key`, shortened by the jitter that the settings ask for. Every
    /// command with a relative TTL goes through here, once, and records the deadline as its effect, so that all copies
    /// share it.
    #[inline]
    pub fn jittered_deadline(&mut self, key: &[u8], ttl_ms: u64) -> u64 {
        let settings = self.settings;
        let jitter = Jitter {
            percent: settings.ttl_jitter_percent,
            ttl_ms_min: settings.ttl_jitter_min_ms,
            rules: &settings.ttl_jitter_rules,
        };
        let left_ms = jitter.shorten(key, ttl_ms, self.rng.u64(..));
        self.ks.counts.ttls_jittered += u64::from(left_ms < ttl_ms);
        self.now_ms().saturating_add(left_ms)
    }

    /// The deadline, unix ms, of an expiry that a client gave: a relative one with jitter, an absolute one exactly. One
    /// that is not later than [`Ctx::now_ms`] has passed; what would be negative is 0.
    pub fn deadline_ms(&mut self, key: &[u8], expiry: Expiry) -> u64 {
        match expiry {
            Expiry::After(ttl_ms @ 1..) => self.jittered_deadline(key, ttl_ms.unsigned_abs()),
            _ => self.exact_deadline_ms(expiry),
        }
    }

    /// The same without jitter, for locks: `SET … NX` promises its holder the whole TTL.
    #[must_use]
    pub fn exact_deadline_ms(&self, expiry: Expiry) -> u64 {
        match expiry {
            Expiry::After(ttl_ms) => self.now_ms().saturating_add_signed(ttl_ms),
            Expiry::At(deadline_ms) => u64::try_from(deadline_ms).unwrap_or(0),
        }
    }

    /// Deletes a key because it was given a deadline that has passed; answers whether it was there. Its copies get a
    /// plain DEL.
    pub fn delete_as_past(&mut self, key: &Key<'_>) -> bool {
        let was_there = self.ks.remove(key);
        if was_there {
            self.changed(key, EventClass::GENERIC, "del");
            self.ks.effect(key, &[b"DEL", key.bytes]);
        }
        was_there
    }
}
