//! Filling the cache before the traffic comes.

use std::{
    collections::HashSet,
    error::Error,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::task::JoinSet;

use super::{Backend, Cache, CacheError, Codec, LoadOptions};

/// How far [`Cache::warm`] is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WarmProgress {
    /// Different keys in all.
    pub total: usize,
    /// Keys that are done: the sum of the following.
    pub done: usize,
    /// Keys that were loaded.
    pub loaded: usize,
    /// Keys that were in the cache already, or that somebody else was loading.
    pub present: usize,
    /// Keys whose load failed or was shed.
    pub failed: usize,
}

/// What became of a key.
enum Warmed {
    Loaded,
    Present,
    Failed,
}

impl<B: Backend, C: Send + Sync + 'static> Cache<B, C> {
    /// Loads what of these keys is missing, `at_once` at a time (at least one), and reports progress after each. A key
    /// that fails does not end it. Dropping the future ends it; loads that have begun go on.
    pub async fn warm<K, T, E, F, Fut>(
        &self,
        keys: impl IntoIterator<Item = K>,
        options: &LoadOptions,
        at_once: usize,
        loader: F,
        mut progress: impl FnMut(WarmProgress),
    ) -> WarmProgress
    where
        K: AsRef<[u8]> + Clone + Eq + std::hash::Hash + Send + Sync + 'static,
        C: Codec<T>,
        T: Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>> + 'static,
        F: Fn(K) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Option<T>, E>> + Send + 'static,
    {
        let keys: HashSet<K> = keys.into_iter().collect();
        let mut at = WarmProgress { total: keys.len(), ..WarmProgress::default() };
        let (loader, mut running) = (Arc::new(loader), JoinSet::new());
        for key in keys {
            while running.len() >= at_once.max(1) {
                at.count(running.join_next().await);
                progress(at);
            }
            let (cache, options, loader) = (self.clone(), options.clone(), Arc::clone(&loader));
            running.spawn(async move { cache.warm_one(key, &options, loader).await });
        }
        while let Some(ended) = running.join_next().await {
            at.count(Some(ended));
            progress(at);
        }
        at
    }

    async fn warm_one<K, T, E, F, Fut>(&self, key: K, options: &LoadOptions, loader: Arc<F>) -> Warmed
    where
        K: AsRef<[u8]> + Clone + Send + Sync + 'static,
        C: Codec<T>,
        T: Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>> + 'static,
        F: Fn(K) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Option<T>, E>> + Send + 'static,
    {
        let is_loaded = Arc::new(AtomicBool::new(false));
        let (flag, loader_key) = (Arc::clone(&is_loaded), key.clone());
        let load = move || {
            flag.store(true, Ordering::Relaxed);
            loader(loader_key)
        };
        let outcome: Result<Option<T>, CacheError> = self.get_or_load_optional(&key, options, load).await;
        match outcome {
            Ok(_) if is_loaded.load(Ordering::Relaxed) => Warmed::Loaded,
            Ok(_) => Warmed::Present,
            Err(error) => {
                tracing::debug!(%error, "a key cannot be warmed");
                Warmed::Failed
            }
        }
    }
}

impl WarmProgress {
    fn count(&mut self, ended: Option<Result<Warmed, tokio::task::JoinError>>) {
        self.done += 1;
        match ended {
            Some(Ok(Warmed::Loaded)) => self.loaded += 1,
            Some(Ok(Warmed::Present)) => self.present += 1,
            Some(Ok(Warmed::Failed) | Err(_)) | None => self.failed += 1,
        }
    }
}
