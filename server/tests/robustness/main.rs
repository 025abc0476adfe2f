//! Bad input over real sockets: it never panics, never harms other connections, and never makes memory grow past its
//! bound.
//!
//! | module | what comes in |
//! |---|---|
//! | [`frames`] | garbage, and valid pipelines with errors in them |
//! | [`headers`] | headers that promise more than may come |
//! | [`slow_clients`] | clients that don't read, don't go on, or never stop |
//! | [`wrong_types`] | commands on keys of another type |
//! | [`integers`] | numbers out of range |
//! | [`calls`] | any command with any arguments |
//! | [`payloads`] | serialized values with errors in them |

mod calls;
mod frames;
mod headers;
mod integers;
mod payloads;
mod slow_clients;
#[path = "../node/support.rs"]
#[allow(dead_code, reason = "shared with other test binaries, each of which uses a part")]
mod support;
mod victim;
mod wire;
mod wrong_types;
