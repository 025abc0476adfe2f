//! Keys of any type.

use std::time::{Duration, SystemTime};

use super::{
    commands,
    options::{millis, unix_ms},
};
use crate::{Bytes, Cmd, ToArg};

commands! {
    /// Removes keys and answers how many there were. Split by owner.
    del(keys: impl IntoIterator<Item = impl ToArg>) -> u64 = Cmd::new("DEL").args(keys);
    /// Removes keys, freeing their memory in the background, and answers how many there were. Split by owner.
    unlink(keys: impl IntoIterator<Item = impl ToArg>) -> u64 = Cmd::new("UNLINK").args(keys);
    /// How many of the keys exist; one named twice counts twice. Split by owner.
    exists(keys: impl IntoIterator<Item = impl ToArg>) -> u64 = Cmd::new("EXISTS").args(keys);
    /// Counts as an access of keys, and answers how many exist. Split by owner.
    touch(keys: impl IntoIterator<Item = impl ToArg>) -> u64 = Cmd::new("TOUCH").args(keys);
    /// Lets a key live for so long from now on; `false` if there is no such key.
    expire(key: impl ToArg, ttl: Duration) -> bool = Cmd::new("PEXPIRE").arg(key).arg(millis(ttl));
    /// Lets a key live until then; `false` if there is no such key.
    expire_at(key: impl ToArg, time: SystemTime) -> bool = Cmd::new("PEXPIREAT").arg(key).arg(unix_ms(time));
    /// Lets a key live for ever; `false` if it did, or there is no such key.
    persist(key: impl ToArg) -> bool = Cmd::new("PERSIST").arg(key);
    /// For how many seconds a key will live: -1 for ever, -2 if there is none.
    ttl(key: impl ToArg) -> i64 = Cmd::new("TTL").arg(key);
    /// For how many milliseconds a key will live: -1 for ever, -2 if there is none.
    pttl(key: impl ToArg) -> i64 = Cmd::new("PTTL").arg(key);
    /// When a key expires, in milliseconds since 1970: -1 never, -2 if there is none.
    pexpire_time(key: impl ToArg) -> i64 = Cmd::new("PEXPIRETIME").arg(key);
    /// The type of a key: `string`, `list`, `set`, `zset`, `hash`, `stream`, or `none`.
    key_type(key: impl ToArg) -> String = Cmd::new("TYPE").arg(key);
    /// Gives a key another name, in the same slot.
    rename(key: impl ToArg, new: impl ToArg) -> () = Cmd::new("RENAME").arg(key).arg(new);
    /// Gives a key another name in the same slot unless that is taken.
    rename_nx(key: impl ToArg, new: impl ToArg) -> bool = Cmd::new("RENAMENX").arg(key).arg(new);
    /// Copies a key within its slot; `false` if the other is taken and not to be replaced.
    copy(key: impl ToArg, to: impl ToArg, replace: bool) -> bool =
        Cmd::new("COPY").arg(key).arg(to).flag("REPLACE", replace);
    /// A key's value in the serialised form that RESTORE reads.
    dump(key: impl ToArg) -> Option<Bytes> = Cmd::new("DUMP").arg(key);
    /// Makes a key of what DUMP wrote; a TTL of zero is for ever.
    restore(key: impl ToArg, ttl_ms: u64, dump: impl ToArg, replace: bool) -> () =
        Cmd::new("RESTORE").arg(key).arg(ttl_ms).arg(dump).flag("REPLACE", replace);
    /// How a key's value is kept in memory.
    object_encoding(key: impl ToArg) -> Option<String> = Cmd::new("OBJECT").arg("ENCODING").arg(key);
    /// For how many seconds a key wasn't accessed.
    object_idle_time(key: impl ToArg) -> Option<u64> = Cmd::new("OBJECT").arg("IDLETIME").arg(key);
    /// A key drawn at random, from any node.
    random_key<T>() -> Option<T> = Cmd::new("RANDOMKEY");
    /// All keys that match a pattern, from all nodes. It walks the whole keyspace: prefer [`scan`](crate::Client::scan).
    keys<T>(pattern: impl ToArg) -> Vec<T> = Cmd::new("KEYS").arg(pattern);
    /// The elements of a list, set or sorted set, sorted as numbers, or as texts.
    sort<T>(key: impl ToArg, alphabetically: bool) -> Vec<T> = Cmd::new("SORT").arg(key).flag("ALPHA", alphabetically);
}
