//! Connections: <https://valkey.io/commands/?group=connection>.

mod auth;
mod client;
mod hello;
mod monitor;
mod ping;
mod reset;
mod select;

use super::registry::HandlerList;

/// The family's handlers.
pub(super) const HANDLERS: HandlerList = &[
    ("auth", auth::auth),
    ("client", client::client),
    ("echo", ping::echo),
    ("hello", hello::hello),
    ("monitor", monitor::monitor),
    ("ping", ping::ping),
    ("quit", reset::quit),
    ("reset", reset::reset),
    ("select", select::select),
];
