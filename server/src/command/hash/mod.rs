//! Hashes: <https://valkey.io/commands/?group=hash>.

use super::registry::HandlerList;

/// The family's handlers.
pub(super) const HANDLERS: HandlerList = &[];
