//! Sets: <https://valkey.io/commands/?group=set>.

use super::registry::HandlerList;

/// The family's handlers.
pub(super) const HANDLERS: HandlerList = &[];
