//! Sets: <https://valkey.io/commands/?group=set>.

mod combine;
mod intersect;
mod members;
mod moves;
mod random;
mod scan;
mod store;

use rondache_protocol::resp::writer::ReplyWriter;

use super::registry::HandlerList;
use crate::types::item::Item;

/// The family's handlers.
pub(super) const HANDLERS: HandlerList = &[
    ("sadd", members::sadd),
    ("scard", members::scard),
    ("sdiff", combine::sdiff),
    ("sdiffstore", combine::sdiffstore),
    ("sinter", intersect::sinter),
    ("sintercard", intersect::sintercard),
    ("sinterstore", intersect::sinterstore),
    ("sismember", members::sismember),
    ("smembers", members::smembers),
    ("smismember", members::smismember),
    ("smove", moves::smove),
    ("spop", random::spop),
    ("srandmember", random::srandmember),
    ("srem", members::srem),
    ("sscan", scan::sscan),
    ("sunion", combine::sunion),
    ("sunionstore", combine::sunionstore),
];

/// Writes a member as a string.
#[inline]
fn reply_item(reply: &mut ReplyWriter<'_>, item: Item<'_>) {
    match item {
        Item::Bytes(bytes) => reply.bulk(bytes),
        Item::Int(number) => reply.bulk_integer(number),
    }
}

#[cfg(test)]
mod tests;
