//! HyperLogLog: <https://valkey.io/commands/?group=hyperloglog>.

use super::registry::HandlerList;

/// The family's handlers.
pub(super) const HANDLERS: HandlerList = &[];
