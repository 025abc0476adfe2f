//! What a command is like: its flags, its ACL categories, its family.

use bitflags::bitflags;

bitflags! {
    /// Properties of a command. All but the last two are Redis's, under Redis's names.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct Flags: u32 {
        /// May change data.
        const WRITE = 1;
        /// Reads keys and never changes data.
        const READONLY = 1 << 1;
        /// May make memory grow: refused when `maxmemory` is reached and nothing can be evicted.
        const DENYOOM = 1 << 2;
        /// For operators.
        const ADMIN = 1 << 3;
        /// Publish/subscribe.
        const PUBSUB = 1 << 4;
        /// Not allowed in scripts.
        const NOSCRIPT = 1 << 5;
        /// May wait.
        const BLOCKING = 1 << 6;
        /// Allowed while data is being loaded.
        const LOADING = 1 << 7;
        /// Allowed on a copy whose data is stale.
        const STALE = 1 << 8;
        /// Not shown to MONITOR.
        const SKIP_MONITOR = 1 << 9;
        /// Not logged as slow.
        const SKIP_SLOWLOG = 1 << 10;
        /// Takes constant or logarithmic time.
        const FAST = 1 << 11;
        /// Allowed before authentication.
        const NO_AUTH = 1 << 12;
        /// Sends something to the replicas without being a write.
        const MAY_REPLICATE = 1 << 13;
        /// Not allowed in a transaction.
        const NO_MULTI = 1 << 14;
        /// The key positions depend on the arguments.
        const MOVABLEKEYS = 1 << 15;
        /// Allowed while a script overruns its time.
        const ALLOW_BUSY = 1 << 16;
        /// May read keys that aren't among its arguments.
        const TOUCHES_ARBITRARY_KEYS = 1 << 17;
        /// Has key arguments, but none that must be there.
        const NO_MANDATORY_KEYS = 1 << 18;
        /// Not allowed while data is loaded in the background.
        const NO_ASYNC_LOADING = 1 << 19;
        /// Executing it a second time leaves the same data, and its second reply is one a client can live with: nothing
        /// that tells winners from losers, as SETNX, SADD or ZREM do. Options may take that away: see
        /// [`CommandSpec::is_idempotent_call`](super::CommandSpec::is_idempotent_call).
        const IDEMPOTENT = 1 << 24;
        /// Touches keys that its arguments don't name: on a cluster it concerns all slots.
        const WHOLE_KEYSPACE = 1 << 25;
    }
}

/// The flags that `COMMAND INFO` shows, with the names it shows them by.
const REPLY_NAMES: [(Flags, &str); 18] = [
    (Flags::WRITE, "write"),
    (Flags::READONLY, "readonly"),
    (Flags::DENYOOM, "denyoom"),
    (Flags::ADMIN, "admin"),
    (Flags::PUBSUB, "pubsub"),
    (Flags::NOSCRIPT, "noscript"),
    (Flags::BLOCKING, "blocking"),
    (Flags::LOADING, "loading"),
    (Flags::STALE, "stale"),
    (Flags::SKIP_MONITOR, "skip_monitor"),
    (Flags::SKIP_SLOWLOG, "skip_slowlog"),
    (Flags::FAST, "fast"),
    (Flags::NO_AUTH, "no_auth"),
    (Flags::NO_MANDATORY_KEYS, "no_mandatory_keys"),
    (Flags::NO_ASYNC_LOADING, "no_async_loading"),
    (Flags::NO_MULTI, "no_multi"),
    (Flags::MOVABLEKEYS, "movablekeys"),
    (Flags::ALLOW_BUSY, "allow_busy"),
];

impl Flags {
    /// The flags as `COMMAND INFO` names them. Some stay hidden there, in Redis as here.
    pub fn reply_names(self) -> impl Iterator<Item = &'static str> {
        REPLY_NAMES.into_iter().filter(move |(flag, _)| self.contains(*flag)).map(|(_, name)| name)
    }

    /// All of a list's flags together, in constants.
    #[must_use]
    pub const fn all_of(list: &[Self]) -> Self {
        let mut flags = Self::empty();
        let mut index = 0;
        while index < list.len() {
            flags = flags.union(list[index]);
            index += 1;
        }
        flags
    }
}

bitflags! {
    /// The sets of commands that access rules can name, as `@name`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct AclCategories: u32 {
        /// Commands on keys of any type.
        const KEYSPACE = 1;
        /// Commands that read keys.
        const READ = 1 << 1;
        /// Commands that change data.
        const WRITE = 1 << 2;
        /// Commands on sets.
        const SET = 1 << 3;
        /// Commands on sorted sets.
        const SORTEDSET = 1 << 4;
        /// Commands on lists.
        const LIST = 1 << 5;
        /// Commands on hashes.
        const HASH = 1 << 6;
        /// Commands on strings.
        const STRING = 1 << 7;
        /// Commands on bitmaps.
        const BITMAP = 1 << 8;
        /// Commands on HyperLogLogs.
        const HYPERLOGLOG = 1 << 9;
        /// Commands on geo indexes.
        const GEO = 1 << 10;
        /// Commands on streams.
        const STREAM = 1 << 11;
        /// Publish/subscribe.
        const PUBSUB = 1 << 12;
        /// Commands for operators.
        const ADMIN = 1 << 13;
        /// Commands of constant or logarithmic time.
        const FAST = 1 << 14;
        /// All others.
        const SLOW = 1 << 15;
        /// Commands that may wait.
        const BLOCKING = 1 << 16;
        /// Commands that can do harm.
        const DANGEROUS = 1 << 17;
        /// Commands on connections.
        const CONNECTION = 1 << 18;
        /// Transactions.
        const TRANSACTION = 1 << 19;
        /// Scripts and functions.
        const SCRIPTING = 1 << 20;
    }
}

impl AclCategories {
    /// The categories' names, lowercase, without `@`.
    pub fn reply_names(self) -> impl Iterator<Item = String> {
        self.iter_names().map(|(name, _)| name.to_ascii_lowercase())
    }

    /// All of a list's categories together, in constants.
    #[must_use]
    pub const fn all_of(list: &[Self]) -> Self {
        let mut categories = Self::empty();
        let mut index = 0;
        while index < list.len() {
            categories = categories.union(list[index]);
            index += 1;
        }
        categories
    }

    /// The categories that follow from a command's flags.
    #[must_use]
    pub const fn implied_by(flags: Flags) -> Self {
        let implied = [
            (Flags::WRITE, Self::WRITE),
            (Flags::READONLY, Self::READ),
            (Flags::ADMIN, Self::ADMIN.union(Self::DANGEROUS)),
            (Flags::PUBSUB, Self::PUBSUB),
            (Flags::BLOCKING, Self::BLOCKING),
        ];
        let mut categories = if flags.contains(Flags::FAST) { Self::FAST } else { Self::SLOW };
        let mut index = 0;
        while index < implied.len() {
            if flags.contains(implied[index].0) {
                categories = categories.union(implied[index].1);
            }
            index += 1;
        }
        categories
    }
}

/// The family that a command belongs to, as the documentation orders them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Group {
    /// Strings.
    String,
    /// Bits of strings.
    Bitmap,
    /// Keys of any type.
    Generic,
    /// Hashes.
    Hash,
    /// Lists.
    List,
    /// Sets.
    Set,
    /// Sorted sets.
    SortedSet,
    /// HyperLogLogs.
    HyperLogLog,
    /// Geo indexes.
    Geo,
    /// Transactions.
    Transactions,
    /// Publish/subscribe.
    PubSub,
    /// The connection itself.
    Connection,
    /// The server itself.
    Server,
    /// The cluster.
    Cluster,
    /// Scripts and functions.
    Scripting,
    /// Streams.
    Stream,
}

impl Group {
    /// The name in `COMMAND DOCS`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Bitmap => "bitmap",
            Self::Generic => "generic",
            Self::Hash => "hash",
            Self::List => "list",
            Self::Set => "set",
            Self::SortedSet => "sorted-set",
            Self::HyperLogLog => "hyperloglog",
            Self::Geo => "geo",
            Self::Transactions => "transactions",
            Self::PubSub => "pubsub",
            Self::Connection => "connection",
            Self::Server => "server",
            Self::Cluster => "cluster",
            Self::Scripting => "scripting",
            Self::Stream => "stream",
        }
    }
}
