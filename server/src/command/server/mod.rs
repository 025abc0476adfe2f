//! The server itself: <https://valkey.io/commands/?group=server>.

mod command;
mod config;
mod debug;
mod info;
mod keyspace;
mod latency;
mod memory;
mod process;
mod slowlog;

use super::registry::HandlerList;

/// The version of Redis whose commands and replies this node has, for clients that ask.
pub(crate) const REDIS_VERSION: &str = "7.4.0";

/// The family's handlers.
pub(super) const HANDLERS: HandlerList = &[
    ("command", command::command),
    ("config", config::config),
    ("dbsize", keyspace::dbsize),
    ("debug", debug::debug),
    ("flushall", keyspace::flushall),
    ("flushdb", keyspace::flushdb),
    ("info", info::info),
    ("latency", latency::latency),
    ("lolwut", process::lolwut),
    ("memory", memory::memory),
    ("shutdown", process::shutdown),
    ("slowlog", slowlog::slowlog),
    ("time", process::time),
    ("swapdb", keyspace::swapdb),
];
