//! Slots that have just left this node: for a moment it goes on answering for them, by asking their new owner, instead of
//! sending cluster clients there. So nobody is sent to an owner that has yet to confirm, and a burst of clients does not learn of
//! a move all at once.

use std::sync::atomic::{AtomicUsize, Ordering};

use hashbrown::HashMap;
use parking_lot::Mutex;

/// How long a moment lasts after the new owner has confirmed, in ms.
pub const GRACE_MS: u64 = 1000;

/// Until when the redirect port proxies which slots. Bound: one entry per slot.
#[derive(Debug, Default)]
pub struct Grace {
    until_ms: Mutex<HashMap<u16, u64>>,
    len: AtomicUsize,
}

impl Grace {
    /// Requests for `slot` that come in on the redirect port are proxied until `until_ms`; `u64::MAX` while the new owner has
    /// yet to confirm.
    pub fn begin(&self, slot: u16, until_ms: u64) {
        let mut slots = self.until_ms.lock();
        slots.insert(slot, until_ms);
        self.len.store(slots.len(), Ordering::Release);
    }

    /// Whether `slot` is proxied at this moment.
    #[must_use]
    pub fn covers(&self, slot: u16, now_ms: u64) -> bool {
        if self.len.load(Ordering::Acquire) == 0 {
            return false;
        }
        self.until_ms.lock().get(&slot).is_some_and(|until_ms| now_ms < *until_ms)
    }

    /// Forgets what is over. Housekeeping calls it now and then.
    pub fn sweep(&self, now_ms: u64) {
        if self.len.load(Ordering::Acquire) > 0 {
            let mut slots = self.until_ms.lock();
            slots.retain(|_, until_ms| now_ms < *until_ms);
            self.len.store(slots.len(), Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_proxied_until_its_moment_is_over() {
        let grace = Grace::default();
        assert!(!grace.covers(1, 0));
        grace.begin(1, 100);
        assert!(grace.covers(1, 99) && !grace.covers(1, 100) && !grace.covers(2, 99));
        grace.sweep(100);
        assert_eq!(grace.len.load(Ordering::Relaxed), 0);
    }
}
