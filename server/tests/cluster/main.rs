//! Tests of what nodes do for each other's clients, over real sockets: with routes that the tests set by hand, and in
//! clusters that formed by themselves (`copies`).

mod basics;
mod blocking;
mod copies;
mod formed;
mod many;
mod pubsub;
mod support;
mod tracking;
mod transactions;
mod wait;
