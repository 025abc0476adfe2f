//! Hashes: <https://valkey.io/commands/?group=hash>.

mod deadline;
mod delete;
mod edit;
mod expire;
mod fields;
mod get;
mod getex;
mod increment;
mod random;
mod scan;
mod set;
mod setex;
mod ttl;
mod whole;

use super::registry::HandlerList;

/// The family's handlers.
pub(super) const HANDLERS: HandlerList = &[
    ("hdel", delete::hdel),
    ("hexists", get::hexists),
    ("hexpire", expire::hexpire),
    ("hexpireat", expire::hexpireat),
    ("hexpiretime", ttl::hexpiretime),
    ("hget", get::hget),
    ("hgetall", whole::hgetall),
    ("hgetdel", delete::hgetdel),
    ("hgetex", getex::hgetex),
    ("hincrby", increment::hincrby),
    ("hincrbyfloat", increment::hincrbyfloat),
    ("hkeys", whole::hkeys),
    ("hlen", get::hlen),
    ("hmget", get::hmget),
    ("hmset", set::hmset),
    ("hpersist", ttl::hpersist),
    ("hpexpire", expire::hpexpire),
    ("hpexpireat", expire::hpexpireat),
    ("hpexpiretime", ttl::hpexpiretime),
    ("hpttl", ttl::hpttl),
    ("hrandfield", random::hrandfield),
    ("hscan", scan::hscan),
    ("hset", set::hset),
    ("hsetex", setex::hsetex),
    ("hsetnx", set::hsetnx),
    ("hstrlen", get::hstrlen),
    ("httl", ttl::httl),
    ("hvals", whole::hvals),
];

#[cfg(test)]
mod tests;
