//! What can go wrong with a cached load.

use std::{error::Error, sync::Arc, time::Duration};

/// The error of a loader, shared by all who waited for it.
pub type LoaderError = Arc<dyn Error + Send + Sync>;

/// Why there is no value. Every waiter of one load gets the same error.
///
/// A cache that cannot be reached is not among them: the value is then loaded, within the limit on concurrent loads.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheError {
    /// The loader failed, and nothing stale could be served instead.
    #[error("loading failed: {0}")]
    Load(LoaderError),
    /// The loader panicked. The next call for the key loads again.
    #[error("the loader panicked")]
    Panicked,
    /// The load ended without an outcome: the runtime is shutting down.
    #[error("the load was abandoned because the runtime is shutting down")]
    Abandoned,
    /// The loader took longer than [`LoadOptions::load_timeout`](super::LoadOptions::load_timeout).
    #[error("the loader took longer than {0:?}")]
    TimedOut(Duration),
    /// Too many loads run and wait already: shed this request, or raise the limits of the cache.
    #[error("too many loads: {running} run and {queued} wait already")]
    Shed {
        /// The limit on loads that run at once.
        running: usize,
        /// The limit on loads that wait for one of these to end.
        queued: usize,
    },
    /// The value cannot be encoded with the cache's codec; it was not cached.
    #[error("the value cannot be encoded for the cache: {0}")]
    Encode(CodecError),
    /// The loader answered that there is no value where one was required.
    #[error("there is no such value")]
    Missing,
    /// The cache could not be reached where there is no loader to fall back on.
    #[error("the cache could not be reached: {0}")]
    Backend(BackendError),
}

/// Why the cache could not be read or written.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct BackendError(pub Arc<dyn Error + Send + Sync>);

impl BackendError {
    /// Wraps an error.
    pub fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(Arc::from(error.into()))
    }
}

/// Why a value could not be encoded or decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{codec}: {reason}")]
pub struct CodecError {
    /// The codec.
    pub codec: &'static str,
    /// Its words.
    pub reason: String,
}
