//! The near cache without its network: entries, what invalidates them, and which of them may be answered.

use std::{collections::HashMap, sync::Arc, time::Duration};

use bytes::Bytes;
use moka::{Expiry, sync::Cache};
use parking_lot::RwLock;
use tokio::time::Instant;

use super::{
    config::NearConfig,
    entry::{Entry, SoughtKey, StoredKey},
    fills::Fills,
    hasher::KeyHash,
    node::NearNode,
};
use crate::metrics::cache::NearCounters;

/// What an entry costs besides its key and value: moka's node, queues and counters, by measurement of its structures.
const ENTRY_OVERHEAD: usize = 200;

/// Lets moka forget entries when their time is over.
struct EntryExpiry;

impl Expiry<StoredKey, Arc<Entry>> for EntryExpiry {
    fn expire_after_create(&self, _: &StoredKey, entry: &Arc<Entry>, _: std::time::Instant) -> Option<Duration> {
        Some(entry.until.saturating_duration_since(Instant::now()))
    }

    fn expire_after_update(
        &self,
        key: &StoredKey,
        entry: &Arc<Entry>,
        at: std::time::Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        self.expire_after_create(key, entry, at)
    }
}

/// The entries, and the nodes that they were read from.
pub(super) struct NearStore {
    pub(super) config: NearConfig,
    pub(super) counters: NearCounters,
    entries: Cache<StoredKey, Arc<Entry>, KeyHash>,
    fills: Fills,
    /// Guards which nodes are known; held for a look-up.
    nodes: RwLock<HashMap<Arc<str>, Arc<NearNode>>>,
}

impl NearStore {
    pub(super) fn new(config: NearConfig) -> Self {
        let weigher = |key: &StoredKey, entry: &Arc<Entry>| {
            let bytes = key.key.len() + entry.value.as_ref().map_or(0, Bytes::len) + ENTRY_OVERHEAD;
            u32::try_from(bytes).unwrap_or(u32::MAX)
        };
        let entries = Cache::builder()
            .max_capacity(config.bytes_max)
            .weigher(weigher)
            .expire_after(EntryExpiry)
            .build_with_hasher(KeyHash::new());
        Self { config, counters: NearCounters::default(), entries, fills: Fills::new(), nodes: RwLock::default() }
    }

    /// The answer for a key, if it may be given from memory.
    #[inline]
    pub(super) fn get(&self, key: &[u8], now: Instant) -> Option<Option<Bytes>> {
        let sought = SoughtKey::new(key);
        let entry = if self.entries.contains_key(&sought) { sought.into_entry() } else { None };
        let Some(entry) = entry else {
            // Tells moka of the miss, for it keeps what is asked for often.
            return self.entries.get(key).and_then(|entry| self.answer(&entry, now));
        };
        let answer = self.answer(&entry, now)?;
        if entry.is_read_told() {
            drop(self.entries.get(key));
        }
        Some(answer)
    }

    /// The answer of an entry, if it may be given.
    #[inline]
    fn answer(&self, entry: &Entry, now: Instant) -> Option<Option<Bytes>> {
        if entry.epoch != entry.node.epoch() || now >= entry.until {
            return None;
        }
        if !entry.node.is_trusted(now, self.config.max_staleness) {
            self.counters.doubts.increment();
            return None;
        }
        Some(entry.value.clone())
    }

    /// The node with this name.
    pub(super) fn node(&self, name: &Arc<str>) -> Arc<NearNode> {
        if let Some(node) = self.nodes.read().get(name) {
            return Arc::clone(node);
        }
        Arc::clone(
            self.nodes.write().entry(Arc::clone(name)).or_insert_with(|| Arc::new(NearNode::new(Instant::now()))),
        )
    }

    /// A fetch of a key from a node begins; its request must be sent after this.
    pub(super) fn begin<'a>(&'a self, key: &'a Bytes, node: &Arc<NearNode>) -> Fetch<'a> {
        let (token, epoch) = (self.fills.begin(key), node.epoch());
        Fetch { store: self, key, node: Arc::clone(node), token, epoch, sent_at: Instant::now() }
    }

    /// A node said that a key has changed, or this client is about to change it.
    pub(super) fn invalidate(&self, key: &[u8]) {
        self.fills.invalidate(key, || self.entries.invalidate(key));
    }

    /// Nothing that was read from this node counts any more.
    pub(super) fn drop_node(&self, name: &str) {
        if let Some(node) = self.nodes.read().get(name) {
            node.drop_all();
            self.counters.drops.increment();
        }
    }

    /// Nothing that was read from any node counts any more.
    pub(super) fn drop_all(&self) {
        self.nodes.read().values().for_each(|node| node.drop_all());
        self.counters.drops.increment();
        self.entries.invalidate_all();
    }

    /// Entries and their bytes, about: entries that don't count any more may be among them for a while.
    pub(super) fn size(&self) -> (u64, u64) {
        (self.entries.entry_count(), self.entries.weighted_size())
    }

    /// Does what moka has put off, so that [`size`](Self::size) is exact.
    #[cfg(test)]
    pub(super) fn tidy(&self) {
        self.entries.run_pending_tasks();
    }
}

/// A fetch that is under way. Dropping it ends it.
pub(super) struct Fetch<'a> {
    store: &'a NearStore,
    key: &'a Bytes,
    node: Arc<NearNode>,
    token: u64,
    epoch: u64,
    sent_at: Instant,
}

impl Fetch<'_> {
    /// The node answered: keeps the value for as long as the key lives, unless it has changed meanwhile.
    pub(super) fn answered(self, value: Option<&Bytes>, lives_for: Option<Duration>) {
        let config = &self.store.config;
        self.node.verify(self.sent_at, self.epoch);
        if value.is_some_and(|value| value.len() > config.value_len_max) {
            return;
        }
        let ttl = config.entry_ttl(fastrand::f64()).min(lives_for.unwrap_or(Duration::MAX));
        // Counted from when the request was sent, which is before the node looked at the key's own TTL.
        let Some(until) = self.sent_at.checked_add(ttl) else {
            return;
        };
        // A copy of its own: the reply's bytes may be a small part of a large read buffer that would live on.
        let value = value.map(|value| Bytes::copy_from_slice(value));
        let entry = Arc::new(Entry::new(value, Arc::clone(&self.node), self.epoch, until));
        let keep = || {
            if self.epoch == self.node.epoch() {
                // moka is free to keep the old key with the new entry; it must lead to no other.
                self.store.entries.invalidate(&self.key[..]);
                self.store.entries.insert(StoredKey::new(self.key.clone(), &entry), entry);
            }
        };
        if !self.store.fills.keep(self.key, self.token, keep) {
            self.store.counters.races.increment();
        }
    }
}

impl Drop for Fetch<'_> {
    fn drop(&mut self) {
        self.store.fills.end(self.key, self.token);
    }
}
