//! Fetches that are under way, so that an invalidation which overtakes a value keeps it out.
//!
//! A value and the news that it has changed may be handled by different tasks: the news by the connection's, the value by
//! whoever asked for it. So each fetch leaves a placeholder *before* the request is sent; the news removes the
//! placeholder; and a value is only kept if its placeholder is still there. This is what Redis's documentation on
//! client-side caching advises.

use std::collections::HashMap;

use bytes::Bytes;
use parking_lot::Mutex;
use xxhash_rust::xxh3::xxh3_64;

/// Locks, so that keys rarely contend for one.
const SHARDS: usize = 64;

/// The placeholders of all fetches.
#[derive(Debug)]
pub(super) struct Fills {
    /// Each guards its keys' placeholders *and* changes of their entries: keeping a value and dropping it must not
    /// overlap. Held for a microsecond; no other lock of this crate is taken under it.
    shards: Box<[Mutex<Shard>]>,
}

#[derive(Debug, Default)]
struct Shard {
    placeholders: HashMap<Bytes, Placeholder>,
    last_token: u64,
}

#[derive(Debug)]
struct Placeholder {
    token: u64,
    fetches: u32,
}

impl Fills {
    pub(super) fn new() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }

    /// Leaves a placeholder. Fetches of one key share it until it is removed: those that begin after that get a new one,
    /// for they read what is there after the change.
    pub(super) fn begin(&self, key: &Bytes) -> u64 {
        let mut shard = self.shard(key).lock();
        if let Some(placeholder) = shard.placeholders.get_mut(key) {
            placeholder.fetches += 1;
            return placeholder.token;
        }
        shard.last_token += 1;
        let token = shard.last_token;
        shard.placeholders.insert(key.clone(), Placeholder { token, fetches: 1 });
        token
    }

    /// Runs `keep` if the placeholder is still there; `false` if it isn't.
    pub(super) fn keep(&self, key: &Bytes, token: u64, keep: impl FnOnce()) -> bool {
        let shard = self.shard(key).lock();
        let is_there = shard.placeholders.get(key).is_some_and(|placeholder| placeholder.token == token);
        if is_there {
            keep();
        }
        is_there
    }

    /// A fetch has ended, with a value or without.
    pub(super) fn end(&self, key: &Bytes, token: u64) {
        let mut shard = self.shard(key).lock();
        if let Some(placeholder) = shard.placeholders.get_mut(key)
            && placeholder.token == token
        {
            placeholder.fetches -= 1;
            if placeholder.fetches == 0 {
                shard.placeholders.remove(key);
            }
        }
    }

    /// Removes the placeholder and runs `forget`, with nothing in between.
    pub(super) fn invalidate(&self, key: &[u8], forget: impl FnOnce()) {
        let mut shard = self.shard(key).lock();
        shard.placeholders.remove(key);
        forget();
    }

    fn shard(&self, key: &[u8]) -> &Mutex<Shard> {
        &self.shards[xxh3_64(key) as usize % SHARDS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Bytes = Bytes::from_static(b"key");

    #[test]
    fn an_invalidation_during_a_fetch_keeps_its_value_out() {
        let fills = Fills::new();
        let token = fills.begin(&KEY);
        fills.invalidate(&KEY, || ());
        assert!(!fills.keep(&KEY, token, || panic!("kept a value that has changed")));
    }

    #[test]
    fn a_fetch_that_begins_after_the_invalidation_is_kept() {
        let fills = Fills::new();
        let old = fills.begin(&KEY);
        fills.invalidate(&KEY, || ());
        let new = fills.begin(&KEY);
        fills.end(&KEY, old);
        assert!(!fills.keep(&KEY, old, || ()));
        assert!(fills.keep(&KEY, new, || ()));
    }

    #[test]
    fn fetches_of_one_key_share_a_placeholder_until_the_last_has_ended() {
        let fills = Fills::new();
        let (one, other) = (fills.begin(&KEY), fills.begin(&KEY));
        fills.end(&KEY, one);
        assert!(fills.keep(&KEY, other, || ()));
        fills.end(&KEY, other);
        assert!(fills.shards.iter().all(|shard| shard.lock().placeholders.is_empty()));
    }
}
