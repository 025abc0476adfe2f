//! Who wants to know of changes in the keyspace.

use std::sync::atomic::{AtomicU32, Ordering};

use bitflags::bitflags;

bitflags! {
    /// Classes of keyspace events, as [`notify-keyspace-events`](https://valkey.io/topics/notifications/) names them.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct EventClass: u32 {
        /// `K`: publish to `__keyspace@<db>__:<key>`.
        const KEYSPACE = 1 << 0;
        /// `E`: publish to `__keyevent@<db>__:<event>`.
        const KEYEVENT = 1 << 1;
        /// `g`: commands of no type, such as DEL, EXPIRE, RENAME.
        const GENERIC = 1 << 2;
        /// `$`: strings.
        const STRING = 1 << 3;
        /// `l`: lists.
        const LIST = 1 << 4;
        /// `s`: sets.
        const SET = 1 << 5;
        /// `h`: hashes.
        const HASH = 1 << 6;
        /// `z`: sorted sets.
        const ZSET = 1 << 7;
        /// `x`: keys that expired.
        const EXPIRED = 1 << 8;
        /// `e`: keys evicted for memory.
        const EVICTED = 1 << 9;
        /// `t`: streams.
        const STREAM = 1 << 10;
        /// `m`: lookups that found nothing; not part of `A`.
        const KEY_MISS = 1 << 11;
        /// `d`: modules.
        const MODULE = 1 << 12;
        /// `n`: new keys; not part of `A`.
        const NEW = 1 << 13;
        /// `A`: all classes but `m` and `n`.
        const ALL = Self::GENERIC.bits() | Self::STRING.bits() | Self::LIST.bits() | Self::SET.bits()
            | Self::HASH.bits() | Self::ZSET.bits() | Self::EXPIRED.bits() | Self::EVICTED.bits()
            | Self::STREAM.bits() | Self::MODULE.bits();
    }
}

/// What an observer listens for at present.
///
/// Keyspaces look at it with one relaxed load per change, under the shard's lock. So whoever asked to hear of changes and
/// then read a key under that lock hears of every later change of it, whichever thread makes it.
#[derive(Debug, Default)]
pub struct Interest(AtomicU32);

/// The bit beside those of [`EventClass`].
const TRACKING: u32 = 1 << 31;

impl Interest {
    /// No interest in anything.
    #[must_use]
    pub const fn none() -> Self {
        Self(AtomicU32::new(0))
    }

    /// Event classes to report to [`Observer::event`].
    #[inline]
    #[must_use]
    pub fn events(&self) -> EventClass {
        EventClass::from_bits_truncate(self.0.load(Ordering::Relaxed))
    }

    /// Whether any client tracks keys.
    #[inline]
    #[must_use]
    pub fn tracking(&self) -> bool {
        self.0.load(Ordering::Relaxed) & TRACKING != 0
    }

    /// Sets the classes to report, as `notify-keyspace-events` has them: none unless it names a kind of channel too.
    pub fn set_events(&self, events: EventClass) {
        let channels = EventClass::KEYSPACE | EventClass::KEYEVENT;
        let bits = if events.intersects(channels) { events.difference(channels).bits() } else { 0 };
        self.update(|old| old & TRACKING | bits);
    }

    /// Sets whether clients track keys.
    pub fn set_tracking(&self, tracking: bool) {
        self.update(|old| old & !TRACKING | if tracking { TRACKING } else { 0 });
    }

    fn update(&self, change: impl Fn(u32) -> u32) {
        // The closure never refuses.
        let _ = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, |old| Some(change(old)));
    }
}

/// Hears of changes while the shard is locked, hence in the order of execution. Implementations must be quick and must
/// not reach back into the store.
pub trait Observer: Sync {
    /// What to report at present; keyspaces keep the reference.
    fn interest(&self) -> &Interest;
    /// `key` was changed by client `origin` (0: by no client): copies that clients hold of it are stale.
    fn invalidated(&self, origin: u64, db: usize, key: &[u8]);
    /// All keys of a database (`None`: of all databases) were changed or removed at once: every copy that clients hold
    /// is stale.
    fn invalidated_all(&self, _origin: u64, _db: Option<usize>) {}
    /// Something happened to `key`.
    fn event(&self, class: EventClass, event: &str, db: usize, key: &[u8]);
}

/// Hears nothing: for stores outside a node (tests, benches, copies).
#[derive(Clone, Copy, Debug, Default)]
pub struct NoObserver;

impl Observer for NoObserver {
    fn interest(&self) -> &Interest {
        static NONE: Interest = Interest::none();
        &NONE
    }
    fn invalidated(&self, _origin: u64, _db: usize, _key: &[u8]) {}
    fn event(&self, _class: EventClass, _event: &str, _db: usize, _key: &[u8]) {}
}
