//! Server processes: starting, pinning, measuring and reliably ending them.

pub mod affinity;
pub mod guard;
pub mod sampler;
pub mod server;
pub mod usage;

pub use server::{Server, ServerSpec};
