//! Publish and subscribe: <https://valkey.io/commands/?group=pubsub>.

use super::registry::HandlerList;

/// The family's handlers.
pub(super) const HANDLERS: HandlerList = &[];
