//! Publish and subscribe: <https://valkey.io/commands/?group=pubsub>.

mod introspect;
mod publish;
mod subscribe;

use super::registry::HandlerList;

/// The family's handlers.
pub(super) const HANDLERS: HandlerList = &[
    ("psubscribe", subscribe::psubscribe),
    ("publish", publish::publish),
    ("pubsub", introspect::pubsub),
    ("punsubscribe", subscribe::punsubscribe),
    ("spublish", publish::spublish),
    ("ssubscribe", subscribe::ssubscribe),
    ("subscribe", subscribe::subscribe),
    ("sunsubscribe", subscribe::sunsubscribe),
    ("unsubscribe", subscribe::unsubscribe),
];
