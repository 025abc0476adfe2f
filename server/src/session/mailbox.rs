//! Messages from elsewhere to a connection: pub/sub, invalidations, MONITOR lines, orders to close.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    task::Waker,
};

use bytes::Bytes;
use parking_lot::Mutex;

/// What others leave for a connection.
///
/// Bound: the client's output-buffer limit; a client that falls further behind is closed, and its mailbox emptied.
#[derive(Debug, Default)]
pub struct Mailbox {
    /// Whether there is anything to look at: read without the lock.
    filled: AtomicBool,
    waiting_bytes: AtomicUsize,
    /// Guards the queue and the waker; held for a push or a swap only.
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    messages: VecDeque<Bytes>,
    close: Option<CloseReason>,
    waker: Option<Waker>,
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
    /// Leaves a message, already encoded for the client's protocol version, and wakes the connection.
    pub fn push(&self, message: Bytes) {
        let mut inner = self.inner.lock();
        if inner.close.is_some() {
            return;
        }
        self.waiting_bytes.fetch_add(message.len(), Ordering::Relaxed);
        inner.messages.push_back(message);
        self.wake(inner);
    }

    /// Orders the connection to end; the first reason stays.
    pub fn close(&self, reason: CloseReason) {
        let mut inner = self.inner.lock();
        inner.close.get_or_insert(reason);
        if reason == CloseReason::OutputLimit {
            inner.messages.clear();
            self.waiting_bytes.store(0, Ordering::Relaxed);
        }
        self.wake(inner);
    }

    fn wake(&self, mut inner: parking_lot::MutexGuard<'_, Inner>) {
        self.filled.store(true, Ordering::Release);
        let waker = inner.waker.take();
        drop(inner);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Bytes that wait to be sent.
    #[must_use]
    pub fn waiting_bytes(&self) -> usize {
        self.waiting_bytes.load(Ordering::Relaxed)
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
        self.inner.lock().close.is_some()
    }

    /// Asks to be woken at the next message; `true` if there is one already.
    pub fn register(&self, waker: &Waker) -> bool {
        let mut inner = self.inner.lock();
        if self.filled.load(Ordering::Acquire) {
            return true;
        }
        match &mut inner.waker {
            Some(current) => current.clone_from(waker),
            empty => *empty = Some(waker.clone()),
        }
        false
    }

    /// Moves the waiting messages to the end of `out` and tells whether to close.
    pub fn take(&self, out: &mut Vec<u8>) -> Option<CloseReason> {
        if !self.is_filled() {
            return None;
        }
        let mut inner = self.inner.lock();
        for message in inner.messages.drain(..) {
            out.extend_from_slice(&message);
        }
        self.waiting_bytes.store(0, Ordering::Relaxed);
        // An order to close stays for every later look.
        self.filled.store(inner.close.is_some(), Ordering::Release);
        inner.close
    }
}
