//! Tests of the client against scripted nodes that misbehave.

mod faults;
mod node;
mod reads;
mod redirects;
mod spans;
