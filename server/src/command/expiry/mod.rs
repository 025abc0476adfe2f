//! Keys' deadlines: EXPIRE, TTL, PERSIST and their kin.

mod expire;
mod ttl;

use super::registry::HandlerList;

/// The family's handlers.
pub(super) const HANDLERS: HandlerList = &[
    ("expire", expire::expire),
    ("expireat", expire::expireat),
    ("expiretime", ttl::expiretime),
    ("persist", expire::persist),
    ("pexpire", expire::pexpire),
    ("pexpireat", expire::pexpireat),
    ("pexpiretime", ttl::pexpiretime),
    ("pttl", ttl::pttl),
    ("ttl", ttl::ttl),
];
