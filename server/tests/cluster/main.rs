//! Tests of what nodes do for each other's clients, over real sockets, with routes that the tests set by hand.

mod basics;
mod many;
mod support;
