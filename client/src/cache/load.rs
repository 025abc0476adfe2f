//! One load from its beginning to its end, in a task of its own.
//!
//! ```text
//! limit ─► look again, if another flight has just ended ─► lease ─► loader ─► tell who waits ─► store ─► lease back
//! ```

use std::{error::Error, future::Future, sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use super::{
    Backend, CacheError, Codec, LoadOptions, Shared,
    envelope::Envelope,
    flight::{Outcome, Pilot},
    lease::Lease,
};

/// A load that is due.
pub(super) struct Load {
    /// Taken before the cache was read.
    pub(super) mark: u64,
    /// For a refresh, when the value that is to be replaced was loaded.
    pub(super) seen_created_ms: Option<u64>,
    pub(super) options: LoadOptions,
}

/// What asking for a lease came to.
enum Grant {
    /// This process loads.
    Held(Lease),
    /// Another process loaded: this is the value.
    Filled(Envelope),
    /// There is to be none, or it cannot be had: load without.
    Without,
}

impl Load {
    /// Runs the load in a task, so that it goes on when its caller gives up.
    pub(super) fn spawn<B, C, T, E, F, Fut>(self, shared: Arc<Shared<B>>, pilot: Pilot, loader: F)
    where
        B: Backend,
        C: Codec<T>,
        T: Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<Option<T>, E>> + Send + 'static,
    {
        let span = tracing::debug_span!("cache_load");
        let load = async move { self.run::<B, C, T, E, F, Fut>(&shared, &pilot, loader).await };
        tokio::spawn(load.instrument(span));
    }

    async fn run<B, C, T, E, F, Fut>(self, shared: &Shared<B>, pilot: &Pilot, loader: F)
    where
        B: Backend,
        C: Codec<T>,
        T: Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<Option<T>, E>> + Send + 'static,
    {
        let permit = match shared.limit.acquire().await {
            Ok(permit) => permit,
            Err(error) => {
                shared.metrics.counters.shed.increment();
                return pilot.publish(Err(error));
            }
        };
        if pilot.may_be_cached_since(self.mark)
            && let Some(envelope) = self.look_again::<B, C, T>(shared, pilot.key()).await
        {
            return pilot.publish(Ok(envelope));
        }
        let lease = match self.lease::<B, C, T>(shared, pilot.key()).await {
            Grant::Filled(envelope) => return pilot.publish(Ok(envelope)),
            Grant::Held(lease) => Some(lease),
            Grant::Without => None,
        };
        shared.metrics.counters.loads.increment();
        let started = Instant::now();
        let loaded = shared.call(async move { loader().await.map_err(Into::into) }, self.options.load_timeout).await;
        let load_time = started.elapsed();
        drop(permit);
        let encoded = loaded.and_then(|value| value.as_ref().map(C::encode).transpose().map_err(CacheError::Encode));
        shared.count_end(encoded.is_ok(), load_time);
        self.finish(shared, pilot, encoded.map(|payload| (C::ID, payload.map(Bytes::from), load_time)), lease).await;
    }

    /// Tells who waits, stores the value, and gives the lease back.
    async fn finish<B: Backend>(
        &self,
        shared: &Shared<B>,
        pilot: &Pilot,
        loaded: Result<(u8, Option<Bytes>, Duration), CacheError>,
        lease: Option<Lease>,
    ) {
        match loaded {
            Ok((codec, payload, load_time)) => {
                let (envelope, ttl) = shared.seal(codec, payload, load_time, &self.options);
                pilot.publish(Ok(envelope.clone()));
                let may_store = match &lease {
                    Some(lease) => lease.is_held(&shared.backend).await,
                    None => true,
                };
                if may_store {
                    shared.store(pilot, &envelope, ttl).await;
                }
            }
            Err(error) => pilot.publish(Err(error)),
        }
        if let Some(lease) = lease
            && lease.release(&shared.backend).await.is_err()
        {
            shared.metrics.counters.backend_errors.increment();
        }
    }

    /// Asks for the key's lease if there is to be one; while another process has it, looks for the value.
    async fn lease<B: Backend, C: Codec<T>, T>(&self, shared: &Shared<B>, key: &Bytes) -> Grant {
        let Some(options) = self.options.lease else {
            return Grant::Without;
        };
        let lease = Lease::new(key);
        let until = Instant::now() + options.wait;
        let poll = options.poll.max(Duration::from_millis(1));
        let mut has_waited = false;
        loop {
            match lease.take(&shared.backend, options.ttl).await {
                // The holder before may have stored the value between this process's look and its lease.
                Ok(true) => match self.look_again::<B, C, T>(shared, key).await {
                    Some(envelope) => {
                        let _ = lease.release(&shared.backend).await;
                        return Grant::Filled(envelope);
                    }
                    None => return Grant::Held(lease),
                },
                Ok(false) if Instant::now() < until => {}
                Ok(false) | Err(_) => return Grant::Without,
            }
            if !has_waited {
                has_waited = true;
                shared.metrics.counters.lease_waits.increment();
            }
            // Half of it at random, so that processes don't look in the same moment.
            tokio::time::sleep(poll.mul_f64(0.5 + 0.5 * fastrand::f64())).await;
            if let Some(envelope) = self.look_again::<B, C, T>(shared, key).await {
                return Grant::Filled(envelope);
            }
        }
    }

    /// Whether the value has been stored since the caller looked.
    async fn look_again<B: Backend, C: Codec<T>, T>(&self, shared: &Shared<B>, key: &Bytes) -> Option<Envelope> {
        let bytes = shared.read(key).await.ok()??;
        self.newer::<B, C, T>(shared, &bytes)
    }

    /// The envelope of stored bytes if it is fresh, decodable, and another than the one that the caller saw.
    pub(super) fn newer<B: Backend, C: Codec<T>, T>(&self, shared: &Shared<B>, bytes: &Bytes) -> Option<Envelope> {
        let envelope = shared.open(bytes, C::ID, &self.options)?;
        let is_fresh = envelope.is_fresh((shared.now_ms)());
        let is_decodable = envelope.payload.as_deref().is_none_or(|payload| C::decode(payload).is_ok());
        (is_fresh && is_decodable && self.seen_created_ms != Some(envelope.created_ms)).then_some(envelope)
    }
}

impl<B: Backend> Shared<B> {
    /// Runs a loader in a task of its own, where its panic is caught, for at most so long.
    pub(super) async fn call<V: Send + 'static>(
        &self,
        loader: impl Future<Output = Result<V, Box<dyn Error + Send + Sync>>> + Send + 'static,
        timeout: Duration,
    ) -> Result<V, CacheError> {
        let task = AbortOnDropHandle::new(tokio::spawn(loader.in_current_span()));
        match tokio::time::timeout(timeout, task).await {
            Ok(Ok(loaded)) => loaded.map_err(|error| CacheError::Load(Arc::from(error))),
            Ok(Err(failed)) if failed.is_panic() => Err(CacheError::Panicked),
            Ok(Err(_)) => Err(CacheError::Abandoned),
            Err(_) => Err(CacheError::TimedOut(timeout)),
        }
    }

    pub(super) fn count_end(&self, is_loaded: bool, load_time: Duration) {
        self.metrics.load_time.record(load_time);
        if !is_loaded {
            self.metrics.counters.load_failures.increment();
        }
    }

    /// Stores what was loaded, unless the key was invalidated since the load began.
    pub(super) async fn store(&self, pilot: &Pilot, envelope: &Envelope, ttl: Duration) {
        // Below a millisecond there is no TTL to store.
        if ttl < Duration::from_millis(1) || pilot.is_invalidated() {
            return;
        }
        let mut stored = self.backend.set(pilot.key(), envelope.encode(), ttl).await;
        if pilot.is_invalidated() {
            // The invalidation's delete may have overtaken the value on its way.
            stored = self.backend.delete(std::slice::from_ref(pilot.key())).await;
        }
        if let Err(error) = stored {
            self.metrics.counters.backend_errors.increment();
            tracing::debug!(%error, "a loaded value cannot be stored");
        }
    }
}

/// Tells those who wait for several flights the outcome of each.
pub(super) fn publish_all(pilots: &[Pilot], outcome: &Outcome) {
    pilots.iter().for_each(|pilot| pilot.publish(outcome.clone()));
}
