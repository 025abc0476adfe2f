//! Lists: <https://valkey.io/commands/?group=list>.

use super::registry::HandlerList;

/// The family's handlers.
pub(super) const HANDLERS: HandlerList = &[];
