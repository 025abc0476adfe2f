//! Sorted sets: <https://valkey.io/commands/?group=sorted-set>.

pub(super) mod add;
mod bounds;
mod combine;
mod combine_args;
mod lookup;
mod pop;
mod random;
mod range;
mod remove;
mod reply;
mod scan;
pub(super) mod store;
#[cfg(test)]
mod tests;

use super::registry::HandlerList;

/// The family's handlers.
pub(super) const HANDLERS: HandlerList = &[
    ("bzmpop", pop::bzmpop),
    ("bzpopmax", pop::bzpopmax),
    ("bzpopmin", pop::bzpopmin),
    ("zadd", add::zadd),
    ("zcard", lookup::zcard),
    ("zcount", lookup::zcount),
    ("zdiff", combine::zdiff),
    ("zdiffstore", combine::zdiffstore),
    ("zincrby", add::zincrby),
    ("zinter", combine::zinter),
    ("zintercard", combine::zintercard),
    ("zinterstore", combine::zinterstore),
    ("zlexcount", lookup::zlexcount),
    ("zmpop", pop::zmpop),
    ("zmscore", lookup::zmscore),
    ("zpopmax", pop::zpopmax),
    ("zpopmin", pop::zpopmin),
    ("zrandmember", random::zrandmember),
    ("zrange", range::zrange),
    ("zrangebylex", range::zrangebylex),
    ("zrangebyscore", range::zrangebyscore),
    ("zrangestore", range::zrangestore),
    ("zrank", lookup::zrank),
    ("zrem", remove::zrem),
    ("zremrangebylex", remove::zremrangebylex),
    ("zremrangebyrank", remove::zremrangebyrank),
    ("zremrangebyscore", remove::zremrangebyscore),
    ("zrevrange", range::zrevrange),
    ("zrevrangebylex", range::zrevrangebylex),
    ("zrevrangebyscore", range::zrevrangebyscore),
    ("zrevrank", lookup::zrevrank),
    ("zscan", scan::zscan),
    ("zscore", lookup::zscore),
    ("zunion", combine::zunion),
    ("zunionstore", combine::zunionstore),
];
