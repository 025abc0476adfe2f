//! Redis's LFU clock: 16 bits of minutes and an 8-bit logarithmic counter in the entry's 24 access bits.
//!
//! See [Using Redis as an LRU cache](https://valkey.io/topics/lru-cache/), "The new LFU mode".

/// The counter that a new key starts with, so that it is not evicted at once.
pub const INITIAL_COUNT: u32 = 5;

/// The access bits of a new key.
#[must_use]
pub fn fresh(minute: u32) -> u32 {
    pack(minute, INITIAL_COUNT)
}

/// The counter as it is now, after decay.
#[must_use]
pub fn count(access: u32, minute: u32, decay_minutes: u32) -> u32 {
    let idle_minutes = minute.wrapping_sub(access >> 8) & 0xffff;
    let periods = idle_minutes.checked_div(decay_minutes).unwrap_or(0);
    (access & 0xff).saturating_sub(periods)
}

/// The access bits after an access: the counter grows with probability 1 / ((count − 5) × factor + 1).
#[must_use]
pub fn accessed(access: u32, minute: u32, log_factor: u32, decay_minutes: u32, random: u64) -> u32 {
    let count = count(access, minute, decay_minutes);
    let base = u64::from(count.saturating_sub(INITIAL_COUNT));
    let grows = count < 255 && (random >> 32) * (base * u64::from(log_factor) + 1) <= u64::from(u32::MAX);
    pack(minute, count + u32::from(grows))
}

/// The access bits for a given counter (RESTORE's FREQ).
#[must_use]
pub fn pack(minute: u32, count: u32) -> u32 {
    (minute & 0xffff) << 8 | count.min(255)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_loses_one_count_per_idle_decay_period() {
        assert_eq!(count(pack(10, 7), 13, 1), 4);
        assert_eq!(count(pack(10, 2), 60_000, 1), 0);
        assert_eq!(count(pack(10, 7), 500, 0), 7);
    }

    #[test]
    fn a_new_key_counts_its_first_access_for_sure_and_later_ones_rarely() {
        assert_eq!(accessed(fresh(1), 1, 10, 1, u64::MAX) & 0xff, INITIAL_COUNT + 1);
        assert_eq!(accessed(pack(1, 100), 1, 10, 1, u64::MAX) & 0xff, 100);
        assert_eq!(accessed(pack(1, 100), 1, 10, 1, 0) & 0xff, 101);
    }
}
