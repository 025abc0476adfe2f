//! Tests of a node over real sockets: the built binary, and the `redis` client.

mod basics;
mod blocking;
mod geo;
mod hashes;
mod keys;
mod lines;
mod lists;
mod sets;
mod strings;
mod support;
mod zsets;
