//! The near cache as services use it.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;

use super::{config::NearConfig, observer::TrackingObserver, reader::Near, store::NearStore};
use crate::{
    Client, ClientBuilder, ClientError,
    cache::{Backend, BackendError},
    metrics::NearCounts,
};

/// A near cache. Cloning is cheap; clones share everything.
#[derive(Clone)]
pub struct NearCache {
    inner: Arc<Near<Client>>,
}

/// What a near cache holds and has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NearSnapshot {
    /// The counters.
    pub counts: NearCounts,
    /// Entries, about.
    pub entries: u64,
    /// Their bytes, about.
    pub bytes: u64,
}

impl NearCache {
    /// Connects a client for the near cache alone, from these settings.
    ///
    /// # Errors
    /// As [`ClientBuilder::build`]; a server that does not know `CLIENT TRACKING` refuses the greeting.
    pub async fn connect(builder: ClientBuilder, config: NearConfig) -> Result<Self, ClientError> {
        let store = Arc::new(NearStore::new(config));
        let observer = Arc::new(TrackingObserver::new(Arc::clone(&store)));
        // One connection per node: a reply proves something about the reports of its own connection only.
        let client = builder.owner_only().connections_per_node(1).observer(observer).build().await?;
        Ok(Self { inner: Arc::new(Near::new(store, client)) })
    }

    /// The value of a key: from memory if possible, else from its owner.
    ///
    /// # Errors
    /// The key was not in memory, and no node answered.
    pub async fn get(&self, key: impl AsRef<[u8]>) -> Result<Option<Bytes>, BackendError> {
        let key = key.as_ref();
        if let Some(answer) = self.get_cached(key) {
            return Ok(answer);
        }
        // Boxed: a hit would pay for the size of a future that it has no use for, each time that it is moved.
        Box::pin(self.inner.fetch(&Bytes::copy_from_slice(key))).await
    }

    /// The value of a key if it is in memory: the outer option says whether it is, the inner one whether there is a
    /// value.
    #[inline]
    #[must_use]
    pub fn get_cached(&self, key: impl AsRef<[u8]>) -> Option<Option<Bytes>> {
        self.inner.get_cached(key.as_ref())
    }

    /// Drops a key from memory. Needed only where something else than nodes knows that it has changed.
    pub fn forget(&self, key: impl AsRef<[u8]>) {
        self.inner.store.invalidate(key.as_ref());
    }

    /// Drops everything from memory.
    pub fn clear(&self) {
        self.inner.store.drop_all();
    }

    /// The near cache's own client. What it writes is dropped from memory when the owner reports it; writing through
    /// [`Backend`] drops it at once.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.inner.source
    }

    /// What it holds and has counted.
    #[must_use]
    pub fn metrics(&self) -> NearSnapshot {
        let (entries, bytes) = self.inner.store.size();
        NearSnapshot { counts: self.inner.store.counters.snapshot(), entries, bytes }
    }
}

impl std::fmt::Debug for NearCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NearCache").field("config", &self.inner.store.config).finish_non_exhaustive()
    }
}

/// The near cache in front of the nodes, as what a [`Cache`](crate::cache::Cache) stands on.
impl Backend for NearCache {
    async fn get(&self, key: &Bytes) -> Result<Option<Bytes>, BackendError> {
        self.inner.get(key).await
    }

    async fn get_many(&self, keys: &[Bytes]) -> Result<Vec<Option<Bytes>>, BackendError> {
        let mut values: Vec<Option<Option<Bytes>>> = keys.iter().map(|key| self.get_cached(key)).collect();
        // All requests are begun before the first reply is waited for, so that they share their writes.
        let mut fetches = tokio::task::JoinSet::new();
        for (at, key) in keys.iter().enumerate().filter(|(at, _)| values[*at].is_none()) {
            let (near, key) = (Arc::clone(&self.inner), key.clone());
            fetches.spawn(async move { (at, near.fetch(&key).await) });
        }
        while let Some(fetched) = fetches.join_next().await {
            let (at, value) = fetched.map_err(BackendError::new)?;
            values[at] = Some(value?);
        }
        Ok(values.into_iter().map(Option::unwrap_or_default).collect())
    }

    async fn set(&self, key: &Bytes, value: Vec<u8>, ttl: Duration) -> Result<(), BackendError> {
        let _forget = Forget::new(self, std::slice::from_ref(key));
        Backend::set(self.client(), key, value, ttl).await
    }

    async fn delete(&self, keys: &[Bytes]) -> Result<(), BackendError> {
        let _forget = Forget::new(self, keys);
        Backend::delete(self.client(), keys).await
    }

    async fn acquire(&self, key: &Bytes, token: &str, ttl: Duration) -> Result<bool, BackendError> {
        let _forget = Forget::new(self, std::slice::from_ref(key));
        Backend::acquire(self.client(), key, token, ttl).await
    }

    async fn release(&self, key: &Bytes, token: &str) -> Result<(), BackendError> {
        let _forget = Forget::new(self, std::slice::from_ref(key));
        Backend::release(self.client(), key, token).await
    }
}

/// Drops keys from memory before a change and after it, also if it fails or is cancelled: what is read while it is under
/// way may be either, and who made the change must see it from then on.
struct Forget<'a> {
    near: &'a NearCache,
    keys: &'a [Bytes],
}

impl<'a> Forget<'a> {
    fn new(near: &'a NearCache, keys: &'a [Bytes]) -> Self {
        keys.iter().for_each(|key| near.forget(key));
        Self { near, keys }
    }
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.keys.iter().for_each(|key| self.near.forget(key));
    }
}
