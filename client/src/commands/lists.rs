//! Lists.

use std::time::Duration;

use super::commands;
use crate::{Cmd, ToArg};

/// An end of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The head.
    Left,
    /// The tail.
    Right,
}

impl ToArg for Side {
    fn write_to(&self, cmd: &mut Cmd) {
        cmd.push(match self {
            Self::Left => b"LEFT",
            Self::Right => b"RIGHT",
        });
    }
}

commands! {
    /// Puts elements before the head, one after the other, and answers the length.
    lpush(key: impl ToArg, values: impl IntoIterator<Item = impl ToArg>) -> u64 =
        Cmd::new("LPUSH").arg(key).args(values);
    /// Puts elements behind the tail, and answers the length.
    rpush(key: impl ToArg, values: impl IntoIterator<Item = impl ToArg>) -> u64 =
        Cmd::new("RPUSH").arg(key).args(values);
    /// As [`lpush`](Self::lpush) if the list exists; 0 otherwise.
    lpushx(key: impl ToArg, values: impl IntoIterator<Item = impl ToArg>) -> u64 =
        Cmd::new("LPUSHX").arg(key).args(values);
    /// As [`rpush`](Self::rpush) if the list exists; 0 otherwise.
    rpushx(key: impl ToArg, values: impl IntoIterator<Item = impl ToArg>) -> u64 =
        Cmd::new("RPUSHX").arg(key).args(values);
    /// Takes the head.
    lpop<T>(key: impl ToArg) -> Option<T> = Cmd::new("LPOP").arg(key);
    /// Takes the tail.
    rpop<T>(key: impl ToArg) -> Option<T> = Cmd::new("RPOP").arg(key);
    /// Takes up to so many elements from the head.
    lpop_many<T>(key: impl ToArg, count: u64) -> Vec<T> = Cmd::new("LPOP").arg(key).arg(count);
    /// Takes up to so many elements from the tail.
    rpop_many<T>(key: impl ToArg, count: u64) -> Vec<T> = Cmd::new("RPOP").arg(key).arg(count);
    /// The elements from one place to another, both included; negative ones count from the tail.
    lrange<T>(key: impl ToArg, start: i64, end: i64) -> Vec<T> = Cmd::new("LRANGE").arg(key).arg(start).arg(end);
    /// The element at a place.
    lindex<T>(key: impl ToArg, index: i64) -> Option<T> = Cmd::new("LINDEX").arg(key).arg(index);
    /// Replaces the element at a place.
    lset(key: impl ToArg, index: i64, value: impl ToArg) -> () = Cmd::new("LSET").arg(key).arg(index).arg(value);
    /// How many elements there are.
    llen(key: impl ToArg) -> u64 = Cmd::new("LLEN").arg(key);
    /// Keeps the elements from one place to another.
    ltrim(key: impl ToArg, start: i64, end: i64) -> () = Cmd::new("LTRIM").arg(key).arg(start).arg(end);
    /// Removes elements that equal a value: so many from the head, from the tail if negative, all if 0.
    lrem(key: impl ToArg, count: i64, value: impl ToArg) -> u64 = Cmd::new("LREM").arg(key).arg(count).arg(value);
    /// Puts an element before another, or behind it; answers the length, -1 if there is no such element.
    linsert(key: impl ToArg, before: bool, pivot: impl ToArg, value: impl ToArg) -> i64 =
        Cmd::new("LINSERT").arg(key).arg(if before { "BEFORE" } else { "AFTER" }).arg(pivot).arg(value);
    /// The place of the first element that equals a value.
    lpos(key: impl ToArg, value: impl ToArg) -> Option<u64> = Cmd::new("LPOS").arg(key).arg(value);
    /// Moves an element from one list's end to another's, in the same slot.
    lmove<T>(from: impl ToArg, to: impl ToArg, from_side: Side, to_side: Side) -> Option<T> =
        Cmd::new("LMOVE").arg(from).arg(to).arg(from_side).arg(to_side);
    /// Takes up to so many elements from the first of the lists, of one slot, that has any.
    lmpop<T>(keys: impl IntoIterator<Item = impl ToArg>, side: Side, count: u64) -> Option<(String, Vec<T>)> = {
        let keys: Vec<_> = keys.into_iter().collect();
        Cmd::new("LMPOP").arg(keys.len()).args(keys).arg(side).arg("COUNT").arg(count)
    };
    /// Takes the head of the first of the lists, of one slot, that has one; waits for it up to `timeout`, zero for ever.
    /// On a connection of its own.
    blpop<T>(keys: impl IntoIterator<Item = impl ToArg>, timeout: Duration) -> Option<(String, T)> =
        Cmd::new("BLPOP").args(keys).arg(timeout.as_secs_f64());
    /// As [`blpop`](Self::blpop), from the tail.
    brpop<T>(keys: impl IntoIterator<Item = impl ToArg>, timeout: Duration) -> Option<(String, T)> =
        Cmd::new("BRPOP").args(keys).arg(timeout.as_secs_f64());
    /// As [`lmove`](Self::lmove); waits for an element up to `timeout`, zero for ever. On a connection of its own.
    blmove<T>(from: impl ToArg, to: impl ToArg, from_side: Side, to_side: Side, timeout: Duration) -> Option<T> =
        Cmd::new("BLMOVE").arg(from).arg(to).arg(from_side).arg(to_side).arg(timeout.as_secs_f64());
}
