//! What is known of a node that entries were read from.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::time::Instant;

/// A node, as the entries read from it see it: which of them still count, and until when.
#[derive(Debug)]
pub(super) struct NearNode {
    started: Instant,
    /// Entries of an earlier epoch don't count. Raising it drops all that was read from the node, without a walk.
    epoch: AtomicU64,
    /// Milliseconds since `started` up to which the node's invalidations are known to have arrived, plus one; 0: never.
    verified_ms: AtomicU64,
}

impl NearNode {
    pub(super) fn new(now: Instant) -> Self {
        Self { started: now, epoch: AtomicU64::new(0), verified_ms: AtomicU64::new(0) }
    }

    #[inline]
    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Drops all entries read from the node so far.
    pub(super) fn drop_all(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
        self.verified_ms.store(0, Ordering::Release);
    }

    /// A request sent at this moment was answered in this epoch: as replies and invalidations come in one ordered
    /// stream, all invalidations up to then have arrived.
    pub(super) fn verify(&self, sent_at: Instant, epoch: u64) {
        if epoch == self.epoch() {
            self.verified_ms.fetch_max(self.ms(sent_at) + 1, Ordering::AcqRel);
        }
    }

    /// Whether the node's entries may be answered now.
    #[inline]
    pub(super) fn is_trusted(&self, now: Instant, max_staleness: Duration) -> bool {
        let verified_ms = self.verified_ms.load(Ordering::Acquire);
        verified_ms > 0 && u128::from(self.ms(now).saturating_sub(verified_ms - 1)) <= max_staleness.as_millis()
    }

    #[inline]
    fn ms(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.started).as_millis()).unwrap_or(u64::MAX - 1)
    }
}
