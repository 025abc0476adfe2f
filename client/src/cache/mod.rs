//! A look-aside cache that shields what it stands in front of: each missing value is loaded once, not by everyone who
//! wants it.
//!
//! ```no_run
//! # use std::time::Duration;
//! # use rondache_client::{Client, cache::{Cache, LoadOptions}};
//! # async fn example(client: Client) -> Result<(), Box<dyn std::error::Error>> {
//! let cache: Cache = Cache::new(client);
//! let options = LoadOptions::new(Duration::from_secs(60));
//! let name: String = cache
//!     .get_or_load("user:7:name", &options, || async { Ok::<_, std::io::Error>("from the database".to_owned()) })
//!     .await?;
//! # drop(name); Ok(())
//! # }
//! ```
//!
//! | danger | answer |
//! |---|---|
//! | many tasks miss one key | one flight in the process ([`Cache::get_or_load`]), one lease among processes ([`LeaseOptions`]) |
//! | a hot key expires | it is refreshed early, by chance (XFetch), or answered stale while it is loaded anew |
//! | many keys expire together | the TTL is jittered |
//! | many different keys are missing | so many loads at once, so many wait, the rest is shed ([`CacheError::Shed`]) |
//! | the origin fails | the stale value is answered for a while |
//! | keys that don't exist | "there is none" is remembered too |
//! | the cache fails | loads go on, within the same limits |
//! | the value is another program version's | counts as a miss |
//!
//! Loaders run in tasks of their own: a caller that gives up does not take the value away from the others, and a loader
//! that panics is an error of this load, not the end of the process.

mod backend;
mod builder;
mod client_backend;
mod codec;
mod early;
mod envelope;
mod error;
mod flight;
mod lease;
mod limit;
mod load;
mod lookup;
mod many;
mod options;
mod warm;

use std::{error::Error, future::Future, marker::PhantomData, sync::Arc, time::Duration};

use bytes::Bytes;

pub use backend::Backend;
pub use builder::CacheBuilder;
pub use codec::{Bincode, Codec, Json, Raw};
pub use error::{BackendError, CacheError, CodecError, LoaderError};
pub use options::{LeaseOptions, LoadOptions};
pub use warm::WarmProgress;

use crate::{
    Client,
    metrics::{CacheSnapshot, cache::CacheMetrics},
};
use envelope::Envelope;
use flight::{Flights, Role};
use limit::LoadLimit;
use load::Load;
use lookup::Found;

/// A look-aside cache whose values are encoded with the codec `C`. Cloning is cheap; clones share everything.
pub struct Cache<B = Client, C = Bincode> {
    shared: Arc<Shared<B>>,
    codec: PhantomData<fn() -> C>,
}

struct Shared<B> {
    backend: B,
    prefix: Bytes,
    read_timeout: Duration,
    flights: Arc<Flights>,
    limit: LoadLimit,
    metrics: CacheMetrics,
    now_ms: builder::Clock,
}

impl<B: Backend> Cache<B, Bincode> {
    /// A cache with the default limits; [`Cache::builder`] sets others.
    pub fn new(backend: B) -> Self {
        CacheBuilder::default().build(backend)
    }
}

impl Cache<Client, Bincode> {
    /// Begins a cache's settings.
    pub fn builder() -> CacheBuilder {
        CacheBuilder::default()
    }
}

impl<B, C> Clone for Cache<B, C> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), codec: PhantomData }
    }
}

impl<B, C> std::fmt::Debug for Cache<B, C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache").field("prefix", &self.shared.prefix).finish_non_exhaustive()
    }
}

impl<B: Backend, C: Send + Sync + 'static> Cache<B, C> {
    /// The same cache with another codec: [`Json`], [`Raw`], or one of your own.
    #[must_use]
    pub fn with_codec<D>(&self) -> Cache<B, D> {
        Cache { shared: Arc::clone(&self.shared), codec: PhantomData }
    }

    /// What the cache stands on.
    #[must_use]
    pub fn backend(&self) -> &B {
        &self.shared.backend
    }

    /// The cache's counters.
    #[must_use]
    pub fn metrics(&self) -> CacheSnapshot {
        self.shared.metrics.snapshot()
    }

    /// The value of a key, loaded if it is missing. However many tasks ask, the loader runs once at a time.
    ///
    /// # Errors
    /// Any [`CacheError`]. [`CacheError::Missing`] if [`get_or_load_optional`](Self::get_or_load_optional) remembered
    /// that there is no such value.
    pub async fn get_or_load<T, E, F, Fut>(
        &self,
        key: impl AsRef<[u8]>,
        options: &LoadOptions,
        loader: F,
    ) -> Result<T, CacheError>
    where
        C: Codec<T>,
        T: Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
    {
        let loader = || async { loader().await.map(Some) };
        self.get_or_load_optional(key, options, loader).await?.ok_or(CacheError::Missing)
    }

    /// As [`get_or_load`](Self::get_or_load), where the loader may answer that there is no such value. That is
    /// remembered for [`LoadOptions::negative_ttl`], so that requests for what doesn't exist don't all reach the origin.
    ///
    /// # Errors
    /// Any [`CacheError`] but [`CacheError::Missing`].
    pub async fn get_or_load_optional<T, E, F, Fut>(
        &self,
        key: impl AsRef<[u8]>,
        options: &LoadOptions,
        loader: F,
    ) -> Result<Option<T>, CacheError>
    where
        C: Codec<T>,
        T: Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<Option<T>, E>> + Send + 'static,
    {
        let key = self.shared.key(key.as_ref());
        let counters = &self.shared.metrics.counters;
        let mark = self.shared.flights.mark(&key);
        let found = self.shared.look_up::<C, T>(&key, options).await;
        let load = |seen| Load { mark, seen_created_ms: seen, options: options.clone() };
        let stale = match found {
            Found::Fresh { value } => return Ok(value),
            Found::Aging { value, created_ms, is_stale } => {
                if let Some(pilot) = self.shared.flights.try_lead(&key) {
                    self.shared.count_refresh(is_stale);
                    load(Some(created_ms)).spawn::<B, C, T, E, _, _>(Arc::clone(&self.shared), pilot, loader);
                }
                return Ok(value);
            }
            Found::Expired { value } => Some(value),
            Found::Missing => None,
        };
        let passenger = match self.shared.flights.join(&key) {
            Role::Leader(pilot) => {
                let passenger = pilot.passenger();
                load(None).spawn::<B, C, T, E, _, _>(Arc::clone(&self.shared), pilot, loader);
                passenger
            }
            Role::Follower(passenger) => {
                counters.coalesced.increment();
                passenger
            }
        };
        match passenger.outcome().await {
            Ok(envelope) => decode_outcome::<C, T>(&envelope, options),
            Err(error) => match stale {
                Some(stale) => {
                    counters.stale_on_error.increment();
                    Ok(Some(stale))
                }
                None => Err(error),
            },
        }
    }

    /// The value of a key if it is in the cache and fresh, without loading it.
    ///
    /// # Errors
    /// [`CacheError::Backend`].
    pub async fn get<T>(&self, key: impl AsRef<[u8]>, options: &LoadOptions) -> Result<Option<T>, CacheError>
    where
        C: Codec<T>,
    {
        let key = self.shared.key(key.as_ref());
        let bytes = self.shared.read(&key).await.map_err(CacheError::Backend)?;
        let envelope = bytes.and_then(|bytes| self.shared.open(&bytes, C::ID, options));
        let fresh = envelope.filter(|envelope| envelope.is_fresh((self.shared.now_ms)()));
        Ok(fresh.and_then(|envelope| envelope.payload).and_then(|payload| C::decode(&payload).ok()))
    }

    /// Stores a value that the caller knows, for example after writing it to the origin. What is being loaded for the key
    /// meanwhile is not stored over it.
    ///
    /// # Errors
    /// [`CacheError::Encode`] and [`CacheError::Backend`].
    pub async fn put<T>(&self, key: impl AsRef<[u8]>, value: &T, options: &LoadOptions) -> Result<(), CacheError>
    where
        C: Codec<T>,
    {
        let key = self.shared.key(key.as_ref());
        let payload = C::encode(value).map_err(CacheError::Encode)?;
        let (envelope, ttl) = self.shared.seal(C::ID, Some(payload.into()), Duration::ZERO, options);
        self.shared.flights.invalidate(&key);
        self.shared.backend.set(&key, envelope.encode(), ttl).await.map_err(CacheError::Backend)
    }

    /// Removes a key. What is being loaded for it, here or by the holder of a lease, is not stored either: it may be
    /// older than the change that the caller knows of. Call this after the origin was changed.
    ///
    /// # Errors
    /// [`CacheError::Backend`]: the value may still be there.
    pub async fn invalidate(&self, key: impl AsRef<[u8]>) -> Result<(), CacheError> {
        self.invalidate_many([key]).await
    }

    /// Removes keys; see [`invalidate`](Self::invalidate).
    ///
    /// # Errors
    /// [`CacheError::Backend`]: some may still be there.
    pub async fn invalidate_many<K: AsRef<[u8]>>(&self, keys: impl IntoIterator<Item = K>) -> Result<(), CacheError> {
        let mut doomed = Vec::new();
        for key in keys {
            let key = self.shared.key(key.as_ref());
            self.shared.flights.invalidate(&key);
            self.shared.metrics.counters.invalidations.increment();
            // The lease first: its holder checks it before it stores the value.
            doomed.extend([lease::key_of(&key), key]);
        }
        if doomed.is_empty() {
            return Ok(());
        }
        self.shared.backend.delete(&doomed).await.map_err(CacheError::Backend)
    }
}

/// What a flight's outcome is to a caller, who may want another type than the one who loaded.
fn decode_outcome<C: Codec<T>, T>(envelope: &Envelope, options: &LoadOptions) -> Result<Option<T>, CacheError> {
    let Some(payload) = &envelope.payload else {
        return Ok(None);
    };
    if envelope.codec != C::ID || envelope.schema != options.schema {
        let reason = "the key is being loaded with another codec or schema".to_owned();
        return Err(CacheError::Encode(CodecError { codec: "cache", reason }));
    }
    C::decode(payload).map(Some).map_err(CacheError::Encode)
}

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;
