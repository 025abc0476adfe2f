//! Tests of a node over real sockets: the built binary, and the `redis` client.

mod basics;
mod blocking;
mod client;
mod geo;
mod hashes;
mod keys;
mod lines;
mod lists;
mod pubsub;
mod sets;
mod strings;
mod support;
mod tracking;
mod wire;
mod zsets;
