//! `rondache-bench client`: what the Rust client costs, and what its callers notice, on a cluster of three real nodes.
//!
//! | case | what is measured |
//! |---|---|
//! | `throughput` | GET and SET from many tasks: requests a second and the client's CPU per request, against redis-rs and fred |
//! | `near` | hits of the near cache, and how long an acknowledged write elsewhere stays unseen |
//! | `flight` | how often 1,000 tasks that want one missing key at once load it |
//! | `kill` | errors and the slowest call of idempotent commands while a node is killed |

mod cluster;
mod death;
mod drivers;
mod flight;
mod near;
mod throughput;
pub mod worker;

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::error::{BenchError, Result};
use crate::output::{self, Format, Table};

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Case {
    /// CPU and throughput against other clients
    Throughput,
    /// Hits and staleness of the near cache
    Near,
    /// One load for many who ask at once
    Flight,
    /// Calls while a node is killed
    Kill,
}

/// Arguments of `client`.
#[derive(Debug, Clone, Args)]
pub struct ClientArgs {
    /// What to measure; everything by default
    #[arg(value_enum)]
    cases: Vec<Case>,
    /// This project's server
    #[arg(long, default_value = "target/release/rondache")]
    rondache: PathBuf,
    /// Tasks that share a client
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..))]
    tasks: u32,
    /// Threads of a client's runtime
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Requests a round
    #[arg(long, default_value_t = 500_000)]
    requests: u64,
    /// Rounds in which all clients take their turn
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Keys
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    keys: u64,
    /// Bytes of a value
    #[arg(long, default_value_t = 64)]
    value_size: usize,
    /// Report format
    #[arg(long, value_enum, default_value_t)]
    output: Format,
}

/// Runs the subcommand.
///
/// # Errors
/// A cluster that does not come together, or a client that fails.
pub fn run(args: &ClientArgs) -> Result<()> {
    let all = [Case::Throughput, Case::Near, Case::Flight, Case::Kill];
    let cases = if args.cases.is_empty() { &all[..] } else { &args.cases };
    let mut tables: Vec<Table> = Vec::new();
    for case in cases {
        // Each has a cluster of its own, so that none finds what another left.
        tables.push(match case {
            Case::Throughput => throughput::measure(args)?,
            Case::Near => near::measure(args)?,
            Case::Flight => flight::measure(args)?,
            Case::Kill => death::measure(args)?,
        });
    }
    output::print(&tables, args.output)
}

/// Runs a case's asynchronous part.
fn block_on<T>(threads: usize, work: impl Future<Output = Result<T>>) -> Result<T> {
    let mut builder = match threads {
        1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = builder.worker_threads(threads.max(1)).enable_all().build();
    runtime.map_err(|error| BenchError::Io { context: "starting a runtime".into(), source: error })?.block_on(work)
}

/// A client's error, as this program's.
fn failed(client: &str, error: impl std::fmt::Display) -> BenchError {
    BenchError::Server { name: client.to_owned(), reason: error.to_string() }
}
