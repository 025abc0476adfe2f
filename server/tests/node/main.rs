//! Tests of a node over real sockets: the built binary, and the `redis` client.

mod basics;
mod blocking;
mod client;
mod cluster;
mod config;
mod geo;
mod hashes;
mod info;
mod keys;
mod lines;
mod lists;
mod pubsub;
mod sets;
mod startup;
mod strings;
mod support;
mod tracking;
mod wire;
mod zsets;
