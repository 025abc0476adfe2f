//! Tests of a node over real sockets: the built binary, and the `redis` client.

mod basics;
mod client;
mod geo;
mod pubsub;
mod strings;
mod support;
mod tracking;
mod wire;
mod zsets;
