//! How far clients have come, for those who wait until they have done some work.

use std::sync::atomic::{
    AtomicU64, AtomicUsize,
    Ordering::{Relaxed, SeqCst},
};

use tokio::sync::Notify;

/// Counts what clients have done, and how many of them still work.
#[derive(Debug)]
pub struct Progress {
    done: AtomicU64,
    working: AtomicUsize,
    /// The count that somebody waits for.
    wanted: AtomicU64,
    reached: Notify,
}

impl Progress {
    /// Of so many clients.
    #[must_use]
    pub fn new(clients: usize) -> Self {
        Self {
            done: AtomicU64::new(0),
            working: AtomicUsize::new(clients),
            wanted: AtomicU64::new(u64::MAX),
            reached: Notify::new(),
        }
    }

    /// A client has done one thing more.
    pub fn count(&self) {
        // Either this sees what is wanted, or who wants it sees the count: both are in one order for all.
        if self.done.fetch_add(1, SeqCst) + 1 >= self.wanted.load(SeqCst) {
            self.reached.notify_waiters();
        }
    }

    /// A client has ended.
    pub fn end(&self) {
        self.working.fetch_sub(1, SeqCst);
        self.reached.notify_waiters();
    }

    /// How much was done so far.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.done.load(Relaxed)
    }

    /// Waits until so much more has been done, or until no client works any more. One caller at a time.
    pub async fn more(&self, count: u64) {
        let wanted = self.done.load(SeqCst) + count;
        self.wanted.store(wanted, SeqCst);
        loop {
            let reached = self.reached.notified();
            if self.done.load(SeqCst) >= wanted || self.working.load(SeqCst) == 0 {
                break;
            }
            reached.await;
        }
        self.wanted.store(u64::MAX, SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn whoever_waits_goes_on_with_the_last_of_what_is_wanted() {
        let progress = Arc::new(Progress::new(1));
        progress.count();
        let waiting = tokio::spawn({
            let progress = progress.clone();
            async move { progress.more(2).await }
        });
        while progress.wanted.load(SeqCst) == u64::MAX {
            tokio::task::yield_now().await;
        }
        progress.count();
        assert!(!waiting.is_finished());
        progress.count();
        waiting.await.unwrap();
        assert_eq!(progress.done(), 3);
    }

    #[tokio::test]
    async fn nobody_waits_for_clients_that_have_ended() {
        let progress = Progress::new(2);
        progress.end();
        progress.end();
        progress.more(1).await;
    }
}
