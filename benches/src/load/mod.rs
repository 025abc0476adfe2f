//! Generates load: which keys, which commands, on what schedule.
//!
//! ```text
//! Distribution → key number → KeyFormat ┐
//! ValuePool ────────────────────────────┼→ Generator (a Workload) → Engine → sockets
//! Mix of operations ────────────────────┘
//! ```

pub mod distribution;
pub mod engine;
pub mod generator;
pub mod keys;
pub mod operation;
pub mod outcome;
pub mod prepare;
pub mod schedule;
pub mod values;

/// Produces requests, one at a time.
pub trait Workload {
    /// Appends one encoded request to `out`.
    fn encode(&mut self, out: &mut Vec<u8>);
}
