//! Strings: <https://valkey.io/commands/?group=string>.

#[cfg(test)]
mod effect_tests;
mod get;
mod getex;
mod increment;
mod lcs;
mod many;
mod range;
mod set;
mod set_options;

use super::{CommandError, registry::HandlerList};
use crate::{
    config::settings::Settings,
    store::{key::Key, keyspace::Keyspace, object::WrongType},
};

/// The family's handlers.
pub(super) const HANDLERS: HandlerList = &[
    ("append", range::append),
    ("decr", increment::decr),
    ("decrby", increment::decrby),
    ("get", get::get),
    ("getdel", get::getdel),
    ("getex", getex::getex),
    ("getrange", range::getrange),
    ("getset", set::getset),
    ("incr", increment::incr),
    ("incrby", increment::incrby),
    ("incrbyfloat", increment::incrbyfloat),
    ("lcs", lcs::lcs),
    ("mget", many::mget),
    ("mset", many::mset),
    ("msetnx", many::msetnx),
    ("psetex", set::psetex),
    ("set", set::set),
    ("setex", set::setex),
    ("setnx", set::setnx),
    ("setrange", range::setrange),
    ("strlen", get::strlen),
    ("substr", range::getrange),
];

/// The bytes of a string for looking at before a write: `None` where there is no such key.
///
/// # Errors
/// The key holds a collection.
pub(super) fn peek_string<'k>(ks: &'k Keyspace<'_>, key: &Key<'_>) -> Result<Option<&'k [u8]>, WrongType> {
    match ks.peek(key) {
        None => Ok(None),
        Some(entry) => entry.value().as_bytes().map(Some).ok_or(WrongType),
    }
}

/// The sum of an offset (or a length) and a length, where a string may become that long.
///
/// # Errors
/// It would be longer than `proto-max-bulk-len` allows.
pub(super) fn checked_len(settings: &Settings, offset: usize, len: usize) -> Result<usize, CommandError> {
    offset
        .checked_add(len)
        .filter(|&total| total <= settings.bulk_len_max)
        .ok_or(CommandError::coded("ERR string exceeds maximum allowed size (proto-max-bulk-len)"))
}
