//! CLIENT TRACKING: see [Client-side caching](https://valkey.io/topics/client-side-caching/).
//!
//! A key that a tracking client reads is remembered while its shard is still held, and a change of a key looks here
//! while it holds the same shard. So no change slips in between a read and its remembering. Nobody who does not track
//! pays for it: changes look at one bit of [`Interest`](crate::store::observer::Interest).
//!
//! In a cluster other nodes own most keys. A node that has tracking clients follows all others: each tells it of every
//! key that changes there, over a link that it opened. A key of another node is remembered before the read travels, and
//! a client reads what it is told only behind the replies that it waits for; so whatever changes after the read is told
//! after its reply. When a link ends, and when a new one begins to tell, changes may have been missed: then clients drop
//! everything. That covers an owner's death and the writes that died with it; a slot that moves needs nothing, since its
//! new owner is followed too.

mod broadcast;
mod followers;
mod table;
mod tracker;
mod writers;

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use dashmap::DashMap;
use parking_lot::Mutex;
use rondache_protocol::bus::forward::Invalidation;
use tokio::sync::Notify;

pub use self::tracker::{Options, Tracker};
pub(crate) use self::writers::Writer;
use self::{broadcast::Broadcast, followers::Followers, table::Table, tracker::Stale, writers::Writers};
use super::Live;
use crate::{
    cluster::forward::late::Late,
    session::{Session, client::Client},
};

/// Keys given up at once by the read that made the table too large.
const TRIM_PER_READ: usize = 16;

/// Keys given up at once by housekeeping, after the limit was lowered.
const TRIM_PER_TICK: usize = 50_000;

/// A connection's side of tracking.
#[derive(Debug)]
pub struct TrackingState {
    /// What others know of it.
    pub tracker: Arc<Tracker>,
    /// Whether CLIENT CACHING spoke of the next command.
    pub caching: bool,
    /// The prefixes of BCAST.
    pub prefixes: BTreeSet<Box<[u8]>>,
}

impl TrackingState {
    /// Whether keys that are read now are to be remembered.
    #[must_use]
    pub fn remembers(&self) -> bool {
        let options = &self.tracker.options;
        !options.broadcast && if options.optin { self.caching } else { !(options.optout && self.caching) }
    }
}

/// A key was changed.
#[derive(Clone, Copy, Debug)]
struct Change {
    /// By which client of this node; 0: by none.
    origin: u64,
    /// Whether this node changed it, and not another that owns it.
    is_here: bool,
}

/// Who keeps copies of what.
#[derive(Debug)]
pub struct Tracking {
    trackers: DashMap<u64, Arc<Tracker>>,
    /// Guards the number of trackers, and with it the bit that changes look at.
    trackers_len: Mutex<usize>,
    table: Table,
    broadcast: Broadcast,
    /// Whether clients have left whose ids may still be in the table.
    has_leftovers: AtomicBool,
    /// Other nodes whose clients track.
    followers: Followers,
    /// Clients of other nodes that do not want to hear of their own changes.
    writers: Writers,
    /// Notified when the first client begins: other nodes are to be followed.
    begun: Notify,
    live: Arc<Live>,
}

impl Tracking {
    pub(super) fn new(live: Arc<Live>) -> Self {
        Self {
            trackers: DashMap::new(),
            trackers_len: Mutex::default(),
            table: Table::default(),
            broadcast: Broadcast::default(),
            has_leftovers: AtomicBool::new(false),
            followers: Followers::default(),
            writers: Writers::default(),
            begun: Notify::new(),
            live,
        }
    }

    /// Begins tracking for a connection, or changes how it tracks. `prefixes` are added to those it had.
    pub fn enable<'a>(
        &self,
        session: &mut Session,
        options: Options,
        redirect: Option<Arc<Client>>,
        prefixes: impl Iterator<Item = &'a [u8]>,
    ) {
        let client = session.client.clone();
        {
            let mut facts = client.facts.lock();
            (facts.is_tracking, facts.is_broadcast) = (true, options.broadcast);
            facts.redirect = redirect.as_ref().map_or(0, |redirect| redirect.id);
        }
        client.has_broken_redirect.store(false, Ordering::Relaxed);
        let hears_only_of_here = options.broadcast && session.is_redirecting;
        let tracker = Arc::new(Tracker { client, redirect, options, hears_only_of_here });
        let mut all = session.tracking.take().map_or_else(BTreeSet::new, |state| state.prefixes);
        all.extend(prefixes.map(Box::from));
        if options.broadcast && all.is_empty() {
            all.insert(Box::default());
        }
        {
            let mut len = self.trackers_len.lock();
            *len += usize::from(self.trackers.insert(tracker.client.id, tracker.clone()).is_none());
            self.live.interest.set_tracking(true);
        }
        self.begun.notify_one();
        all.iter().for_each(|prefix| self.broadcast.add(prefix, &tracker));
        session.tracking = Some(Box::new(TrackingState { tracker, caching: false, prefixes: all }));
        session.refresh_mode();
    }

    /// Ends tracking for a connection. The ids that it left in the table are cleared away by [`Tracking::tidy`]; until
    /// then changes must be heard of, lest the client finds what it has read earlier when it begins anew.
    pub fn disable(&self, session: &mut Session) {
        let Some(state) = session.tracking.take() else { return };
        session.refresh_mode();
        let client = &session.client;
        {
            let mut facts = client.facts.lock();
            (facts.is_tracking, facts.is_broadcast, facts.redirect) = (false, false, 0);
        }
        state.prefixes.iter().for_each(|prefix| self.broadcast.remove(prefix, client.id));
        *self.trackers_len.lock() -= usize::from(self.trackers.remove(&client.id).is_some());
        self.has_leftovers.store(true, Ordering::Relaxed);
    }

    /// Remembers what a client has read. The keys' shards are held.
    pub fn remember<'a>(&self, client_id: u64, keys: impl Iterator<Item = &'a [u8]>) {
        keys.for_each(|key| self.table.insert(key, client_id));
        self.trim(TRIM_PER_READ);
    }

    /// Tells clients, of other nodes too, that `origin` (0: nobody) has changed `key`. The key's shard is held.
    pub(super) fn invalidate(&self, origin: u64, key: &[u8]) {
        if !self.followers.is_empty() {
            self.followers.tell(match self.writers.of(origin) {
                Some(writer) => Invalidation::KeyBy(writer, key),
                None => Invalidation::Key(key),
            });
        }
        self.invalidate_for(Change { origin, is_here: true }, key);
    }

    /// Tells this node's clients of a key that was changed at another node.
    pub(crate) fn invalidate_elsewhere(&self, writer: Option<Writer>, key: &[u8]) {
        let origin = writer.map_or(0, |writer| self.writers.own_client(writer));
        self.invalidate_for(Change { origin, is_here: false }, key);
    }

    fn invalidate_for(&self, change: Change, key: &[u8]) {
        let (limit, origin) = (self.live.push_limit(), change.origin);
        self.broadcast.note(key, change, &limit);
        if let Some(ids) = self.table.remove(key) {
            self.tell_readers(&ids, origin, key);
        }
    }

    fn tell_readers(&self, ids: &[u64], origin: u64, key: &[u8]) {
        let limit = self.live.push_limit();
        for id in ids {
            // The clone ends the registry's guard before the mailbox is locked.
            let Some(tracker) = self.trackers.get(id).map(|entry| entry.value().clone()) else { continue };
            let is_own = tracker.options.noloop && *id == origin;
            if !tracker.options.broadcast && !is_own {
                tracker.tell(Stale::Key(key), &limit);
            }
        }
    }

    /// Sends what broadcasting clients are to hear; called where a batch ends.
    #[inline]
    pub fn flush(&self) {
        if self.broadcast.has_pending() {
            self.broadcast.flush(&self.live.push_limit());
        }
    }

    /// Tells all tracking clients to drop everything. Called when the keys are gone already, so that what was read in
    /// between is dropped too.
    pub(super) fn invalidate_all(&self) {
        self.followers.tell(Invalidation::All);
        self.tell_all(|_| true);
    }

    /// Another node's keys are gone: tells this node's clients to drop everything.
    pub(crate) fn invalidate_all_elsewhere(&self) {
        self.tell_all(|tracker| !tracker.hears_only_of_here);
    }

    fn tell_all(&self, hears: impl Fn(&Tracker) -> bool) {
        let limit = self.live.push_limit();
        self.table.clear();
        for entry in self.trackers.iter().filter(|entry| hears(entry.value())) {
            entry.value().tell(Stale::All, &limit);
        }
    }

    /// Changes of other nodes' keys may have been missed: clients that keep copies drop them.
    pub(crate) fn distrust(&self) {
        if self.table.keys() > 0 || self.broadcast.len() > 0 {
            self.invalidate_all_elsewhere();
        }
    }

    /// Until [`Tracking::forget_writer`], what changes under this id is a change of another node's client that does not
    /// want to hear of it.
    pub(crate) fn note_writer(&self, id: u64, writer: Writer) {
        self.writers.add(id, writer);
    }

    /// The request of another node's client is over.
    pub(crate) fn forget_writer(&self, id: u64) {
        self.writers.remove(id);
    }

    /// Another node may name this node's clients by this origin.
    pub(crate) fn add_origin(&self, origin: u64) {
        self.writers.add_origin(origin);
    }

    /// Tells another node of all changes from here on.
    pub(crate) fn add_follower(&self, follower: &Arc<Late>) {
        let len = self.trackers_len.lock();
        self.followers.add(follower);
        self.live.interest.set_tracking(true);
        drop(len);
    }

    /// Tells another node no more.
    pub(crate) fn remove_follower(&self, follower: &Arc<Late>) {
        if self.followers.remove(follower) {
            self.has_leftovers.store(true, Ordering::Relaxed);
        }
    }

    /// Waits until a client has begun to track since the last call.
    pub(crate) async fn wait_begun(&self) {
        self.begun.notified().await;
    }

    /// Housekeeping: gives up keys beyond the limit, and forgets clients that have left.
    pub fn tidy(&self) {
        self.flush();
        self.trim(TRIM_PER_TICK);
        if self.has_leftovers.swap(false, Ordering::Relaxed) {
            // One by one even if nobody tracks: a client that begins right now must not lose what it has read.
            self.table.retain_clients(|id| self.trackers.contains_key(&id));
            let len = self.trackers_len.lock();
            self.live.interest.set_tracking(*len > 0 || !self.followers.is_empty());
        }
    }

    /// Gives up at most `effort` keys while there are more than `tracking-table-max-keys`, and tells their readers, as if
    /// the keys had changed.
    fn trim(&self, effort: usize) {
        let keys_max = self.live.tracked_keys_max.load(Ordering::Relaxed);
        if keys_max == 0 {
            return;
        }
        for _ in 0..effort {
            if self.table.keys() <= keys_max {
                return;
            }
            let Some((key, ids)) = self.table.remove_any(fastrand::usize(..)) else { return };
            self.tell_readers(&ids, 0, &key);
        }
    }

    /// Clients that track.
    #[must_use]
    pub fn clients(&self) -> usize {
        *self.trackers_len.lock()
    }

    /// Keys remembered.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.table.keys()
    }

    /// Pairs of a remembered key and a client that read it.
    #[must_use]
    pub fn items(&self) -> usize {
        self.table.items()
    }

    /// Prefixes tracked.
    #[must_use]
    pub fn prefixes(&self) -> usize {
        self.broadcast.len()
    }
}
