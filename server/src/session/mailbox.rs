//! Messages from elsewhere to a connection: pub/sub, invalidations, MONITOR lines, orders to close.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    task::Waker,
    time::{Duration, Instant},
};

use bytes::Bytes;
use parking_lot::{Mutex, MutexGuard};

use crate::config::settings::OutputLimit;

/// [`Mailbox::take`] moves about this many bytes at most; the rest stays where it is counted against the limit.
pub const TAKE_BYTES_MAX: usize = 256 * 1024;

/// A queue that grew beyond this many messages is given back once it is empty.
const QUEUE_KEPT_MAX: usize = 64;

/// What others leave for a connection.
///
/// Bound: the client's output-buffer limit; a client that falls further behind is closed, and its mailbox emptied.
#[derive(Debug, Default)]
pub struct Mailbox {
    /// Whether there is anything to look at: read without the lock.
    filled: AtomicBool,
    /// Whether there is a waker; written under the lock.
    armed: AtomicBool,
    /// Bytes in the queue; written under the lock.
    queued_bytes: AtomicUsize,
    /// Bytes that the connection has for its socket already; written by the connection alone.
    unsent_bytes: AtomicUsize,
    /// Guards the queue and the waker; held for a push or a swap only, and no other lock is taken meanwhile.
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    messages: VecDeque<Bytes>,
    close: Option<CloseReason>,
    waker: Option<Waker>,
    /// Since when more than the soft limit waits.
    over_since: Option<Instant>,
    /// The connection has ended: nothing is accepted any more.
    is_shut: bool,
}

/// Why a connection is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// CLIENT KILL, or maxclients eviction.
    Killed,
    /// The output buffer went beyond its limit.
    OutputLimit,
    /// Idle for longer than `timeout`.
    Idle,
    /// The node stops.
    Shutdown,
}

impl Mailbox {
    /// Leaves a message, already encoded for the client's protocol version, and wakes the connection. If more than
    /// `limit` waits then, the client has fallen too far behind: it is closed and its messages dropped.
    pub fn push(&self, message: Bytes, limit: &OutputLimit) {
        let mut inner = self.inner.lock();
        if inner.close.is_some() || inner.is_shut {
            return;
        }
        self.queued_bytes.fetch_add(message.len(), Ordering::Relaxed);
        inner.messages.push_back(message);
        if self.is_over(&mut inner, limit) {
            self.close_with(inner, CloseReason::OutputLimit);
        } else if !self.filled.load(Ordering::Relaxed) {
            self.wake(inner);
        }
    }

    /// Closes the client if more than `limit` waits; `true`: it does.
    pub fn enforce(&self, limit: &OutputLimit) -> bool {
        let mut inner = self.inner.lock();
        let is_over = inner.close.is_none() && !inner.is_shut && self.is_over(&mut inner, limit);
        if is_over {
            self.close_with(inner, CloseReason::OutputLimit);
        }
        is_over
    }

    fn is_over(&self, inner: &mut Inner, limit: &OutputLimit) -> bool {
        let waiting_bytes = self.waiting_bytes() as u64;
        if limit.hard_bytes > 0 && waiting_bytes > limit.hard_bytes {
            return true;
        }
        if limit.soft_bytes == 0 || waiting_bytes <= limit.soft_bytes {
            inner.over_since = None;
            return false;
        }
        let since = *inner.over_since.get_or_insert_with(Instant::now);
        since.elapsed() > Duration::from_secs(limit.soft_s)
    }

    /// Orders the connection to end; the first reason stays.
    pub fn close(&self, reason: CloseReason) {
        self.close_with(self.inner.lock(), reason);
    }

    fn close_with(&self, mut inner: MutexGuard<'_, Inner>, reason: CloseReason) {
        inner.close.get_or_insert(reason);
        if reason == CloseReason::OutputLimit {
            inner.messages = VecDeque::new();
            self.queued_bytes.store(0, Ordering::Relaxed);
        }
        self.wake(inner);
    }

    /// Ends it with its connection: what waits is dropped, and so is what comes later.
    pub fn shut(&self) {
        let mut inner = self.inner.lock();
        *inner = Inner { close: inner.close, is_shut: true, ..Inner::default() };
        self.queued_bytes.store(0, Ordering::Relaxed);
        self.unsent_bytes.store(0, Ordering::Relaxed);
    }

    /// Whether the connection has ended.
    #[must_use]
    pub fn is_shut(&self) -> bool {
        self.inner.lock().is_shut
    }

    /// Wakes the connection without a message: there is something else for it to look at.
    pub fn nudge(&self) {
        let mut inner = self.inner.lock();
        self.armed.store(false, Ordering::Relaxed);
        let waker = inner.waker.take();
        drop(inner);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn wake(&self, mut inner: MutexGuard<'_, Inner>) {
        self.filled.store(true, Ordering::Release);
        self.armed.store(false, Ordering::Relaxed);
        let waker = inner.waker.take();
        drop(inner);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Bytes that wait to be sent: messages, and what the socket did not take yet.
    #[must_use]
    pub fn waiting_bytes(&self) -> usize {
        self.queued_bytes.load(Ordering::Relaxed) + self.unsent_bytes.load(Ordering::Relaxed)
    }

    /// How many messages wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.inner.lock().messages.len()
    }

    /// Whether no message waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Says how many bytes the connection has for a socket that is full. Only the connection's task calls it.
    #[inline]
    pub fn set_unsent(&self, bytes: usize) {
        if self.unsent_bytes.load(Ordering::Relaxed) != bytes {
            self.unsent_bytes.store(bytes, Ordering::Relaxed);
        }
    }

    /// Whether [`Mailbox::take`] has something.
    #[inline]
    #[must_use]
    pub fn is_filled(&self) -> bool {
        self.filled.load(Ordering::Acquire)
    }

    /// Whether the connection is to end.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.is_filled() && self.inner.lock().close.is_some()
    }

    /// Whether the connection will be woken: it has registered, and nothing has come since.
    #[inline]
    #[must_use]
    pub fn is_armed(&self) -> bool {
        self.armed.load(Ordering::Relaxed)
    }

    /// Asks to be woken when an empty mailbox gets its first message, and when the connection is to end; `true` if there
    /// is something already.
    pub fn register(&self, waker: &Waker) -> bool {
        let mut inner = self.inner.lock();
        match &mut inner.waker {
            Some(current) => current.clone_from(waker),
            empty => *empty = Some(waker.clone()),
        }
        self.armed.store(true, Ordering::Relaxed);
        self.filled.load(Ordering::Acquire)
    }

    /// Moves waiting messages to the end of `out`, about [`TAKE_BYTES_MAX`] at most, and tells whether to close.
    pub fn take(&self, out: &mut Vec<u8>) -> Option<CloseReason> {
        if !self.is_filled() {
            return None;
        }
        let mut inner = self.inner.lock();
        let mut taken = 0;
        while taken < TAKE_BYTES_MAX
            && let Some(message) = inner.messages.pop_front()
        {
            taken += message.len();
            out.extend_from_slice(&message);
        }
        if inner.messages.is_empty() && inner.messages.capacity() > QUEUE_KEPT_MAX {
            inner.messages = VecDeque::new();
        }
        self.queued_bytes.fetch_sub(taken, Ordering::Relaxed);
        // An order to close stays for every later look.
        self.filled.store(inner.close.is_some() || !inner.messages.is_empty(), Ordering::Release);
        inner.close
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_LIMIT: OutputLimit = OutputLimit { hard_bytes: 0, soft_bytes: 0, soft_s: 0 };

    #[test]
    fn a_client_beyond_the_hard_limit_is_closed_and_its_backlog_dropped() {
        let mailbox = Mailbox::default();
        let limit = OutputLimit { hard_bytes: 10, ..NO_LIMIT };
        mailbox.push(Bytes::from_static(b"0123456789"), &limit);
        assert!(!mailbox.is_closing());
        mailbox.push(Bytes::from_static(b"x"), &limit);
        assert!(mailbox.is_closing());
        assert_eq!(mailbox.waiting_bytes(), 0);
        assert_eq!(mailbox.take(&mut Vec::new()), Some(CloseReason::OutputLimit));
    }

    #[test]
    fn what_the_socket_did_not_take_counts_against_the_limit() {
        let mailbox = Mailbox::default();
        mailbox.set_unsent(11);
        assert!(mailbox.enforce(&OutputLimit { hard_bytes: 10, ..NO_LIMIT }));
        assert!(mailbox.is_closing());
    }

    #[test]
    fn the_soft_limit_gives_time_and_forgets_it_when_the_client_catches_up() {
        let mailbox = Mailbox::default();
        let patient = OutputLimit { soft_bytes: 4, soft_s: 3600, ..NO_LIMIT };
        mailbox.push(Bytes::from_static(b"12345"), &patient);
        assert!(!mailbox.enforce(&patient));
        assert!(mailbox.inner.lock().over_since.is_some());
        assert_eq!(mailbox.take(&mut Vec::new()), None);
        assert!(!mailbox.enforce(&patient));
        assert!(mailbox.inner.lock().over_since.is_none());
    }

    #[test]
    fn a_long_backlog_is_taken_in_pieces() {
        let mailbox = Mailbox::default();
        let message = Bytes::from(vec![b'x'; TAKE_BYTES_MAX]);
        mailbox.push(message.clone(), &NO_LIMIT);
        mailbox.push(message, &NO_LIMIT);
        let mut out = Vec::new();
        assert_eq!(mailbox.take(&mut out), None);
        assert_eq!(out.len(), TAKE_BYTES_MAX);
        assert!(mailbox.is_filled());
        mailbox.take(&mut out);
        assert_eq!(out.len(), 2 * TAKE_BYTES_MAX);
        assert!(!mailbox.is_filled());
    }

    #[test]
    fn nothing_is_accepted_after_the_connection_has_ended() {
        let mailbox = Mailbox::default();
        mailbox.shut();
        mailbox.push(Bytes::from_static(b"late"), &NO_LIMIT);
        assert_eq!(mailbox.waiting_bytes(), 0);
    }
}
