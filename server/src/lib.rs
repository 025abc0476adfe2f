//! The Rondache cache node as a library.
//!
//! The `rondache` binary is a thin shell around this crate; a service may embed a whole node the same way.

pub mod store;
pub mod types;
pub mod util;
