//! Configuration: what a node is started with, and what may change while it runs.

pub mod settings;
