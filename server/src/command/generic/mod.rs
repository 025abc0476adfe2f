//! Keys of any type: <https://valkey.io/commands/?group=generic>.

mod copy;
mod existence;
mod object;
mod rename;
mod scan;
mod wait;

pub(crate) use copy::database;

use super::registry::HandlerList;

/// The family's handlers.
pub(super) const HANDLERS: HandlerList = &[
    ("copy", copy::copy),
    ("del", existence::del),
    ("exists", existence::exists),
    ("keys", scan::keys),
    ("move", copy::r#move),
    ("object", object::object),
    ("randomkey", scan::randomkey),
    ("rename", rename::rename),
    ("renamenx", rename::renamenx),
    ("scan", scan::scan),
    ("touch", existence::touch),
    ("type", existence::r#type),
    ("unlink", existence::del),
    ("wait", wait::wait),
];
