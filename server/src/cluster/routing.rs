//! For each slot who executes it, as the data plane looks it up: one relaxed load per command.
//!
//! **Invariant: a slot's route changes only while its shard is locked**, so a command that holds the shard and finds the
//! slot to be this node's own stays right until it lets go.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
};

use parking_lot::RwLock;
use rondache_protocol::{bus::identity::Identity, slot::SLOTS};
use tokio::sync::Notify;

use super::member::Addrs;

/// Who executes a slot's commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// This node.
    Mine,
    /// Another, by its index among [`Routing::peer`].
    Peer(PeerIndex),
    /// Nobody right now: the slot is between owners. Requests wait.
    Parked,
    /// Nobody for a long time: the slot's owner is dead, and nothing is taken over ([`Routing::refuses`]). Requests fail.
    Down,
}

/// A peer's place in this node's list of peers; stays the same for as long as this node lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerIndex(pub u16);

/// One life of another node, and where it listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Which life of which node.
    pub identity: Identity,
    /// Where it listens.
    pub addrs: Addrs,
    /// Whether the view holds it for dead: nothing is sent to it any more.
    pub is_dead: bool,
}

const MINE: u32 = 0;
const PARKED: u32 = 1;
/// Nobody executes the slot's commands, and its owner is dead.
const ORPHANED: u32 = 2;
const PEERS_FROM: u32 = 3;
/// In a route's word: this node holds a copy in sync.
const COPY: u32 = 1 << 31;

/// The routes of all slots, and the peers that they name.
///
/// Bound: one peer per life of a node that this node has met.
#[derive(Debug)]
pub struct Routing {
    words: Box<[AtomicU32]>,
    /// Written by the control plane alone.
    peers: RwLock<Arc<Vec<Peer>>>,
    peers_version: AtomicU64,
    is_clustered: AtomicBool,
    refuses: AtomicBool,
    changes: AtomicU64,
    changed: Notify,
}

impl Default for Routing {
    /// A node that is alone owns every slot.
    fn default() -> Self {
        Self {
            words: (0..SLOTS).map(|_| AtomicU32::new(MINE)).collect(),
            peers: RwLock::default(),
            peers_version: AtomicU64::new(0),
            is_clustered: AtomicBool::new(false),
            refuses: AtomicBool::new(false),
            changes: AtomicU64::new(0),
            changed: Notify::new(),
        }
    }
}

impl Routing {
    /// Who executes the slot.
    #[inline]
    #[must_use]
    pub fn route(&self, slot: u16) -> Route {
        match self.words[usize::from(slot)].load(Ordering::Relaxed) & !COPY {
            MINE => Route::Mine,
            PARKED => Route::Parked,
            ORPHANED if self.refuses() => Route::Down,
            // Somebody is about to take it over.
            ORPHANED => Route::Parked,
            word => Route::Peer(PeerIndex((word - PEERS_FROM) as u16)),
        }
    }

    /// Whether this node executes the slot.
    #[inline]
    #[must_use]
    pub fn is_mine(&self, slot: u16) -> bool {
        self.words[usize::from(slot)].load(Ordering::Relaxed) & !COPY == MINE
    }

    /// Whether this node holds an in-sync copy of a slot that another owns.
    #[inline]
    #[must_use]
    pub fn is_copy(&self, slot: u16) -> bool {
        self.words[usize::from(slot)].load(Ordering::Relaxed) & COPY != 0
    }

    /// Changes a slot's route; [`Route::Down`] says that its owner is dead, and is [`Route::Parked`] while the slot may be taken
    /// over. The caller holds the slot's shard, and calls [`Routing::publish`] when it is done.
    pub fn set(&self, slot: u16, route: Route, is_copy: bool) {
        let word = match route {
            Route::Mine => MINE,
            Route::Parked => PARKED,
            Route::Down => ORPHANED,
            Route::Peer(PeerIndex(index)) => PEERS_FROM + u32::from(index),
        };
        self.words[usize::from(slot)].store(word | if is_copy { COPY } else { 0 }, Ordering::Relaxed);
    }

    /// Whether this node refuses writes and takes nothing over: `partition-policy` is `majority`, and it sees none.
    #[inline]
    #[must_use]
    pub fn refuses(&self) -> bool {
        self.refuses.load(Ordering::Relaxed)
    }

    /// Lets this node refuse writes, or execute them again. Requests that wait for dead owners hear of it.
    pub fn set_refuses(&self, refuses: bool) {
        if self.refuses.swap(refuses, Ordering::Relaxed) != refuses {
            self.publish();
        }
    }

    /// Wakes the requests that wait for a slot's next owner.
    pub fn publish(&self) {
        self.changes.fetch_add(1, Ordering::Release);
        self.changed.notify_waiters();
    }

    /// Counts the changes: see [`Routing::wait_beyond`].
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Waits until there was a change after the one that [`Routing::changes`] told as `seen`.
    pub async fn wait_beyond(&self, seen: u64) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if self.changes() != seen {
                return;
            }
            changed.await;
        }
    }

    /// Whether the view has ever held a second member: then the cluster's rules hold (no commands over several slots but
    /// those that scatter).
    #[inline]
    #[must_use]
    pub fn is_clustered(&self) -> bool {
        self.is_clustered.load(Ordering::Relaxed)
    }

    /// Sets whether the cluster's rules hold.
    pub fn set_clustered(&self, is_clustered: bool) {
        self.is_clustered.store(is_clustered, Ordering::Release);
    }

    /// The peer of that index.
    #[must_use]
    pub fn peer(&self, index: PeerIndex) -> Option<Peer> {
        self.peers.read().get(usize::from(index.0)).copied()
    }

    /// All peers by index, dead ones included.
    #[must_use]
    pub fn peers(&self) -> Arc<Vec<Peer>> {
        self.peers.read().clone()
    }

    /// Whether any other node is alive.
    #[must_use]
    pub fn has_others(&self) -> bool {
        self.peers.read().iter().any(|peer| !peer.is_dead)
    }

    /// Counts the changes of [`Routing::peers`].
    #[must_use]
    pub fn peers_version(&self) -> u64 {
        self.peers_version.load(Ordering::Acquire)
    }

    /// The index of one life of a node, if it has been met.
    #[must_use]
    pub fn index_of(&self, identity: &Identity) -> Option<PeerIndex> {
        let found = self.peers.read().iter().position(|peer| peer.identity == *identity)?;
        u16::try_from(found).ok().map(PeerIndex)
    }

    /// Adds a peer, or changes what is known of it, and answers its index. `None`: there are too many.
    pub fn put_peer(&self, peer: Peer) -> Option<PeerIndex> {
        let mut peers = self.peers.write();
        let found = peers.iter().position(|known| known.identity == peer.identity);
        let at = found.unwrap_or(peers.len());
        let index = u16::try_from(at).ok()?;
        let list = Arc::make_mut(&mut peers);
        match list.get_mut(at) {
            Some(known) => *known = peer,
            None => list.push(peer),
        }
        self.peers_version.fetch_add(1, Ordering::Release);
        Some(PeerIndex(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_is_alone_owns_every_slot() {
        let routing = Routing::default();
        assert!((0..SLOTS).all(|slot| routing.route(slot) == Route::Mine && !routing.is_copy(slot)));
    }

    #[test]
    fn a_route_is_what_was_set_whether_a_copy_is_held_or_not() {
        let routing = Routing::default();
        for (is_copy, route) in [(true, Route::Peer(PeerIndex(7))), (false, Route::Parked), (false, Route::Mine)] {
            routing.set(5, route, is_copy);
            assert_eq!((routing.route(5), routing.is_copy(5)), (route, is_copy));
            assert_eq!(routing.is_mine(5), route == Route::Mine);
        }
    }

    #[test]
    fn a_slot_whose_owner_is_dead_is_between_owners_until_nothing_may_be_taken_over() {
        let routing = Routing::default();
        routing.set(5, Route::Down, true);
        assert_eq!((routing.route(5), routing.is_copy(5)), (Route::Parked, true));
        let seen = routing.changes();
        routing.set_refuses(true);
        assert_eq!((routing.route(5), routing.is_copy(5)), (Route::Down, true));
        assert_ne!(routing.changes(), seen, "who waits is told");
        assert_eq!(routing.route(6), Route::Mine, "what it owns it still serves");
        routing.set_refuses(false);
        assert_eq!(routing.route(5), Route::Parked);
    }
}
