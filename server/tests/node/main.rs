//! Tests of a node over real sockets: the built binary, and the `redis` client.

mod basics;
mod blocking;
mod geo;
mod lines;
mod support;
mod zsets;
