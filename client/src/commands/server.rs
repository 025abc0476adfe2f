//! The server itself. In a cluster of Rondache these are answered for the whole cluster where that makes sense.

use std::collections::HashMap;

use super::commands;
use crate::{Cmd, ToArg};

commands! {
    /// Whether a node answers.
    ping() -> () = Cmd::new("PING");
    /// How many keys there are.
    dbsize() -> u64 = Cmd::new("DBSIZE");
    /// Removes all keys of the database.
    flushdb() -> () = Cmd::new("FLUSHDB");
    /// Removes all keys of all databases.
    flushall() -> () = Cmd::new("FLUSHALL");
    /// What a node tells about itself, or one section of that.
    info(section: &str) -> String = Cmd::new("INFO").optional((!section.is_empty()).then_some(section));
    /// The node's time: seconds since 1970, and microseconds.
    time() -> (u64, u64) = Cmd::new("TIME");
    /// Settings that match a pattern.
    config_get(pattern: impl ToArg) -> HashMap<String, String> = Cmd::new("CONFIG").arg("GET").arg(pattern);
    /// Changes a setting.
    config_set(name: impl ToArg, value: impl ToArg) -> () = Cmd::new("CONFIG").arg("SET").arg(name).arg(value);
    /// How many bytes a key takes.
    memory_usage(key: impl ToArg) -> Option<u64> = Cmd::new("MEMORY").arg("USAGE").arg(key);
}
