//! CLIENT PAUSE: commands that are held back for a while.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::sync::Notify;

/// Whether commands are held back, which, and until when.
#[derive(Debug, Default)]
pub struct Pause {
    /// When it ends (unix ms); 0: nothing is held back. The one field that idle nodes look at.
    until_ms: AtomicU64,
    /// Whether all commands are held back, not only those that write.
    holds_all: AtomicBool,
    /// Makes changes of the two fields above one step.
    change: Mutex<()>,
    /// Told when the pause ends early or holds back less than before.
    relaxed: Notify,
    /// Connections with a command held back.
    waiting: AtomicUsize,
}

impl Pause {
    /// Holds back writes, or all commands, until `until_ms`. Of two pauses at a time the longer and the stricter one
    /// hold.
    pub fn begin(&self, until_ms: u64, all: bool, now_ms: u64) {
        let _change = self.change.lock();
        let old_until_ms = self.until_ms.load(Ordering::Relaxed);
        let is_running = old_until_ms > now_ms;
        self.holds_all.store(all || is_running && self.holds_all.load(Ordering::Relaxed), Ordering::Relaxed);
        self.until_ms.store(until_ms.max(if is_running { old_until_ms } else { 0 }), Ordering::Release);
    }

    /// Ends the pause.
    pub fn end(&self) {
        let _change = self.change.lock();
        self.until_ms.store(0, Ordering::Release);
        self.relaxed.notify_waiters();
    }

    /// Whether there was a pause that nobody has found to be over yet.
    #[inline]
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.until_ms.load(Ordering::Relaxed) != 0
    }

    /// How long the pause lasts from now on, in ms; `None`: nothing is held back.
    pub fn remaining_ms(&self, now_ms: u64) -> Option<u64> {
        let until_ms = self.until_ms.load(Ordering::Acquire);
        if until_ms > now_ms {
            return Some(until_ms - now_ms);
        }
        if until_ms != 0 {
            let _change = self.change.lock();
            // Another pause may have begun meanwhile; then there is nothing to tidy up.
            let _ = self.until_ms.compare_exchange(until_ms, 0, Ordering::AcqRel, Ordering::Relaxed);
        }
        None
    }

    /// Whether a command must wait.
    #[must_use]
    pub fn holds(&self, writes: bool, now_ms: u64) -> bool {
        self.is_set() && self.remaining_ms(now_ms).is_some() && (writes || self.holds_all.load(Ordering::Relaxed))
    }

    /// Whether nothing may change at present, be it by expiry or eviction.
    #[inline]
    #[must_use]
    pub fn holds_writes(&self, now_ms: u64) -> bool {
        self.is_set() && self.remaining_ms(now_ms).is_some()
    }

    /// Resolves when commands that were held back may try again.
    pub async fn wait(&self, now_ms: u64) {
        let relaxed = self.relaxed.notified();
        tokio::pin!(relaxed);
        // Listening begins before the look at the deadline, so that an end in between is not missed.
        relaxed.as_mut().enable();
        let Some(remaining_ms) = self.remaining_ms(now_ms) else { return };
        tokio::select! {
            biased;
            () = relaxed => {}
            () = tokio::time::sleep(Duration::from_millis(remaining_ms)) => {}
        }
    }

    /// Counts a connection whose command is held back, while the value lives.
    pub fn enter(&self) -> Waiting<'_> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        Waiting(&self.waiting)
    }

    /// Connections with a command held back.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}

/// A connection whose command is held back.
#[derive(Debug)]
pub struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_of_writes_lets_reads_pass_and_ends_by_itself() {
        let pause = Pause::default();
        pause.begin(100, false, 0);
        assert!(pause.holds(true, 99));
        assert!(!pause.holds(false, 99));
        assert!(!pause.holds(true, 100));
        assert!(!pause.is_set());
    }

    #[test]
    fn the_longer_and_the_stricter_of_two_pauses_hold() {
        let pause = Pause::default();
        pause.begin(200, true, 0);
        pause.begin(20, false, 10);
        assert!(pause.holds(false, 150));
        pause.end();
        pause.begin(300, false, 160);
        assert!(!pause.holds(false, 200));
        assert!(pause.holds(true, 200));
    }
}
