//! The Rondache cache node as a library.
//!
//! The `rondache` binary is a thin shell around this crate; a service may embed a whole node the same way.
//! Data and control flow one way: [`net`] → [`session`] → [`command`] → [`store`].

pub mod cli;
pub mod cluster;
pub mod command;
pub mod config;
pub mod net;
pub mod node;
pub mod rdb;
pub mod session;
pub mod store;
pub mod types;
pub mod util;
