//! The node's clocks. Only the runtime side reads them; the store is told the time.

use std::time::{SystemTime, UNIX_EPOCH};

/// The unix time in ms.
#[must_use]
pub fn unix_ms() -> u64 {
    #[cfg(test)]
    if let Some(times) = simulated::times() {
        return times.unix_ms;
    }
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// The unix time in µs.
#[must_use]
pub fn unix_us() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64)
}

/// Milliseconds since the machine started, by a clock that nobody sets and that counts on while the machine sleeps.
#[must_use]
pub fn boot_ms() -> u64 {
    #[cfg(test)]
    if let Some(times) = simulated::times() {
        return times.boot_ms;
    }
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    u64::try_from(now.tv_sec).unwrap_or(0) * 1000 + u64::try_from(now.tv_nsec).unwrap_or(0) / 1_000_000
}

/// Clocks that a simulation sets, for the thread that it runs on.
#[cfg(test)]
pub(crate) mod simulated {
    use std::cell::Cell;

    /// What the clocks of a simulated node show.
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Times {
        pub(crate) unix_ms: u64,
        pub(crate) boot_ms: u64,
    }

    thread_local! {
        static TIMES: Cell<Option<Times>> = const { Cell::new(None) };
    }

    /// Sets the clocks of this thread; `None`: they are the machine's again.
    pub(crate) fn set(times: Option<Times>) {
        TIMES.set(times);
    }

    pub(super) fn times() -> Option<Times> {
        TIMES.get()
    }
}
