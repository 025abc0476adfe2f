//! Expiry and TTLs: <https://valkey.io/commands/?group=generic>.

use super::registry::HandlerList;

/// The family's handlers.
pub(super) const HANDLERS: HandlerList = &[];
