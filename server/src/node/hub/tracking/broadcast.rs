//! CLIENT TRACKING … BCAST: clients that hear of every change under their prefixes.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use hashbrown::HashMap;
use parking_lot::Mutex;
use rondache_protocol::resp::writer::{ReplyWriter, RespVersion};

use super::{
    Change,
    tracker::{Stale, Tracker},
};
use crate::config::settings::OutputLimit;

/// Changed keys of a prefix that wait for the end of the batch; when there are more, they are sent at once.
const PENDING_KEYS_MAX: usize = 1024;

/// Prefixes with those who track them.
///
/// Changed keys gather until the batch that changed them has ended, and then go out in one message per client.
#[derive(Debug, Default)]
pub(super) struct Broadcast {
    len: AtomicUsize,
    has_pending: AtomicBool,
    /// One lock for all prefixes, since a key is compared with each.
    prefixes: Mutex<BTreeMap<Box<[u8]>, Prefix>>,
}

#[derive(Debug, Default)]
struct Prefix {
    trackers: HashMap<u64, Arc<Tracker>>,
    /// Changed keys, with how each was changed last.
    changed: HashMap<Box<[u8]>, Change>,
}

impl Broadcast {
    /// Tells `tracker` of changes under `prefix`; replaces an earlier tracker of the same client.
    pub(super) fn add(&self, prefix: &[u8], tracker: &Arc<Tracker>) {
        let mut prefixes = self.prefixes.lock();
        prefixes.entry(prefix.into()).or_default().trackers.insert(tracker.client.id, tracker.clone());
        self.len.store(prefixes.len(), Ordering::Relaxed);
    }

    /// Tells a client no more.
    pub(super) fn remove(&self, prefix: &[u8], client_id: u64) {
        let mut prefixes = self.prefixes.lock();
        if let Some(entry) = prefixes.get_mut(prefix) {
            entry.trackers.remove(&client_id);
            if entry.trackers.is_empty() {
                prefixes.remove(prefix);
            }
        }
        self.len.store(prefixes.len(), Ordering::Relaxed);
    }

    /// How many prefixes are tracked.
    pub(super) fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    /// Notes a change of `key`.
    pub(super) fn note(&self, key: &[u8], change: Change, limit: &OutputLimit) {
        if self.len() == 0 {
            return;
        }
        for (prefix, entry) in self.prefixes.lock().iter_mut() {
            if key.starts_with(prefix) {
                entry.changed.insert(key.into(), change);
                self.has_pending.store(true, Ordering::Release);
                if entry.changed.len() >= PENDING_KEYS_MAX {
                    entry.send(limit);
                }
            }
        }
    }

    /// Whether [`Broadcast::flush`] has something to send.
    #[inline]
    pub(super) fn has_pending(&self) -> bool {
        self.has_pending.load(Ordering::Acquire)
    }

    /// Sends what was noted.
    pub(super) fn flush(&self, limit: &OutputLimit) {
        let mut prefixes = self.prefixes.lock();
        self.has_pending.store(false, Ordering::Release);
        prefixes.values_mut().for_each(|entry| entry.send(limit));
    }
}

impl Prefix {
    fn send(&mut self, limit: &OutputLimit) {
        if self.changed.is_empty() {
            return;
        }
        let changed = std::mem::take(&mut self.changed);
        let all = encode_keys(changed.keys());
        for (id, tracker) in &self.trackers {
            let is_told = |change: &Change| {
                (change.is_here || !tracker.hears_only_of_here) && !(tracker.options.noloop && change.origin == *id)
            };
            if changed.values().all(is_told) {
                tracker.tell(Stale::Keys(&all), limit);
                continue;
            }
            let others: Vec<_> = changed.iter().filter(|(_, change)| is_told(change)).map(|(key, _)| key).collect();
            if !others.is_empty() {
                tracker.tell(Stale::Keys(&encode_keys(others.into_iter())), limit);
            }
        }
    }
}

/// An array of keys, which both versions of the protocol write alike.
fn encode_keys<'a>(keys: impl ExactSizeIterator<Item = &'a Box<[u8]>>) -> Vec<u8> {
    let mut buf = Vec::new();
    let mut reply = ReplyWriter::new(&mut buf, RespVersion::V3);
    reply.array(keys.len());
    keys.for_each(|key| reply.bulk(key));
    buf
}
