//! Pub/sub, keyspace events and invalidations.

use crate::store::observer::{EventClass, Interest, Observer};

/// Who listens to what.
#[derive(Debug, Default)]
pub struct Hub {}

impl Hub {
    /// Whether a client reads MONITOR's lines.
    #[inline]
    #[must_use]
    pub fn has_monitors(&self) -> bool {
        false
    }
}

impl Observer for Hub {
    fn interest(&self) -> Interest {
        Interest::default()
    }
    fn invalidated(&self, _origin: u64, _db: usize, _key: &[u8]) {}
    fn event(&self, _class: EventClass, _event: &str, _db: usize, _key: &[u8]) {}
}
