//! Who wants to know of changes in the keyspace.

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

/// What the observer currently listens for; read once per batch, so that an idle feature costs nothing per command.
#[derive(Clone, Copy, Debug, Default)]
pub struct Interest {
    /// Event classes to report to [`Observer::event`].
    pub events: EventClass,
    /// Whether any client tracks keys.
    pub tracking: bool,
}

/// Hears of changes while the shard is locked, hence in the order of execution. Implementations must be quick and must
/// not reach back into the store.
pub trait Observer: Sync {
    /// What to report at present.
    fn interest(&self) -> Interest;
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
    fn interest(&self) -> Interest {
        Interest::default()
    }
    fn invalidated(&self, _origin: u64, _db: usize, _key: &[u8]) {}
    fn event(&self, _class: EventClass, _event: &str, _db: usize, _key: &[u8]) {}
}
