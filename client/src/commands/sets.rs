//! Sets.

use super::commands;
use crate::{Cmd, ToArg};

commands! {
    /// Adds members, and answers how many are new.
    sadd(key: impl ToArg, members: impl IntoIterator<Item = impl ToArg>) -> u64 =
        Cmd::new("SADD").arg(key).args(members);
    /// Removes members, and answers how many there were.
    srem(key: impl ToArg, members: impl IntoIterator<Item = impl ToArg>) -> u64 =
        Cmd::new("SREM").arg(key).args(members);
    /// All members: into a `HashSet`, `BTreeSet` or `Vec`.
    smembers<T>(key: impl ToArg) -> T = Cmd::new("SMEMBERS").arg(key);
    /// How many members there are.
    scard(key: impl ToArg) -> u64 = Cmd::new("SCARD").arg(key);
    /// Whether something is a member.
    sismember(key: impl ToArg, member: impl ToArg) -> bool = Cmd::new("SISMEMBER").arg(key).arg(member);
    /// Which of several are members.
    smismember(key: impl ToArg, members: impl IntoIterator<Item = impl ToArg>) -> Vec<bool> =
        Cmd::new("SMISMEMBER").arg(key).args(members);
    /// Moves a member to another set of the same slot; `false` if it isn't one.
    smove(from: impl ToArg, to: impl ToArg, member: impl ToArg) -> bool =
        Cmd::new("SMOVE").arg(from).arg(to).arg(member);
    /// Takes up to so many members, drawn at random.
    spop<T>(key: impl ToArg, count: u64) -> Vec<T> = Cmd::new("SPOP").arg(key).arg(count);
    /// Members drawn at random: different ones, or, if `count` is negative, so many with repetitions.
    srandmember<T>(key: impl ToArg, count: i64) -> Vec<T> = Cmd::new("SRANDMEMBER").arg(key).arg(count);
    /// What is in all of the sets, which share a slot.
    sinter<T>(keys: impl IntoIterator<Item = impl ToArg>) -> Vec<T> = Cmd::new("SINTER").args(keys);
    /// What is in any of the sets, which share a slot.
    sunion<T>(keys: impl IntoIterator<Item = impl ToArg>) -> Vec<T> = Cmd::new("SUNION").args(keys);
    /// What is in the first of the sets only; they share a slot.
    sdiff<T>(keys: impl IntoIterator<Item = impl ToArg>) -> Vec<T> = Cmd::new("SDIFF").args(keys);
    /// Stores what [`sinter`](Self::sinter) answers, and answers how many members that are.
    sinterstore(to: impl ToArg, keys: impl IntoIterator<Item = impl ToArg>) -> u64 =
        Cmd::new("SINTERSTORE").arg(to).args(keys);
    /// Stores what [`sunion`](Self::sunion) answers, and answers how many members that are.
    sunionstore(to: impl ToArg, keys: impl IntoIterator<Item = impl ToArg>) -> u64 =
        Cmd::new("SUNIONSTORE").arg(to).args(keys);
    /// Stores what [`sdiff`](Self::sdiff) answers, and answers how many members that are.
    sdiffstore(to: impl ToArg, keys: impl IntoIterator<Item = impl ToArg>) -> u64 =
        Cmd::new("SDIFFSTORE").arg(to).args(keys);
    /// How many members are in all of the sets, counted up to a limit; 0 for none.
    sintercard(keys: impl IntoIterator<Item = impl ToArg>, limit: u64) -> u64 = {
        let keys: Vec<_> = keys.into_iter().collect();
        Cmd::new("SINTERCARD").arg(keys.len()).args(keys).arg("LIMIT").arg(limit)
    };
}
