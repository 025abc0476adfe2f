//! The frozen-node guard: a node that was stopped for longer than it takes to be held for dead must not serve before it
//! knows whether it still owns anything.
//!
//! The cluster's thread beats while all is well. A worker looks, before it executes a batch, how long ago the last beat
//! was by a clock that also counts while the machine sleeps. If that is too long, whoever runs first after the freeze,
//! worker or cluster thread, closes the guard; requests wait until another member has answered a question that was asked
//! after it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::Notify;

/// Milliseconds between two beats of the cluster's thread.
pub const BEAT_INTERVAL_MS: u64 = 100;

/// Whether this node may execute requests.
#[derive(Debug, Default)]
pub struct Guard {
    /// How old a beat may be, in ms; 0: the guard is off, as for a node that is alone.
    gap_max_ms: AtomicU64,
    /// The time of the last beat, by the boot-time clock in ms.
    beat_ms: AtomicU64,
    /// A freeze was noticed, and nobody has said since that this node still belongs.
    is_closed: AtomicBool,
    opened: Notify,
}

impl Guard {
    /// Turns the guard on: a gap beyond `gap_max_ms` closes it.
    pub fn arm(&self, gap_max_ms: u64, now_boot_ms: u64) {
        // One that is armed keeps its beat: what first runs after a freeze may be a change of the view.
        if self.gap_max_ms.load(Ordering::Acquire) == 0 {
            self.beat_ms.store(now_boot_ms, Ordering::Relaxed);
        }
        self.gap_max_ms.store(gap_max_ms.max(1), Ordering::Release);
    }

    /// Turns the guard off: there is nobody who could have taken over.
    pub fn disarm(&self) {
        self.gap_max_ms.store(0, Ordering::Release);
        self.open();
    }

    /// Whether requests may run at `now_boot_ms`.
    #[inline]
    #[must_use]
    pub fn may_run(&self, now_boot_ms: u64) -> bool {
        if self.is_closed.load(Ordering::Acquire) {
            return false;
        }
        if !self.has_gap(now_boot_ms) {
            return true;
        }
        self.is_closed.store(true, Ordering::Release);
        false
    }

    /// As [`Guard::may_run`], for one who only looks.
    #[cfg(test)]
    pub(in crate::cluster) fn would_run(&self, now_boot_ms: u64) -> bool {
        !self.is_closed.load(Ordering::Acquire) && !self.has_gap(now_boot_ms)
    }

    /// The cluster's thread is running. `false`: there was a gap, or the guard is closed, and the node has to ask whether
    /// it still belongs.
    #[must_use]
    pub fn beat(&self, now_boot_ms: u64) -> bool {
        if self.has_gap(now_boot_ms) {
            // Before the beat is noted, so that no worker sees a fresh beat and an open guard.
            self.is_closed.store(true, Ordering::Release);
        }
        self.beat_ms.store(now_boot_ms, Ordering::Release);
        !self.is_closed.load(Ordering::Acquire)
    }

    /// The node knows how it stands, and its routes are right again: requests run.
    pub fn open(&self) {
        self.is_closed.store(false, Ordering::Release);
        self.opened.notify_waiters();
    }

    /// Waits while the guard is closed.
    pub async fn wait_open(&self) {
        loop {
            let opened = self.opened.notified();
            tokio::pin!(opened);
            opened.as_mut().enable();
            if !self.is_closed.load(Ordering::Acquire) {
                return;
            }
            opened.await;
        }
    }

    fn has_gap(&self, now_boot_ms: u64) -> bool {
        let gap_max_ms = self.gap_max_ms.load(Ordering::Acquire);
        gap_max_ms > 0 && now_boot_ms.saturating_sub(self.beat_ms.load(Ordering::Acquire)) > gap_max_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_is_alone_is_never_held_up() {
        let guard = Guard::default();
        assert!(guard.may_run(0) && guard.may_run(1_000_000));
        assert!(guard.beat(2_000_000));
    }

    #[test]
    fn a_worker_that_runs_first_after_a_freeze_waits() {
        let guard = Guard::default();
        guard.arm(1200, 10_000);
        assert!(guard.may_run(11_200));
        assert!(!guard.may_run(11_201));
        assert!(!guard.beat(11_202), "the cluster's thread is to ask");
        assert!(!guard.may_run(11_203), "a fresh beat alone opens nothing");
        guard.open();
        assert!(guard.may_run(11_204));
    }

    #[test]
    fn a_change_of_the_view_after_a_freeze_hides_no_gap() {
        let guard = Guard::default();
        guard.arm(1200, 10_000);
        guard.arm(1200, 20_000);
        assert!(!guard.may_run(20_000));
    }

    #[test]
    fn a_worker_that_runs_after_the_clusters_thread_waits_too() {
        let guard = Guard::default();
        guard.arm(1200, 10_000);
        assert!(!guard.beat(20_000));
        assert!(!guard.may_run(20_000));
    }
}
