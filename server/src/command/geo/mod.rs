//! Geospatial indices: <https://valkey.io/commands/?group=geo>. They are sorted sets whose scores are geohashes.

mod add;
mod lookup;
mod parse;
mod reply;
mod search;
mod search_args;
#[cfg(test)]
mod tests;

use super::registry::HandlerList;

/// The family's handlers.
pub(super) const HANDLERS: HandlerList = &[
    ("geoadd", add::geoadd),
    ("geodist", lookup::geodist),
    ("geohash", lookup::geohash),
    ("geopos", lookup::geopos),
    ("georadius", search::georadius),
    ("georadius_ro", search::georadius_ro),
    ("georadiusbymember", search::georadiusbymember),
    ("georadiusbymember_ro", search::georadiusbymember_ro),
    ("geosearch", search::geosearch),
    ("geosearchstore", search::geosearchstore),
];
