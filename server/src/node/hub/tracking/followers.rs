//! Other nodes whose clients keep copies of this node's keys.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use parking_lot::RwLock;
use rondache_protocol::bus::forward::Invalidation;

use crate::cluster::forward::late::Late;

/// The links over which changes are told.
///
/// Bound: one per other node.
#[derive(Debug, Default)]
pub(super) struct Followers {
    len: AtomicUsize,
    /// Taken while shards are held; behind it only the links' own locks.
    links: RwLock<Vec<Arc<Late>>>,
}

impl Followers {
    pub(super) fn is_empty(&self) -> bool {
        self.len.load(Ordering::Acquire) == 0
    }

    /// Adds a link, unless it is there.
    pub(super) fn add(&self, link: &Arc<Late>) {
        let mut links = self.links.write();
        if !links.iter().any(|known| Arc::ptr_eq(known, link)) {
            links.push(link.clone());
        }
        self.len.store(links.len(), Ordering::Release);
    }

    /// Removes a link; `false`: it was not there.
    pub(super) fn remove(&self, link: &Arc<Late>) -> bool {
        if self.is_empty() {
            return false;
        }
        let mut links = self.links.write();
        let before = links.len();
        links.retain(|known| !Arc::ptr_eq(known, link));
        self.len.store(links.len(), Ordering::Release);
        links.len() < before
    }

    pub(super) fn tell(&self, stale: Invalidation<'_>) {
        if !self.is_empty() {
            self.links.read().iter().for_each(|link| link.invalidate(stale));
        }
    }
}
