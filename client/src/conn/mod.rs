//! One multiplexed, pipelined connection that many tasks share.
//!
//! ```text
//! task ─ encode into the queue's buffer, leave a waker ─┐            one lock, held for a copy
//! task ─ …                                             ├─► driver: one write for all ─► node
//! task ◄─ woken, takes its reply from its slot ────────┴── driver: decode, hand out, wake ◄─ node
//! ```
//!
//! A request costs no task, no timer and no channel: two short locks of the queue, and a copy. The driver is one task a
//! connection. When requests wake it, it lets the other tasks that are ready run first, so that what they send goes out
//! in the same write.

pub(crate) mod connect;
mod driver;
mod observer;
mod queue;
mod request;
#[cfg(feature = "tls")]
pub(crate) mod tls;

use std::{
    future::poll_fn,
    sync::Arc,
    task::Poll,
    time::{Duration, Instant},
};

use parking_lot::{Mutex, MutexGuard};
use tokio::runtime::Handle;

pub use observer::ConnectionObserver;
pub(crate) use queue::{Failure, FailureKind, Outcome, Refusal};
pub(crate) use request::{Payload, Request};

use crate::{
    config::{LinkConfig, seed::Seed},
    error::{ClientError, LinkError},
};
use queue::{Queue, QueueLimits, Status};

/// A connection to one address. It is made when a request needs it, and made again after it was lost.
pub(crate) struct Conn {
    shared: Arc<Shared>,
}

struct Shared {
    addr: Seed,
    name: Arc<str>,
    link: Arc<LinkConfig>,
    runtime: Handle,
    /// Held for a copy or a hand-out, never across a system call or an await.
    queue: Mutex<Queue>,
}

impl Conn {
    /// A connection that is not made yet.
    pub(crate) fn new(addr: Seed, link: Arc<LinkConfig>, runtime: Handle) -> Self {
        let limits = QueueLimits { in_flight: link.in_flight_max, bytes: link.queued_bytes_max };
        let name = addr.to_string().into();
        Self { shared: Arc::new(Shared { addr, name, link, runtime, queue: Mutex::new(Queue::new(limits)) }) }
    }

    /// The node's address.
    pub(crate) fn name(&self) -> &Arc<str> {
        &self.shared.name
    }

    pub(crate) fn addr(&self) -> &Seed {
        &self.shared.addr
    }

    /// Sends commands and waits for what becomes of them, until the deadline at the latest.
    #[inline]
    pub(crate) fn request<'a>(&'a self, payload: Payload<'a>, deadline: Instant) -> Request<'a> {
        Request::new(self, payload, deadline)
    }

    /// Waits until the queue takes requests again, or cannot for another reason than being full.
    pub(crate) async fn room(&self) {
        poll_fn(|cx| if self.queue().wait_for_room(cx.waker()) { Poll::Ready(()) } else { Poll::Pending }).await;
    }

    /// Requests that wait for replies.
    pub(crate) fn in_flight(&self) -> usize {
        self.queue().in_flight()
    }

    /// Whether a request would have to wait for nothing but the node.
    pub(crate) fn is_up(&self) -> bool {
        matches!(self.queue().status, Status::Up)
    }

    /// Whether a request would be refused at once, because the last attempt to connect failed a moment ago.
    pub(crate) fn is_backing_off(&self) -> bool {
        matches!(&self.queue().status, Status::Down { until, .. } if Instant::now() < *until)
    }

    /// Ends the connection for good. Requests in flight fail.
    pub(crate) fn close(&self) {
        let driver = {
            let mut queue = self.queue();
            queue.status = Status::Closed;
            queue.rouse()
        };
        if let Some(driver) = driver {
            driver.wake();
        }
    }

    #[inline]
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.shared.queue.lock()
    }

    /// Begins to connect if that is due; `false` if it isn't.
    fn begin_connecting(&self) -> bool {
        {
            let mut queue = self.queue();
            match &queue.status {
                Status::Idle => {}
                Status::Down { until, .. } if Instant::now() >= *until => {}
                // Another task was faster.
                Status::Connecting | Status::Up => return true,
                Status::Down { .. } | Status::Closed => return false,
            }
            queue.status = Status::Connecting;
        }
        self.shared.runtime.spawn(driver::run(self.shared.clone()));
        true
    }
}

impl Drop for Conn {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    /// A connection, or the attempt to make one, has ended after so many bytes were written.
    fn ended(&self, why: &LinkError, written: u64, was_useful: bool) {
        let mut wakers = Vec::new();
        {
            let mut queue = self.queue.lock();
            queue.fail_all(why, written, &mut wakers);
            queue.failures = if was_useful { 0 } else { queue.failures.saturating_add(1) };
            if !matches!(queue.status, Status::Closed) {
                queue.status = if was_useful {
                    Status::Idle
                } else {
                    Status::Down { until: Instant::now() + self.backoff(queue.failures), why: why.clone() }
                };
            }
        }
        wakers.into_iter().for_each(std::task::Waker::wake);
    }

    /// Doubles with every failure, and varies by half, so that clients don't come back all at once.
    fn backoff(&self, failures: u32) -> Duration {
        let doubled = self.link.backoff_min.saturating_mul(1 << failures.saturating_sub(1).min(16));
        doubled.min(self.link.backoff_max).mul_f64(0.5 + fastrand::f64() / 2.0)
    }
}

/// What a failed request is to the caller.
pub(crate) fn request_error(node: &Arc<str>, failure: &Failure, after: Duration) -> ClientError {
    let node = node.clone();
    match &failure.kind {
        FailureKind::Timeout => ClientError::Timeout { node, sent: failure.sent, after },
        FailureKind::Link(LinkError::ShutDown) if !failure.sent => ClientError::Closed,
        FailureKind::Link(reason) if failure.sent => ClientError::MaybeExecuted { node, reason: reason.clone() },
        FailureKind::Link(reason) => ClientError::NotSent { node, reason: reason.clone() },
    }
}

/// What a refused request is to the caller.
pub(crate) fn refusal_error(node: &Arc<str>, refusal: Refusal) -> ClientError {
    let node = node.clone();
    match refusal {
        Refusal::Busy(limit) => ClientError::Busy { node, limit },
        Refusal::Closed => ClientError::Closed,
        Refusal::Idle => ClientError::NotSent { node, reason: LinkError::ShutDown },
        // What has to be mended by hand is told as it is, each time.
        Refusal::Down(why @ (LinkError::Refused(_) | LinkError::Certificate(_) | LinkError::Tls(_))) => {
            ClientError::NotSent { node, reason: why }
        }
        Refusal::Down(why) => ClientError::NotSent { node, reason: LinkError::BackingOff(why.to_string().into()) },
    }
}
