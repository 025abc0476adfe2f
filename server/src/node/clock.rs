//! The node's clocks. Only the runtime side reads them; the store is told the time.

use std::time::{SystemTime, UNIX_EPOCH};

/// The unix time in ms.
#[must_use]
pub fn unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// The unix time in µs.
#[must_use]
pub fn unix_us() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64)
}
