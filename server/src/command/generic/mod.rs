//! Keys of any type: <https://valkey.io/commands/?group=generic>.

mod copy;
mod dump;
#[cfg(test)]
mod effect_tests;
mod existence;
mod object;
mod rename;
mod scan;
mod sort;
pub(crate) mod wait;

pub(crate) use copy::database;
pub(crate) use object::encoding;
pub(crate) use sort::reads_unnamed_keys;

use super::registry::HandlerList;

/// The family's handlers.
pub(super) const HANDLERS: HandlerList = &[
    ("copy", copy::copy),
    ("del", existence::del),
    ("dump", dump::dump),
    ("exists", existence::exists),
    ("keys", scan::keys),
    ("move", copy::r#move),
    ("object", object::object),
    ("randomkey", scan::randomkey),
    ("rename", rename::rename),
    ("renamenx", rename::renamenx),
    ("restore", dump::restore),
    ("scan", scan::scan),
    ("sort", sort::sort),
    ("sort_ro", sort::sort_ro),
    ("touch", existence::touch),
    ("type", existence::r#type),
    ("unlink", existence::del),
    ("wait", wait::wait),
];
