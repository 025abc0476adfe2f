//! Clients of other nodes that do not want to hear of their own changes (NOLOOP), while they change something here; and under
//! which names this node's own clients are known elsewhere.

use std::sync::atomic::{AtomicUsize, Ordering};

use dashmap::DashMap;
use parking_lot::RwLock;

/// A client by the origin that numbers its requests, and its id at its own node.
pub(crate) type Writer = (u64, u64);

/// Who writes for whom.
///
/// Bound: one entry for each request of such a client that runs or waits here; one origin per worker.
#[derive(Debug, Default)]
pub(super) struct Writers {
    len: AtomicUsize,
    /// By the id under which the client changes something here.
    of_others: DashMap<u64, Writer>,
    /// The origins of this node's workers.
    origins: RwLock<Vec<u64>>,
}

impl Writers {
    pub(super) fn add(&self, id: u64, writer: Writer) {
        if self.of_others.insert(id, writer).is_none() {
            self.len.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn remove(&self, id: u64) {
        if self.len.load(Ordering::Relaxed) > 0 && self.of_others.remove(&id).is_some() {
            self.len.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// The client of another node that changes something here under this id, if it is one that does not want to hear of it.
    pub(super) fn of(&self, id: u64) -> Option<Writer> {
        if self.len.load(Ordering::Relaxed) == 0 {
            return None;
        }
        self.of_others.get(&id).map(|entry| *entry.value())
    }

    pub(super) fn add_origin(&self, origin: u64) {
        self.origins.write().push(origin);
    }

    /// The id of a client of this node; 0: it is another's.
    pub(super) fn own_client(&self, (origin, client): Writer) -> u64 {
        if self.origins.read().contains(&origin) { client } else { 0 }
    }
}
