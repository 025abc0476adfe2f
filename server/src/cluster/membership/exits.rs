//! What foca wants done, gathered until the state machine looks at it.

use std::{cmp::Reverse, collections::BinaryHeap, net::SocketAddr, time::Duration};

use foca::{Notification, OwnedNotification, Runtime, Timer};

use super::gossiper::Gossiper;

/// Foca's only ways out.
#[derive(Debug, Default)]
pub(super) struct Exits {
    pub(super) now_ms: u64,
    pub(super) datagrams: Vec<(SocketAddr, Vec<u8>)>,
    pub(super) notifications: Vec<OwnedNotification<Gossiper>>,
    /// By the time they are due; then as foca wants simultaneous ones; then as they came.
    timers: BinaryHeap<Reverse<(u64, Timer<Gossiper>, u64)>>,
    timers_set: u64,
}

impl Exits {
    pub(super) fn new(now_ms: u64) -> Self {
        Self { now_ms, ..Self::default() }
    }

    /// A timer that is due.
    pub(super) fn due(&mut self) -> Option<Timer<Gossiper>> {
        if self.timers.peek()?.0.0 > self.now_ms {
            return None;
        }
        self.timers.pop().map(|Reverse((_, timer, _))| timer)
    }

    /// When the next timer is due.
    pub(super) fn next_due_ms(&self) -> Option<u64> {
        self.timers.peek().map(|Reverse((due_ms, _, _))| *due_ms)
    }

    /// Puts all timers off.
    pub(super) fn postpone(&mut self, by_ms: u64) {
        let timers = std::mem::take(&mut self.timers).into_iter();
        self.timers = timers.map(|Reverse((due_ms, timer, index))| Reverse((due_ms + by_ms, timer, index))).collect();
    }
}

impl Runtime<Gossiper> for Exits {
    fn notify(&mut self, notification: Notification<'_, Gossiper>) {
        self.notifications.push(notification.to_owned());
    }

    fn send_to(&mut self, to: Gossiper, data: &[u8]) {
        self.datagrams.push((to.bus, data.to_vec()));
    }

    fn submit_after(&mut self, event: Timer<Gossiper>, after: Duration) {
        self.timers_set += 1;
        self.timers.push(Reverse((self.now_ms + after.as_millis() as u64, event, self.timers_set)));
    }
}
