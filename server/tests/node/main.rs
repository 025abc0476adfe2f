//! Tests of a node over real sockets: the built binary, and the `redis` client.

mod basics;
mod blocking;
mod geo;
mod hashes;
mod lines;
mod lists;
mod sets;
mod keys;
mod client;
mod geo;
mod pubsub;
mod strings;
mod support;
mod tracking;
mod wire;
mod zsets;
