//! Reading through the near cache, over any source.

use std::sync::Arc;

use bytes::Bytes;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::{
    keeper,
    source::{Route, Source},
    store::NearStore,
};
use crate::cache::BackendError;

/// A near cache over any source.
pub(super) struct Near<S> {
    pub(super) store: Arc<NearStore>,
    pub(super) source: Arc<S>,
    _keeper: AbortOnDropHandle<()>,
}

impl<S: Source> Near<S>
where
    S::Route: 'static,
{
    pub(super) fn new(store: Arc<NearStore>, source: S) -> Self {
        let source = Arc::new(source);
        let keeper = keeper::run(Arc::downgrade(&store), Arc::clone(&source));
        Self { store, source, _keeper: AbortOnDropHandle::new(tokio::spawn(keeper)) }
    }

    #[inline]
    pub(super) fn get_cached(&self, key: &[u8]) -> Option<Option<Bytes>> {
        let answer = self.store.get(key, Instant::now())?;
        self.store.counters.hits.increment();
        Some(answer)
    }

    pub(super) async fn get(&self, key: &Bytes) -> Result<Option<Bytes>, BackendError> {
        match self.get_cached(key) {
            Some(answer) => Ok(answer),
            // Boxed, so that the future of a hit is small.
            None => Box::pin(self.fetch(key)).await,
        }
    }

    pub(super) async fn fetch(&self, key: &Bytes) -> Result<Option<Bytes>, BackendError> {
        let store = &self.store;
        store.counters.misses.increment();
        if let Some(route) = self.source.route(key).filter(|_| store.config.tracking.covers(key)) {
            let fetch = store.begin(key, &store.node(&route.node()));
            if let Some(fetched) = self.source.fetch(&route, key).await {
                fetch.answered(fetched.value.as_ref(), fetched.lives_for);
                return Ok(fetched.value);
            }
        }
        let fetched = self.source.fetch_anywhere(key).await;
        if fetched.is_err() {
            store.counters.fetch_errors.increment();
        }
        fetched
    }
}
