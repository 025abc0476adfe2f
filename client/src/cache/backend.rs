//! What a cache stands on: the few calls that it makes to the nodes.

use std::{future::Future, sync::Arc, time::Duration};

use bytes::Bytes;

use super::error::BackendError;

/// A store of bytes with TTLs. [`Client`](crate::Client) is one; so is the near cache in front of it.
pub trait Backend: Send + Sync + 'static {
    /// The value of a key.
    fn get(&self, key: &Bytes) -> impl Future<Output = Result<Option<Bytes>, BackendError>> + Send;

    /// The values of several keys, in their order.
    fn get_many(&self, keys: &[Bytes]) -> impl Future<Output = Result<Vec<Option<Bytes>>, BackendError>> + Send;

    /// Stores a value for a while.
    fn set(&self, key: &Bytes, value: Vec<u8>, ttl: Duration) -> impl Future<Output = Result<(), BackendError>> + Send;

    /// Removes keys.
    fn delete(&self, keys: &[Bytes]) -> impl Future<Output = Result<(), BackendError>> + Send;

    /// Stores a token under a key that holds nothing; whether it did. (`SET key token NX PX ttl`)
    fn acquire(
        &self,
        key: &Bytes,
        token: &str,
        ttl: Duration,
    ) -> impl Future<Output = Result<bool, BackendError>> + Send;

    /// Removes a key if it still holds this token.
    fn release(&self, key: &Bytes, token: &str) -> impl Future<Output = Result<(), BackendError>> + Send;
}

impl<B: Backend> Backend for Arc<B> {
    fn get(&self, key: &Bytes) -> impl Future<Output = Result<Option<Bytes>, BackendError>> + Send {
        (**self).get(key)
    }

    fn get_many(&self, keys: &[Bytes]) -> impl Future<Output = Result<Vec<Option<Bytes>>, BackendError>> + Send {
        (**self).get_many(keys)
    }

    fn set(&self, key: &Bytes, value: Vec<u8>, ttl: Duration) -> impl Future<Output = Result<(), BackendError>> + Send {
        (**self).set(key, value, ttl)
    }

    fn delete(&self, keys: &[Bytes]) -> impl Future<Output = Result<(), BackendError>> + Send {
        (**self).delete(keys)
    }

    fn acquire(
        &self,
        key: &Bytes,
        token: &str,
        ttl: Duration,
    ) -> impl Future<Output = Result<bool, BackendError>> + Send {
        (**self).acquire(key, token, ttl)
    }

    fn release(&self, key: &Bytes, token: &str) -> impl Future<Output = Result<(), BackendError>> + Send {
        (**self).release(key, token)
    }
}
