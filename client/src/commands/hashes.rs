//! Hashes.

use std::time::Duration;

use super::{commands, options::millis};
use crate::{Cmd, ToArg};

commands! {
    /// The value of a field: `Option<T>` if it may be missing.
    hget<T>(key: impl ToArg, field: impl ToArg) -> T = Cmd::new("HGET").arg(key).arg(field);
    /// Stores a field, and answers how many are new: 0 or 1.
    hset(key: impl ToArg, field: impl ToArg, value: impl ToArg) -> u64 =
        Cmd::new("HSET").arg(key).arg(field).arg(value);
    /// Stores fields, and answers how many are new.
    hset_many(key: impl ToArg, fields: impl IntoIterator<Item = (impl ToArg, impl ToArg)>) -> u64 =
        Cmd::new("HSET").arg(key).pairs(fields);
    /// Stores a field unless it exists.
    hset_nx(key: impl ToArg, field: impl ToArg, value: impl ToArg) -> bool =
        Cmd::new("HSETNX").arg(key).arg(field).arg(value);
    /// The values of fields, in their order.
    hmget<T>(key: impl ToArg, fields: impl IntoIterator<Item = impl ToArg>) -> Vec<Option<T>> =
        Cmd::new("HMGET").arg(key).args(fields);
    /// All fields and values: into a map, or a `Vec` of pairs.
    hgetall<T>(key: impl ToArg) -> T = Cmd::new("HGETALL").arg(key);
    /// All fields.
    hkeys<T>(key: impl ToArg) -> Vec<T> = Cmd::new("HKEYS").arg(key);
    /// All values.
    hvals<T>(key: impl ToArg) -> Vec<T> = Cmd::new("HVALS").arg(key);
    /// How many fields there are.
    hlen(key: impl ToArg) -> u64 = Cmd::new("HLEN").arg(key);
    /// The length of a field's value in bytes.
    hstrlen(key: impl ToArg, field: impl ToArg) -> u64 = Cmd::new("HSTRLEN").arg(key).arg(field);
    /// Whether a field exists.
    hexists(key: impl ToArg, field: impl ToArg) -> bool = Cmd::new("HEXISTS").arg(key).arg(field);
    /// Removes fields, and answers how many there were.
    hdel(key: impl ToArg, fields: impl IntoIterator<Item = impl ToArg>) -> u64 = Cmd::new("HDEL").arg(key).args(fields);
    /// Adds a number to a field, and answers the sum.
    hincr_by(key: impl ToArg, field: impl ToArg, number: i64) -> i64 =
        Cmd::new("HINCRBY").arg(key).arg(field).arg(number);
    /// Adds a fraction to a field, and answers the sum.
    hincr_by_float(key: impl ToArg, field: impl ToArg, number: f64) -> f64 =
        Cmd::new("HINCRBYFLOAT").arg(key).arg(field).arg(number);
    /// Fields drawn at random: different ones, or, if `count` is negative, so many with repetitions.
    hrandfield<T>(key: impl ToArg, count: i64) -> Vec<T> = Cmd::new("HRANDFIELD").arg(key).arg(count);
    /// Lets fields live for so long from now on; for each: 1 done, 0 a condition failed, 2 gone at once, -2 no such field.
    hexpire(key: impl ToArg, ttl: Duration, fields: impl IntoIterator<Item = impl ToArg>) -> Vec<i64> =
        with_fields(Cmd::new("HPEXPIRE").arg(key).arg(millis(ttl)), fields);
    /// For how many milliseconds fields will live: -1 for ever, -2 if there is none.
    hpttl(key: impl ToArg, fields: impl IntoIterator<Item = impl ToArg>) -> Vec<i64> =
        with_fields(Cmd::new("HPTTL").arg(key), fields);
    /// Lets fields live for ever; for each: 1 done, -1 it did, -2 no such field.
    hpersist(key: impl ToArg, fields: impl IntoIterator<Item = impl ToArg>) -> Vec<i64> =
        with_fields(Cmd::new("HPERSIST").arg(key), fields);
    /// The values of fields, which are removed.
    hget_del<T>(key: impl ToArg, fields: impl IntoIterator<Item = impl ToArg>) -> Vec<Option<T>> =
        with_fields(Cmd::new("HGETDEL").arg(key), fields);
}

/// `FIELDS count field …`
fn with_fields(cmd: Cmd, fields: impl IntoIterator<Item = impl ToArg>) -> Cmd {
    let fields: Vec<_> = fields.into_iter().collect();
    cmd.arg("FIELDS").arg(fields.len()).args(fields)
}
