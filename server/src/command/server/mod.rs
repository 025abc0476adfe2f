//! The server itself: <https://valkey.io/commands/?group=server>.

mod config;
mod debug;
mod keyspace;

use super::registry::HandlerList;

/// The family's handlers.
pub(super) const HANDLERS: HandlerList = &[
    ("config", config::config),
    ("dbsize", keyspace::dbsize),
    ("debug", debug::debug),
    ("flushall", keyspace::flushall),
    ("flushdb", keyspace::flushdb),
    ("swapdb", keyspace::swapdb),
];
