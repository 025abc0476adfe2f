//! The limit on concurrent loads: what protects the origin when many different keys are missing at once.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::CacheError;

/// So many loads run, so many wait for one of these to end, and all others are shed.
#[derive(Debug)]
pub(crate) struct LoadLimit {
    permits: Arc<Semaphore>,
    running_max: usize,
    queued: AtomicUsize,
    queued_max: usize,
}

impl LoadLimit {
    pub(crate) fn new(running_max: usize, queued_max: usize) -> Self {
        let running_max = running_max.clamp(1, Semaphore::MAX_PERMITS);
        Self { permits: Arc::new(Semaphore::new(running_max)), running_max, queued: AtomicUsize::new(0), queued_max }
    }

    /// Waits for permission to load, which ends when it is dropped. Those who wait get it in the order that they came.
    pub(crate) async fn acquire(&self) -> Result<OwnedSemaphorePermit, CacheError> {
        if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            return Ok(permit);
        }
        let _place = self.queue()?;
        // The semaphore is never closed.
        Arc::clone(&self.permits).acquire_owned().await.map_err(|_| CacheError::Abandoned)
    }

    fn queue(&self) -> Result<Place<'_>, CacheError> {
        let enter = |queued: usize| (queued < self.queued_max).then_some(queued + 1);
        match self.queued.fetch_update(Ordering::Relaxed, Ordering::Relaxed, enter) {
            Ok(_) => Ok(Place(&self.queued)),
            Err(queued) => Err(CacheError::Shed { running: self.running_max, queued }),
        }
    }
}

/// A place in the queue, given up when it is dropped, also by cancellation.
struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{future::Future, pin::pin, task::Poll};

    /// Polls once: whether it is ready.
    async fn is_ready(future: impl Future) -> bool {
        let mut future = pin!(future);
        std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_ready())).await
    }

    #[tokio::test]
    async fn what_exceeds_the_queue_is_shed() {
        let limit = LoadLimit::new(1, 1);
        let running = limit.acquire().await;
        let mut waiting = pin!(limit.acquire());
        assert!(!is_ready(waiting.as_mut()).await);
        assert!(matches!(limit.acquire().await, Err(CacheError::Shed { running: 1, queued: 1 })));
        drop(running);
        assert!(waiting.await.is_ok());
    }

    #[tokio::test]
    async fn who_gives_up_waiting_gives_up_the_place() {
        let limit = LoadLimit::new(1, 1);
        let _running = limit.acquire().await;
        assert!(!is_ready(limit.acquire()).await);
        assert!(!is_ready(limit.acquire()).await, "the place of a cancelled waiter is still taken");
    }
}
