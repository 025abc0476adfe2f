//! Lists: <https://valkey.io/commands/?group=list>.

mod blocking;
mod edit;
mod end;
mod pop;
mod push;
mod read;
mod rotate;

use super::registry::HandlerList;

/// The family's handlers.
pub(super) const HANDLERS: HandlerList = &[
    ("blmove", blocking::blmove),
    ("blmpop", blocking::blmpop),
    ("blpop", blocking::blpop),
    ("brpop", blocking::brpop),
    ("brpoplpush", blocking::brpoplpush),
    ("lindex", read::lindex),
    ("linsert", edit::linsert),
    ("llen", read::llen),
    ("lmove", rotate::lmove),
    ("lmpop", pop::lmpop),
    ("lpop", pop::lpop),
    ("lpos", read::lpos),
    ("lpush", push::lpush),
    ("lpushx", push::lpushx),
    ("lrange", read::lrange),
    ("lrem", edit::lrem),
    ("lset", edit::lset),
    ("ltrim", edit::ltrim),
    ("rpop", pop::rpop),
    ("rpoplpush", rotate::rpoplpush),
    ("rpush", push::rpush),
    ("rpushx", push::rpushx),
];

#[cfg(test)]
mod tests;
