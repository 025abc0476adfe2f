//! The server itself: <https://valkey.io/commands/?group=server>.

mod config;

use super::registry::HandlerList;

/// The family's handlers.
pub(super) const HANDLERS: HandlerList = &[("config", config::config)];
