//! Leases: of all processes that miss a key, one loads it.
//!
//! A lease is a key beside the value's, with a random token and a TTL. Who stored the token loads; the others look for
//! the value from time to time. A lease is a hint that saves loads, not a lock that anything's correctness rests on: when
//! its holder dies, or waiting takes too long, others load too.

use std::time::Duration;

use bytes::Bytes;

use super::{backend::Backend, error::BackendError};

const PREFIX: &[u8] = b"rondache:lease:";

/// A lease that this process holds, or asks for.
#[derive(Debug)]
pub(crate) struct Lease {
    key: Bytes,
    token: String,
}

/// The lease's key for a key. A hash tag in the key stays the first one, so that both lie in one slot where there is one.
pub(crate) fn key_of(key: &[u8]) -> Bytes {
    Bytes::from([PREFIX, key].concat())
}

impl Lease {
    /// A lease for a key, not asked for yet.
    pub(crate) fn new(key: &[u8]) -> Self {
        Self { key: key_of(key), token: format!("{:032x}", fastrand::u128(..)) }
    }

    /// Asks for the lease; `false` if another process has it.
    pub(crate) async fn take<B: Backend>(&self, backend: &B, ttl: Duration) -> Result<bool, BackendError> {
        backend.acquire(&self.key, &self.token, ttl).await
    }

    /// Whether the lease is still this process's. An invalidation by another process takes it away: then what was
    /// loaded may be older than the change and must not be stored.
    pub(crate) async fn is_held<B: Backend>(&self, backend: &B) -> bool {
        matches!(backend.get(&self.key).await, Ok(Some(token)) if token == self.token.as_bytes())
    }

    /// Gives the lease back, unless another process has it by now.
    pub(crate) async fn release<B: Backend>(&self, backend: &B) -> Result<(), BackendError> {
        backend.release(&self.key, &self.token).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rondache_protocol::slot::slot_of;

    #[test]
    fn a_lease_lies_in_the_slot_of_a_tagged_key() {
        let key = b"{user:7}.profile";
        assert_eq!(slot_of(&key_of(key)), slot_of(key));
    }
}
