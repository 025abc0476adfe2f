//! Where the near cache reads from.

use std::{future::Future, sync::Arc, time::Duration};

use bytes::Bytes;

use crate::cache::BackendError;

/// A value as a node holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fetched {
    pub(super) value: Option<Bytes>,
    /// How long the key will live; nothing if without end, or if there is none.
    pub(super) lives_for: Option<Duration>,
}

/// A way to the owner of a key.
pub(super) trait Route: Send + Sync {
    /// The node at its end, by the name that invalidations carry.
    fn node(&self) -> Arc<str>;
}

/// The nodes, over connections on which they report changes.
pub(super) trait Source: Send + Sync + 'static {
    /// A way to a node.
    type Route: Route;

    /// The way to the owner of a key, as far as is known.
    fn route(&self, key: &[u8]) -> Option<Self::Route>;

    /// Reads a key over this way and no other: nothing if it isn't the owner's or doesn't work.
    fn fetch(&self, route: &Self::Route, key: &Bytes) -> impl Future<Output = Option<Fetched>> + Send;

    /// Reads a key over whichever way works. The answer is not kept.
    fn fetch_anywhere(&self, key: &Bytes) -> impl Future<Output = Result<Option<Bytes>, BackendError>> + Send;

    /// Whether the node at the end of this way answers, within the time.
    fn ping(&self, route: &Self::Route, within: Duration) -> impl Future<Output = bool> + Send;

    /// The ways to all nodes, each with a digest of the slots that it owns.
    fn routes(&self) -> Vec<(Self::Route, u64)>;
}
