//! Tests of a node over real sockets: the built binary, and the `redis` client.

mod basics;
mod geo;
mod support;
mod zsets;
