//! The load generator of Rondache.
//!
//! ```text
//! commands/   one file or folder per subcommand
//! load/       what is sent, and the loop that sends it
//! net/        RESP over sockets
//! proc/       server processes: start, pin, measure, end
//! trace/      access traces, decoded
//! sim/        offline cache policies
//! output/     tables, plots, progress
//! stats/      medians
//! ```
//! It speaks RESP over real sockets only and depends on no server.

pub mod cli;
pub mod commands;
pub mod error;
pub mod load;
pub mod net;
pub mod output;
pub mod proc;
pub mod sim;
pub mod stats;
pub mod trace;

pub use error::{BenchError, Result};
