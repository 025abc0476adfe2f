//! Sorted sets: <https://valkey.io/commands/?group=sorted-set>.

use super::registry::HandlerList;

/// The family's handlers.
pub(super) const HANDLERS: HandlerList = &[];
