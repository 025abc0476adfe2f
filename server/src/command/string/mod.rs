//! Strings: <https://valkey.io/commands/?group=string>.

mod get;

use super::registry::HandlerList;

/// The family's handlers.
pub(super) const HANDLERS: HandlerList =
    &[("get", get::get), ("set", get::set), ("mget", get::mget), ("incr", get::incr)];
