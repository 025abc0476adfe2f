//! Bitmaps: <https://valkey.io/commands/?group=bitmap>.

use super::registry::HandlerList;

/// The family's handlers.
pub(super) const HANDLERS: HandlerList = &[];
