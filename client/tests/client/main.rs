//! Tests of the client against real nodes, over real sockets, and against scripted ones that misbehave.

mod calls;
mod commands;
mod embedded;
mod streams;
mod support;
