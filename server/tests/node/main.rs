//! Tests of a node over real sockets: the built binary, and the `redis` client.

mod basics;
mod geo;
mod strings;
mod support;
mod zsets;
