//! Strings.

use std::time::Duration;

use super::{
    commands,
    options::{Expiry, SetOptions, millis},
};
use crate::{Cmd, ToArg};

commands! {
    /// The value of a key: `Option<T>` if it may be missing.
    get<T>(key: impl ToArg) -> T = Cmd::new("GET").arg(key);
    /// Stores a value, for ever.
    set(key: impl ToArg, value: impl ToArg) -> () = Cmd::new("SET").arg(key).arg(value);
    /// Stores a value for so long; the node shortens that by its TTL jitter.
    set_for(key: impl ToArg, value: impl ToArg, ttl: Duration) -> () =
        Expiry::In(ttl).add_to(Cmd::new("SET").arg(key).arg(value));
    /// Stores a value with options; `false` if the condition kept it from that.
    set_with(key: impl ToArg, value: impl ToArg, options: SetOptions) -> bool =
        options.add_to(Cmd::new("SET").arg(key).arg(value));
    /// Stores a value with options and answers the one before, `None` if there was none.
    set_get<T>(key: impl ToArg, value: impl ToArg, options: SetOptions) -> Option<T> =
        options.add_to(Cmd::new("SET").arg(key).arg(value).arg("GET"));
    /// Stores a value for so many milliseconds if the key is missing: `true` if it did. The TTL of such a lock is exact.
    set_nx(key: impl ToArg, value: impl ToArg, ttl: Duration) -> bool =
        Cmd::new("SET").arg(key).arg(value).arg("NX").arg("PX").arg(millis(ttl));
    /// The value of a key, whose time to live is changed.
    get_ex<T>(key: impl ToArg, expiry: Expiry) -> Option<T> = expiry.add_to_getex(Cmd::new("GETEX").arg(key));
    /// The value of a key, which is removed.
    get_del<T>(key: impl ToArg) -> Option<T> = Cmd::new("GETDEL").arg(key);
    /// The values of several keys, in their order; missing ones are null. Split by owner.
    mget<T>(keys: impl IntoIterator<Item = impl ToArg>) -> Vec<Option<T>> = Cmd::new("MGET").args(keys);
    /// Stores several values. Split by owner, so not atomic unless all keys share a slot.
    mset(pairs: impl IntoIterator<Item = (impl ToArg, impl ToArg)>) -> () = Cmd::new("MSET").pairs(pairs);
    /// Stores several values of one slot, if none of the keys exists.
    mset_nx(pairs: impl IntoIterator<Item = (impl ToArg, impl ToArg)>) -> bool = Cmd::new("MSETNX").pairs(pairs);
    /// Appends to a value and answers its length.
    append(key: impl ToArg, value: impl ToArg) -> u64 = Cmd::new("APPEND").arg(key).arg(value);
    /// The length of a value in bytes.
    strlen(key: impl ToArg) -> u64 = Cmd::new("STRLEN").arg(key);
    /// The bytes from one offset to another, both included; negative ones count from the end.
    getrange<T>(key: impl ToArg, start: i64, end: i64) -> T = Cmd::new("GETRANGE").arg(key).arg(start).arg(end);
    /// Overwrites part of a value from an offset on, and answers its length.
    setrange(key: impl ToArg, offset: u64, value: impl ToArg) -> u64 =
        Cmd::new("SETRANGE").arg(key).arg(offset).arg(value);
    /// Adds one, and answers the sum.
    incr(key: impl ToArg) -> i64 = Cmd::new("INCR").arg(key);
    /// Adds a number, and answers the sum.
    incr_by(key: impl ToArg, number: i64) -> i64 = Cmd::new("INCRBY").arg(key).arg(number);
    /// Adds a fraction, and answers the sum.
    incr_by_float(key: impl ToArg, number: f64) -> f64 = Cmd::new("INCRBYFLOAT").arg(key).arg(number);
    /// Subtracts one, and answers the difference.
    decr(key: impl ToArg) -> i64 = Cmd::new("DECR").arg(key);
    /// Subtracts a number, and answers the difference.
    decr_by(key: impl ToArg, number: i64) -> i64 = Cmd::new("DECRBY").arg(key).arg(number);
}
