//! Hashes: <https://valkey.io/commands/?group=hash>.

mod delete;
mod edit;
mod get;
mod increment;
mod random;
mod scan;
mod set;
mod whole;

use super::registry::HandlerList;

/// The family's handlers.
pub(super) const HANDLERS: HandlerList = &[
    ("hdel", delete::hdel),
    ("hexists", get::hexists),
    ("hget", get::hget),
    ("hgetall", whole::hgetall),
    ("hincrby", increment::hincrby),
    ("hincrbyfloat", increment::hincrbyfloat),
    ("hkeys", whole::hkeys),
    ("hlen", get::hlen),
    ("hmget", get::hmget),
    ("hmset", set::hmset),
    ("hrandfield", random::hrandfield),
    ("hscan", scan::hscan),
    ("hset", set::hset),
    ("hsetnx", set::hsetnx),
    ("hstrlen", get::hstrlen),
    ("hvals", whole::hvals),
];
