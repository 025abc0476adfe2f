//! Sorted sets. Bounds of score ranges are numbers, `"(1.5"` for an excluded one, `"-inf"` or `"+inf"`; those of
//! lexical ranges are `"[a"`, `"(a"`, `"-"` or `"+"`.

use std::time::Duration;

use super::{commands, options::Condition};
use crate::{Cmd, ToArg};

/// Which scores ZADD may replace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScoreUpdate {
    /// Only by greater ones.
    Greater,
    /// Only by smaller ones.
    Less,
}

/// Options of ZADD.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ZAdd {
    /// Whether the member has to be there, or must not be.
    pub condition: Option<Condition>,
    /// Which scores may be replaced.
    pub update: Option<ScoreUpdate>,
    /// Count the members whose score changed too, not only new ones.
    pub count_changed: bool,
}

impl ZAdd {
    fn add_to(self, cmd: Cmd) -> Cmd {
        let update = self.update.map(|update| match update {
            ScoreUpdate::Greater => "GT",
            ScoreUpdate::Less => "LT",
        });
        cmd.optional(self.condition.map(Condition::word)).optional(update).flag("CH", self.count_changed)
    }
}

commands! {
    /// Gives a member its score, and answers how many are new: 0 or 1.
    zadd(key: impl ToArg, member: impl ToArg, score: f64) -> u64 = Cmd::new("ZADD").arg(key).arg(score).arg(member);
    /// Gives members their scores (score first), and answers how many are new, or changed if the options say so.
    zadd_many(key: impl ToArg, options: ZAdd, members: impl IntoIterator<Item = (f64, impl ToArg)>) -> u64 =
        options.add_to(Cmd::new("ZADD").arg(key)).pairs(members);
    /// Removes members, and answers how many there were.
    zrem(key: impl ToArg, members: impl IntoIterator<Item = impl ToArg>) -> u64 =
        Cmd::new("ZREM").arg(key).args(members);
    /// A member's score.
    zscore(key: impl ToArg, member: impl ToArg) -> Option<f64> = Cmd::new("ZSCORE").arg(key).arg(member);
    /// Members' scores, in their order.
    zmscore(key: impl ToArg, members: impl IntoIterator<Item = impl ToArg>) -> Vec<Option<f64>> =
        Cmd::new("ZMSCORE").arg(key).args(members);
    /// Adds to a member's score, and answers the sum.
    zincr_by(key: impl ToArg, number: f64, member: impl ToArg) -> f64 =
        Cmd::new("ZINCRBY").arg(key).arg(number).arg(member);
    /// How many members there are.
    zcard(key: impl ToArg) -> u64 = Cmd::new("ZCARD").arg(key);
    /// How many members have scores between two bounds.
    zcount(key: impl ToArg, min: impl ToArg, max: impl ToArg) -> u64 = Cmd::new("ZCOUNT").arg(key).arg(min).arg(max);
    /// How many members stand between two texts, all scores being equal.
    zlexcount(key: impl ToArg, min: impl ToArg, max: impl ToArg) -> u64 =
        Cmd::new("ZLEXCOUNT").arg(key).arg(min).arg(max);
    /// A member's place by rising score.
    zrank(key: impl ToArg, member: impl ToArg) -> Option<u64> = Cmd::new("ZRANK").arg(key).arg(member);
    /// A member's place by falling score.
    zrevrank(key: impl ToArg, member: impl ToArg) -> Option<u64> = Cmd::new("ZREVRANK").arg(key).arg(member);
    /// The members from one place to another, both included; negative ones count from the end.
    zrange<T>(key: impl ToArg, start: i64, end: i64) -> Vec<T> = Cmd::new("ZRANGE").arg(key).arg(start).arg(end);
    /// As [`zrange`](Self::zrange), with scores.
    zrange_with_scores<T>(key: impl ToArg, start: i64, end: i64) -> Vec<(T, f64)> =
        Cmd::new("ZRANGE").arg(key).arg(start).arg(end).arg("WITHSCORES");
    /// As [`zrange`](Self::zrange), by falling score.
    zrevrange<T>(key: impl ToArg, start: i64, end: i64) -> Vec<T> =
        Cmd::new("ZRANGE").arg(key).arg(start).arg(end).arg("REV");
    /// The members with scores between two bounds: at most `count` after `skip`.
    zrange_by_score<T>(key: impl ToArg, min: impl ToArg, max: impl ToArg, skip: u64, count: i64) -> Vec<T> =
        Cmd::new("ZRANGE").arg(key).arg(min).arg(max).arg("BYSCORE").arg("LIMIT").arg(skip).arg(count);
    /// As [`zrange_by_score`](Self::zrange_by_score), with scores.
    zrange_by_score_with_scores<T>(key: impl ToArg, min: impl ToArg, max: impl ToArg, skip: u64, count: i64) -> Vec<(T, f64)> =
        Cmd::new("ZRANGE").arg(key).arg(min).arg(max).arg("BYSCORE").arg("LIMIT").arg(skip).arg(count).arg("WITHSCORES");
    /// The members between two texts, all scores being equal.
    zrange_by_lex<T>(key: impl ToArg, min: impl ToArg, max: impl ToArg) -> Vec<T> =
        Cmd::new("ZRANGE").arg(key).arg(min).arg(max).arg("BYLEX");
    /// Removes the members with scores between two bounds.
    zremrange_by_score(key: impl ToArg, min: impl ToArg, max: impl ToArg) -> u64 =
        Cmd::new("ZREMRANGEBYSCORE").arg(key).arg(min).arg(max);
    /// Removes the members from one place to another.
    zremrange_by_rank(key: impl ToArg, start: i64, end: i64) -> u64 =
        Cmd::new("ZREMRANGEBYRANK").arg(key).arg(start).arg(end);
    /// Takes up to so many members with the smallest scores.
    zpopmin<T>(key: impl ToArg, count: u64) -> Vec<(T, f64)> = Cmd::new("ZPOPMIN").arg(key).arg(count);
    /// Takes up to so many members with the greatest scores.
    zpopmax<T>(key: impl ToArg, count: u64) -> Vec<(T, f64)> = Cmd::new("ZPOPMAX").arg(key).arg(count);
    /// Members drawn at random: different ones, or, if `count` is negative, so many with repetitions.
    zrandmember<T>(key: impl ToArg, count: i64) -> Vec<T> = Cmd::new("ZRANDMEMBER").arg(key).arg(count);
    /// Takes the member with the smallest score from the first of the sets, of one slot, that has any; waits for it up to
    /// `timeout`, zero for ever. On a connection of its own.
    bzpopmin<T>(keys: impl IntoIterator<Item = impl ToArg>, timeout: Duration) -> Option<(String, T, f64)> =
        Cmd::new("BZPOPMIN").args(keys).arg(timeout.as_secs_f64());
    /// As [`bzpopmin`](Self::bzpopmin), with the greatest score.
    bzpopmax<T>(keys: impl IntoIterator<Item = impl ToArg>, timeout: Duration) -> Option<(String, T, f64)> =
        Cmd::new("BZPOPMAX").args(keys).arg(timeout.as_secs_f64());
    /// The members of all of the sets, which share a slot, with their scores added.
    zunion_with_scores<T>(keys: impl IntoIterator<Item = impl ToArg>) -> Vec<(T, f64)> =
        counted("ZUNION", None::<&str>, keys).arg("WITHSCORES");
    /// The members that are in all of the sets, which share a slot, with their scores added.
    zinter_with_scores<T>(keys: impl IntoIterator<Item = impl ToArg>) -> Vec<(T, f64)> =
        counted("ZINTER", None::<&str>, keys).arg("WITHSCORES");
    /// The members that are in the first of the sets only; they share a slot.
    zdiff<T>(keys: impl IntoIterator<Item = impl ToArg>) -> Vec<T> = counted("ZDIFF", None::<&str>, keys);
    /// Stores the union, and answers how many members it has.
    zunionstore(to: impl ToArg, keys: impl IntoIterator<Item = impl ToArg>) -> u64 =
        counted("ZUNIONSTORE", Some(to), keys);
    /// Stores the intersection, and answers how many members it has.
    zinterstore(to: impl ToArg, keys: impl IntoIterator<Item = impl ToArg>) -> u64 =
        counted("ZINTERSTORE", Some(to), keys);
}

/// `NAME [destination] count key …`
fn counted(name: &str, to: Option<impl ToArg>, keys: impl IntoIterator<Item = impl ToArg>) -> Cmd {
    let keys: Vec<_> = keys.into_iter().collect();
    Cmd::new(name).optional(to).arg(keys.len()).args(keys)
}
