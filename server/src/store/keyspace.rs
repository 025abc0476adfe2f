//! Access to keys: what a command's handler is written against.
//!
//! A [`Keyspace`] holds the locks of the shards that the running command names, and offers lookups, typed access and
//! changes on them. It hides expired keys, counts accesses for eviction, and reports changes to watching, blocked and
//! tracking clients, so that handlers cannot forget to.

mod string;

use std::{cell::Cell, sync::Arc};

use super::{
    SHARDS, Store,
    entry::{EMBEDDED_LEN_MAX, EntryBox, EntryRef, Payload, SharedBytes, Value},
    key::Key,
    object::{Kind, Object, Typed, WrongType},
    observer::{EventClass, Interest, Observer},
    shard::{Db, Shard, ShardGuard},
    table::Place,
};

/// What becomes of a key's TTL when its value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ttl {
    /// The key does not expire.
    Clear,
    /// The key keeps the deadline it has.
    Keep,
    /// The key expires at this unix time in ms.
    At(u64),
}

/// Who decides that a key has expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpiryRole {
    /// This node: an expired key is deleted when it is met.
    Owner,
    /// The slot's owner: an expired key is hidden here, and deleted by its owner's effect.
    Copy,
}

/// How accesses are noted for eviction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessPolicy {
    /// The 24-bit clock holds the second of the last access.
    Clock,
    /// The 24-bit clock holds minutes and a logarithmic counter, as Redis's LFU.
    Lfu {
        /// Accesses needed to count one more grow with this factor.
        log_factor: u32,
        /// Minutes after which an unused key counts one less.
        decay_minutes: u32,
    },
}

/// The circumstances of the running command.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances {
    /// The database that the client selected.
    pub db: usize,
    /// The unix time in ms at which the command happens.
    pub now_ms: u64,
    /// The client, for tracking's NOLOOP; 0 for none.
    pub client_id: u64,
    /// Whether reads count as accesses (CLIENT NO-TOUCH turns it off).
    pub touch: bool,
}

/// Counters of a keyspace, collected by its worker after each batch.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeyspaceCounts {
    /// Lookups for reading that found their key.
    pub hits: u64,
    /// Lookups for reading that did not.
    pub misses: u64,
    /// Changes to keys.
    pub changes: u64,
    /// Keys that had expired when they were met.
    pub expired: u64,
    /// Keys evicted for memory.
    pub evicted: u64,
    /// Relative TTLs that jitter shortened.
    pub ttls_jittered: u64,
}

/// A write of the running command: its slot and its words.
type PendingEffect = (u16, Vec<Box<[u8]>>);

enum Held<'s> {
    None,
    One(usize, ShardGuard<'s>),
    /// Sorted by shard.
    Many(Vec<(usize, ShardGuard<'s>)>),
}

/// The shards that a command holds, and access to the keys in them.
pub struct Keyspace<'s> {
    store: &'s Store,
    pub(super) observer: &'s dyn Observer,
    pub(super) interest: &'s Interest,
    held: Held<'s>,
    /// Room for the next [`Held::Many`].
    spare: Vec<(usize, ShardGuard<'s>)>,
    /// The running command's circumstances.
    pub circumstances: Circumstances,
    /// How accesses are noted.
    pub access_policy: AccessPolicy,
    /// Whether slots count accesses in their two frequency bits (S3-FIFO).
    pub counts_frequency: bool,
    /// Who decides on expiry.
    pub expiry_role: ExpiryRole,
    /// A random word for probabilistic counters; refreshed by the caller.
    pub random: Cell<u64>,
    /// What happened so far.
    pub counts: KeyspaceCounts,
    hits: Cell<u64>,
    misses: Cell<u64>,
    /// Set when a read met an expired key, which it may not delete.
    met_expired: Cell<bool>,
    /// Keys that were changed and that blocked clients wait for.
    pub(super) ready: Vec<(usize, Box<[u8]>)>,
    effects: Option<Vec<PendingEffect>>,
    /// Values that are costly to free, kept until the locks are gone.
    garbage: Vec<EntryBox>,
}

impl<'s> Keyspace<'s> {
    /// Access to `store` with no shard held yet.
    #[must_use]
    pub fn new(store: &'s Store, observer: &'s dyn Observer, circumstances: Circumstances) -> Self {
        Self {
            store,
            observer,
            interest: observer.interest(),
            held: Held::None,
            spare: Vec::new(),
            circumstances,
            access_policy: AccessPolicy::Clock,
            counts_frequency: store.evictor.is_on(),
            expiry_role: ExpiryRole::Owner,
            random: Cell::new(0),
            counts: KeyspaceCounts::default(),
            hits: Cell::new(0),
            misses: Cell::new(0),
            met_expired: Cell::new(false),
            ready: Vec::new(),
            effects: None,
            garbage: Vec::new(),
        }
    }

    /// The store behind.
    #[must_use]
    pub fn store(&self) -> &'s Store {
        self.store
    }

    /// Hash and slot of a key.
    #[inline]
    #[must_use]
    pub fn key<'k>(&self, bytes: &'k [u8]) -> Key<'k> {
        self.store.key(bytes)
    }

    /// The time of the running command, unix ms.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.circumstances.now_ms
    }

    // ---- locks ------------------------------------------------------------------------------------------------

    /// Holds exactly one shard, keeping it where it is held already.
    #[inline]
    pub fn hold_one(&mut self, shard: usize) {
        if let Held::One(held, _) = self.held
            && held == shard
        {
            return;
        }
        self.release();
        self.held = Held::One(shard, self.store.lock(shard));
    }

    /// Holds the given shards, which need not be sorted or distinct.
    pub fn hold_many(&mut self, shards: &mut Vec<usize>) {
        shards.sort_unstable();
        shards.dedup();
        match shards.as_slice() {
            [one] => self.hold_one(*one),
            _ => {
                self.release();
                let mut guards = std::mem::take(&mut self.spare);
                guards.extend(shards.iter().map(|&shard| (shard, self.store.lock(shard))));
                self.held = Held::Many(guards);
            }
        }
    }

    /// Holds every shard.
    pub fn hold_all(&mut self) {
        if !matches!(&self.held, Held::Many(guards) if guards.len() == SHARDS) {
            self.release();
            self.held = Held::Many((0..SHARDS).map(|shard| (shard, self.store.lock(shard))).collect());
        }
    }

    /// Lets go of all shards, then frees what was costly to free.
    #[inline]
    pub fn release(&mut self) {
        if let Held::Many(mut guards) = std::mem::replace(&mut self.held, Held::None) {
            guards.clear();
            self.spare = guards;
        }
        if !self.garbage.is_empty() {
            self.garbage.clear();
        }
    }

    /// Whether the shard is held.
    #[must_use]
    pub fn holds(&self, shard: usize) -> bool {
        match &self.held {
            Held::None => false,
            Held::One(held, _) => *held == shard,
            Held::Many(guards) => guards.binary_search_by_key(&shard, |(held, _)| *held).is_ok(),
        }
    }

    /// Calls `visit` with every shard in turn. Shards that are not held are locked one at a time, so a walk over a node
    /// that serves traffic never stops it; inside a transaction, which holds all, the walk is atomic.
    pub(crate) fn for_each_shard(&mut self, mut visit: impl FnMut(usize, &mut Shard)) {
        for shard in 0..SHARDS {
            self.with_shard(shard, |guarded| visit(shard, guarded));
        }
    }

    /// Calls `visit` with one shard, locking it for the call where it is not held.
    pub(crate) fn with_shard<R>(&mut self, shard: usize, visit: impl FnOnce(&mut Shard) -> R) -> R {
        if self.holds(shard) {
            let guard = self.guard_mut(shard);
            let result = visit(guard);
            guard.publish();
            return result;
        }
        assert!(matches!(self.held, Held::None), "a shard is locked while others are held: locks would cross");
        visit(&mut self.store.lock(shard))
    }

    #[inline]
    pub(super) fn shard(&self, shard: usize) -> &Shard {
        match &self.held {
            Held::One(held, guard) if *held == shard => guard,
            Held::Many(guards) => match guards.binary_search_by_key(&shard, |(held, _)| *held) {
                Ok(at) => &guards[at].1,
                Err(_) => unreachable!("a command touched a key that its table entry does not name"),
            },
            _ => unreachable!("a command touched a key that its table entry does not name"),
        }
    }

    #[inline]
    pub(crate) fn shard_mut(&mut self, shard: usize) -> &mut Shard {
        self.guard_mut(shard)
    }

    #[inline]
    fn guard_mut(&mut self, shard: usize) -> &mut ShardGuard<'s> {
        match &mut self.held {
            Held::One(held, guard) if *held == shard => guard,
            Held::Many(guards) => match guards.binary_search_by_key(&shard, |(held, _)| *held) {
                Ok(at) => &mut guards[at].1,
                Err(_) => unreachable!("a command touched a key that its table entry does not name"),
            },
            _ => unreachable!("a command touched a key that its table entry does not name"),
        }
    }

    #[inline]
    fn db(&self, key: &Key<'_>) -> Option<&Db> {
        self.shard(key.shard()).db(self.circumstances.db)
    }

    #[inline]
    pub(super) fn db_mut(&mut self, key: &Key<'_>) -> &mut Db {
        let db = self.circumstances.db;
        self.shard_mut(key.shard()).db_mut(db)
    }

    // ---- reading ----------------------------------------------------------------------------------------------

    /// The entry of `key` if it is there and has not expired. Counts as an access, and as a hit or miss.
    #[inline]
    pub fn read(&self, key: &Key<'_>) -> Option<EntryRef<'_>> {
        self.read_with(key, self.circumstances.touch)
    }

    /// As [`Keyspace::read`], counting as a hit or miss, but as an access only if `touch` (EXISTS, TTL: not; TOUCH:
    /// always).
    #[inline]
    pub fn read_with(&self, key: &Key<'_>, touch: bool) -> Option<EntryRef<'_>> {
        let found = self.look(key, touch);
        let count = if found.is_some() { &self.hits } else { &self.misses };
        count.set(count.get() + 1);
        if found.is_none() && self.interest.events().contains(EventClass::KEY_MISS) {
            self.observer.event(EventClass::KEY_MISS, "keymiss", self.circumstances.db, key.bytes);
        }
        found
    }

    /// The entry of `key` as [`Keyspace::read`] sees it, but without counting as an access (OBJECT, TTL, SCAN …).
    #[inline]
    pub fn peek(&self, key: &Key<'_>) -> Option<EntryRef<'_>> {
        self.look(key, false)
    }

    #[inline]
    fn look(&self, key: &Key<'_>, touch: bool) -> Option<EntryRef<'_>> {
        let table = &self.db(key)?.table;
        let place = table.find(key.hash, key.bytes)?;
        let entry = table.entry(place);
        if self.is_due(entry) {
            self.met_expired.set(true);
            return None;
        }
        if touch {
            self.note_access(entry);
            if self.counts_frequency {
                table.bucket(place.bucket).touch(place.lane);
            }
        }
        Some(entry)
    }

    #[inline]
    fn is_due(&self, entry: EntryRef<'_>) -> bool {
        entry.deadline_ms().is_some_and(|deadline_ms| deadline_ms <= self.circumstances.now_ms)
    }

    /// A string's bytes.
    ///
    /// # Errors
    /// The key holds a collection.
    #[inline]
    pub fn read_string(&self, key: &Key<'_>) -> Result<Option<&[u8]>, WrongType> {
        match self.read(key) {
            None => Ok(None),
            Some(entry) => entry.value().as_bytes().map(Some).ok_or(WrongType),
        }
    }

    /// A collection.
    ///
    /// # Errors
    /// The key holds another type.
    #[inline]
    pub fn read_object<T: Typed>(&self, key: &Key<'_>) -> Result<Option<&T>, WrongType> {
        match self.read(key).map(EntryRef::value) {
            None => Ok(None),
            Some(Value::Object(object)) => T::from_object(object).map(Some).ok_or(WrongType),
            Some(_) => Err(WrongType),
        }
    }

    /// The key's type, without counting as an access.
    #[must_use]
    pub fn kind(&self, key: &Key<'_>) -> Option<Kind> {
        self.peek(key).map(|entry| entry.value().kind())
    }

    /// Whether the key is there, without counting as an access.
    #[must_use]
    pub fn exists(&self, key: &Key<'_>) -> bool {
        self.peek(key).is_some()
    }

    /// Whether the key is in the table, be it expired.
    #[must_use]
    pub fn holds_entry(&self, key: &Key<'_>) -> bool {
        self.db(key).is_some_and(|db| db.table.find(key.hash, key.bytes).is_some())
    }

    /// When the key expires (unix ms): `None` no such key, `Some(None)` never.
    #[must_use]
    pub fn deadline_ms(&self, key: &Key<'_>) -> Option<Option<u64>> {
        self.peek(key).map(EntryRef::deadline_ms)
    }

    // ---- changing ---------------------------------------------------------------------------------------------

    /// The key's place, for changing it; an expired key is deleted first.
    #[inline]
    pub(super) fn locate(&mut self, key: &Key<'_>) -> Option<Place> {
        let table = &self.db_mut(key).table;
        let place = table.find(key.hash, key.bytes)?;
        let entry = table.entry(place);
        if entry.deadline_ms().is_some_and(|deadline_ms| deadline_ms <= self.circumstances.now_ms) {
            self.expire_at(key, place);
            self.db_mut(key).table.shrink_if_sparse();
            return None;
        }
        Some(place)
    }

    /// Like [`Keyspace::locate`] and counts as an access.
    #[inline]
    fn locate_and_touch(&mut self, key: &Key<'_>) -> Option<Place> {
        let place = self.locate(key)?;
        if let Some(db) = self.db(key) {
            self.note_access(db.table.entry(place));
            if self.counts_frequency {
                db.table.bucket(place.bucket).touch(place.lane);
            }
        }
        Some(place)
    }

    /// Writes a long string without copying it, or a short one by copying.
    pub fn put_shared(&mut self, key: &Key<'_>, value: SharedBytes, ttl: Ttl) {
        if value.len() <= EMBEDDED_LEN_MAX {
            return self.put_string(key, &value, ttl);
        }
        self.put_payload(key, Payload::Shared(value), ttl);
    }

    /// Writes a collection, replacing whatever the key held. An empty one deletes the key instead.
    pub fn put_object(&mut self, key: &Key<'_>, object: Object, ttl: Ttl) {
        self.put_payload(key, Payload::Object(object), ttl);
    }

    fn put_payload(&mut self, key: &Key<'_>, payload: Payload<'_>, ttl: Ttl) {
        let access = self.fresh_access();
        let place = self.locate(key);
        let old_deadline_ms = place.and_then(|place| self.db_mut(key).table.entry(place).deadline_ms());
        let deadline_ms = match ttl {
            Ttl::Clear => None,
            Ttl::Keep => old_deadline_ms,
            Ttl::At(deadline_ms) => Some(deadline_ms),
        };
        let field_deadline_ms = match &payload {
            Payload::Object(Object::Hash(hash)) => hash.earliest_deadline(),
            _ => None,
        };
        let entry = EntryBox::new(key.bytes, payload, deadline_ms, access);
        match place {
            None => self.insert(key, entry),
            Some(place) => {
                let db = self.db_mut(key);
                db.count_deadline(old_deadline_ms, deadline_ms);
                let old = db.table.replace(place, entry);
                db.forget_field_deadlines(key.bytes);
                self.discard(old);
            }
        }
        if let Some(deadline_ms) = field_deadline_ms {
            self.note_field_deadline(key, deadline_ms);
        }
    }

    /// Tells the expiry sweep that a field of the hash at `key` expires at `deadline_ms`. Owed by every command that sets
    /// a field's deadline in place; what replaces the whole hash notes it by itself.
    pub fn note_field_deadline(&mut self, key: &Key<'_>, deadline_ms: u64) {
        self.db_mut(key).note_field_deadline(key.bytes, deadline_ms);
    }

    /// A string's bytes for changing in place without changing their length, or `None` where there is no such key.
    ///
    /// # Errors
    /// The key holds a collection.
    pub fn string_bytes_mut(&mut self, key: &Key<'_>) -> Result<Option<&mut [u8]>, WrongType> {
        let Some(place) = self.locate_and_touch(key) else { return Ok(None) };
        let guard = self.db_mut(key).table.entry_mut(place);
        guard.mark_edited();
        guard.into_bytes_mut().map(Some).ok_or(WrongType)
    }

    /// Makes a string `len` bytes long, creating it where it does not exist and padding with zero bytes. Its TTL stays.
    ///
    /// # Errors
    /// The key holds a collection.
    pub fn resize_string(&mut self, key: &Key<'_>, len: usize) -> Result<(), WrongType> {
        let access = self.fresh_access();
        let Some(place) = self.locate_and_touch(key) else {
            let entry = if len <= EMBEDDED_LEN_MAX {
                EntryBox::new(key.bytes, Payload::Bytes(&vec![0; len]), None, access)
            } else {
                EntryBox::new(key.bytes, Payload::Shared(Arc::new(vec![0; len])), None, access)
            };
            entry.mark_edited();
            self.insert(key, entry);
            return Ok(());
        };
        let table = &mut self.db_mut(key).table;
        let mut entry = table.entry_mut(place);
        if entry.object_mut().is_some() {
            return Err(WrongType);
        }
        entry.mark_edited();
        if let Some(bytes) = entry.shared_mut() {
            bytes.resize(len, 0);
            return Ok(());
        }
        if entry.resize_embedded(len) {
            return Ok(());
        }
        table.update(place, |old| {
            let view = old.as_ref();
            let mut bytes = Vec::with_capacity(len);
            bytes.extend_from_slice(view.value().as_bytes().unwrap_or_default());
            bytes.resize(len, 0);
            let payload =
                if len > EMBEDDED_LEN_MAX { Payload::Shared(Arc::new(bytes)) } else { Payload::Bytes(&bytes) };
            let entry = EntryBox::new(view.key(), payload, view.deadline_ms(), view.access());
            entry.mark_edited();
            (entry, ())
        });
        Ok(())
    }

    /// A collection for changing, or `None` where there is no such key.
    ///
    /// After taking members away the handler calls [`Keyspace::remove_if_empty`].
    ///
    /// # Errors
    /// The key holds another type.
    pub fn object_mut<T: Typed>(&mut self, key: &Key<'_>) -> Result<Option<&mut T>, WrongType> {
        let Some(place) = self.locate_and_touch(key) else { return Ok(None) };
        let object = self.db_mut(key).table.entry_mut(place).into_object_mut().ok_or(WrongType)?;
        T::from_object_mut(object).map(Some).ok_or(WrongType)
    }

    /// A collection for changing, made empty where there is no such key: the handler must put something in.
    ///
    /// # Errors
    /// The key holds another type.
    pub fn object_or_insert<T: Typed>(&mut self, key: &Key<'_>) -> Result<&mut T, WrongType> {
        let place = match self.locate_and_touch(key) {
            Some(place) => place,
            None => {
                let object = T::default().into_object();
                let entry = EntryBox::new(key.bytes, Payload::Object(object), None, self.fresh_access());
                self.insert_at(key, entry)
            }
        };
        let object = self.db_mut(key).table.entry_mut(place).into_object_mut().ok_or(WrongType)?;
        T::from_object_mut(object).ok_or(WrongType)
    }

    /// Deletes the key where its collection has become empty, with a `del` event. Call it after [`Keyspace::changed`].
    pub fn remove_if_empty<T: Typed>(&mut self, key: &Key<'_>) -> bool {
        let is_empty = match self.peek(key).map(EntryRef::value) {
            Some(Value::Object(object)) => T::from_object(object).is_some_and(Typed::is_empty),
            _ => false,
        };
        if is_empty && self.remove(key) {
            self.changed(key, EventClass::GENERIC, "del");
        }
        is_empty
    }

    /// Deletes a key. Reports nothing: the caller says what happened with [`Keyspace::changed`].
    pub fn remove(&mut self, key: &Key<'_>) -> bool {
        match self.locate(key) {
            None => false,
            Some(place) => {
                let entry = self.take_at(key, place);
                self.discard(entry);
                true
            }
        }
    }

    /// Takes a key's deadline and value out of the store (RENAME). Strings come as shared bytes.
    pub fn take(&mut self, key: &Key<'_>) -> Option<(Taken, Option<u64>)> {
        let place = self.locate(key)?;
        let (deadline_ms, payload) = self.take_at(key, place).take_payload();
        let taken = match payload {
            Payload::Object(object) => Taken::Object(object),
            Payload::Shared(bytes) => Taken::String(bytes),
            Payload::Bytes(bytes) => Taken::String(Arc::new(bytes.to_vec())),
        };
        Some((taken, deadline_ms))
    }

    /// Writes what [`Keyspace::take`] took.
    pub fn put_taken(&mut self, key: &Key<'_>, taken: Taken, deadline_ms: Option<u64>) {
        let ttl = deadline_ms.map_or(Ttl::Clear, Ttl::At);
        match taken {
            Taken::String(bytes) => self.put_shared(key, bytes, ttl),
            Taken::Object(object) => self.put_object(key, object, ttl),
        }
    }

    /// Sets or clears the deadline of a key; `false` where there is no such key. A deadline in the past is the caller's
    /// to turn into a deletion.
    pub fn set_deadline(&mut self, key: &Key<'_>, deadline_ms: Option<u64>) -> bool {
        let Some(place) = self.locate(key) else { return false };
        let db = self.db_mut(key);
        let old_deadline_ms = db.table.entry(place).deadline_ms();
        db.count_deadline(old_deadline_ms, deadline_ms);
        if !db.table.entry_mut(place).set_deadline_in_place(deadline_ms) {
            db.table.update(place, |entry| (entry.rebuild(None, deadline_ms), ()));
        }
        true
    }

    /// Sets the access clock of a key (RESTORE's IDLETIME and FREQ).
    pub fn set_access(&mut self, key: &Key<'_>, access: u32) {
        if let Some(entry) = self.peek(key) {
            entry.set_access(access);
        }
    }

    // ---- reporting --------------------------------------------------------------------------------------------

    /// Says that `key` was changed: transactions that watch it abort, blocked clients are served after the command,
    /// copies that clients hold are invalidated, and the event is published. Every handler that changed a key calls it,
    /// once per event.
    #[inline]
    pub fn changed(&mut self, key: &Key<'_>, class: EventClass, event: &str) {
        self.touched(key);
        self.event(key, class, event);
    }

    /// [`Keyspace::changed`] for what befalls a key in the course of a client's command without being its doing: even a
    /// client that asked not to hear of its own changes hears of it.
    fn changed_by_nobody(&mut self, key: &Key<'_>, class: EventClass, event: &str) {
        let met_by = std::mem::take(&mut self.circumstances.client_id);
        self.changed(key, class, event);
        self.circumstances.client_id = met_by;
    }

    /// [`Keyspace::changed`] without an event.
    #[inline]
    pub fn touched(&mut self, key: &Key<'_>) {
        self.counts.changes += 1;
        let db = self.circumstances.db;
        let shard = self.shard_mut(key.shard());
        let observed = shard.watchers.is_some() || shard.waiters.is_some();
        if observed {
            if let Some(watchers) = &mut shard.watchers
                && let Some(flags) = watchers.remove(&super::waiters::KeyOf(db, key.bytes))
            {
                flags.iter().for_each(super::waiters::WatchFlag::raise);
            }
            if shard.waiters.as_ref().is_some_and(|waiters| waiters.has_line(db, key.bytes)) {
                self.ready.push((db, key.bytes.into()));
            }
        }
        if self.interest.tracking() {
            self.observer.invalidated(self.circumstances.client_id, db, key.bytes);
        }
    }

    /// Publishes a keyspace event.
    #[inline]
    pub fn event(&self, key: &Key<'_>, class: EventClass, event: &str) {
        if self.interest.events().intersects(class) {
            self.observer.event(class, event, self.circumstances.db, key.bytes);
        }
    }

    /// Records what copies must apply for this command, in place of the command as it came. Several calls append.
    ///
    /// A handler needs it where the command is not deterministic (relative TTLs, random choices) or names keys of
    /// several slots (then one effect per key).
    pub fn effect(&mut self, key: &Key<'_>, args: &[&[u8]]) {
        if self.store.records_effects() {
            let args = args.iter().map(|&arg| Box::from(arg)).collect();
            self.effects.get_or_insert_default().push((key.slot, args));
        }
    }

    /// Says that the command changed nothing that copies must know.
    pub fn no_effect(&mut self) {
        if self.store.records_effects() {
            self.effects.get_or_insert_default();
        }
    }

    /// Whether effects are wanted, for handlers that would work to build them.
    #[must_use]
    pub fn records_effects(&self) -> bool {
        self.store.records_effects()
    }

    /// Moves the command's effects to their shards' outboxes: those that the handler recorded, else the command itself,
    /// where it changed anything.
    pub fn commit_effects<'a>(&mut self, changed: bool, verbatim: impl FnOnce() -> Option<(u16, Vec<&'a [u8]>)>) {
        if !self.store.records_effects() {
            return;
        }
        let effects = match self.effects.take() {
            Some(effects) => effects,
            None if changed => verbatim()
                .map(|(slot, args)| vec![(slot, args.into_iter().map(Box::from).collect())])
                .unwrap_or_default(),
            None => return,
        };
        let db = self.circumstances.db;
        for (slot, args) in effects {
            let shard = slot as usize % SHARDS;
            if self.holds(shard) {
                self.shard_mut(shard).outbox.get_or_insert_default().push(slot, db, args);
            }
        }
    }

    /// After a command: deletes those of its keys that a read found expired, and answers whether there were any.
    pub fn expire_met(&mut self, keys: &[Key<'_>]) -> bool {
        if !self.met_expired.replace(false) || self.expiry_role == ExpiryRole::Copy {
            return false;
        }
        for key in keys {
            self.locate(key);
        }
        true
    }

    /// Whether a read met an expired key since the last [`Keyspace::expire_met`].
    #[must_use]
    pub fn has_met_expired(&self) -> bool {
        self.met_expired.get()
    }

    /// Whether clients wait for `key`; then they are served after the command, as if the key had changed.
    pub fn mark_ready_if_awaited(&mut self, key: &Key<'_>) -> bool {
        let db = self.circumstances.db;
        let waiters = self.shard(key.shard()).waiters.as_ref();
        let is_awaited = waiters.is_some_and(|waiters| waiters.has_line(db, key.bytes));
        if is_awaited {
            self.ready.push((db, key.bytes.into()));
        }
        is_awaited
    }

    /// The keys that changed while clients were blocked on them.
    pub fn take_ready(&mut self) -> Vec<(usize, Box<[u8]>)> {
        std::mem::take(&mut self.ready)
    }

    /// Whether [`Keyspace::take_ready`] has something.
    #[must_use]
    pub fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Hands over what was counted since the last call.
    pub fn take_counts(&mut self) -> KeyspaceCounts {
        let mut counts = std::mem::take(&mut self.counts);
        counts.hits += self.hits.take();
        counts.misses += self.misses.take();
        counts
    }

    // ---- inner workings ---------------------------------------------------------------------------------------

    #[inline]
    fn insert(&mut self, key: &Key<'_>, entry: EntryBox) {
        self.insert_at(key, entry);
    }

    fn insert_at(&mut self, key: &Key<'_>, entry: EntryBox) -> Place {
        let db = self.db_mut(key);
        db.count_deadline(None, entry.as_ref().deadline_ms());
        *db.slot_count_mut(key.slot) += 1;
        let is_volatile = entry.as_ref().deadline_ms().is_some();
        let evictor = &self.store.evictor;
        let meta = if evictor.is_on() { evictor.admit(key.shard(), key.hash, is_volatile) } else { 0 };
        let place = self.db_mut(key).table.insert(key.hash, entry, meta);
        self.event(key, EventClass::NEW, "new");
        place
    }

    fn take_at(&mut self, key: &Key<'_>, place: Place) -> EntryBox {
        let entry = self.unlink_at(key, place);
        self.db_mut(key).table.shrink_if_sparse();
        entry
    }

    fn unlink_at(&mut self, key: &Key<'_>, place: Place) -> EntryBox {
        let db = self.db_mut(key);
        let entry = db.table.remove(key.hash, place);
        db.count_deadline(entry.as_ref().deadline_ms(), None);
        db.forget_field_deadlines(key.bytes);
        *db.slot_count_mut(key.slot) -= 1;
        if self.store.evictor.is_on() {
            self.store.evictor.forget(key.shard(), 1);
        }
        entry
    }

    /// Evicts the entry at a place of a held shard, as a deletion that copies and clients hear of. Answers its hash.
    pub(crate) fn evict_at(&mut self, shard: usize, db: usize, place: Place) -> u64 {
        let bytes: Box<[u8]> = match self.shard(shard).db(db) {
            Some(content) => content.table.entry(place).key().into(),
            None => return 0,
        };
        let key = self.store.key(&bytes);
        let selected = std::mem::replace(&mut self.circumstances.db, db);
        let entry = self.take_at(&key, place);
        self.discard(entry);
        self.counts.evicted += 1;
        self.queue_effect(&key, &[b"DEL", &bytes]);
        self.changed_by_nobody(&key, EventClass::EVICTED, "evicted");
        self.circumstances.db = selected;
        key.hash
    }

    /// Deletes a key that has expired. The table keeps its size: a sweep shrinks it once, at its end.
    pub(super) fn expire_at(&mut self, key: &Key<'_>, place: Place) {
        let entry = self.unlink_at(key, place);
        self.discard(entry);
        self.counts.expired += 1;
        if self.expiry_role == ExpiryRole::Owner {
            self.queue_effect(key, &[b"DEL", key.bytes]);
        }
        self.changed_by_nobody(key, EventClass::EXPIRED, "expired");
    }

    /// Puts an effect that belongs to no command into its slot's order, where effects are wanted.
    pub(super) fn queue_effect(&mut self, key: &Key<'_>, args: &[&[u8]]) {
        if self.store.records_effects() {
            let db = self.circumstances.db;
            let args = args.iter().map(|&arg| Box::from(arg)).collect();
            self.shard_mut(key.shard()).outbox.get_or_insert_default().push(key.slot, db, args);
        }
    }

    fn discard(&mut self, entry: EntryBox) {
        if matches!(entry.as_ref().value(), Value::Bytes(_)) {
            drop(entry);
        } else {
            self.garbage.push(entry);
        }
    }

    #[inline]
    fn note_access(&self, entry: EntryRef<'_>) {
        let access = match self.access_policy {
            AccessPolicy::Clock => self.fresh_access(),
            AccessPolicy::Lfu { log_factor, decay_minutes } => {
                let random = self.random.get().wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1);
                self.random.set(random);
                super::lfu::accessed(entry.access(), self.minute(), log_factor, decay_minutes, random)
            }
        };
        entry.set_access(access);
    }

    /// The access clock of an entry that is new or was accessed just now.
    fn fresh_access(&self) -> u32 {
        match self.access_policy {
            AccessPolicy::Clock => (self.circumstances.now_ms / 1000) as u32 & super::entry::ACCESS_MAX,
            AccessPolicy::Lfu { .. } => super::lfu::fresh(self.minute()),
        }
    }

    fn minute(&self) -> u32 {
        (self.circumstances.now_ms / 60_000) as u32
    }
}

/// A value that was taken out of the store.
#[derive(Clone, Debug)]
pub enum Taken {
    /// A string.
    String(SharedBytes),
    /// A collection.
    Object(Object),
}
