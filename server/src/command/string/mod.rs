//! Strings: <https://valkey.io/commands/?group=string>.

mod get;

use super::registry::HandlerList;

/// The family's handlers.
pub(super) const HANDLERS: HandlerList = &[
    ("get", get::get),
    ("set", get::set),
    ("del", get::del),
    ("mget", get::mget),
    ("ping", get::ping),
    ("incr", get::incr),
    ("multi", crate::session::transaction::multi),
    ("discard", crate::session::transaction::discard),
    ("watch", crate::session::transaction::watch),
    ("unwatch", crate::session::transaction::unwatch),
    ("exec", get::exec),
];
