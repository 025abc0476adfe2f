//! Geospatial indices: <https://valkey.io/commands/?group=geo>.

use super::registry::HandlerList;

/// The family's handlers.
pub(super) const HANDLERS: HandlerList = &[];
