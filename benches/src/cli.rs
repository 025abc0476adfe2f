//! The command line.

use clap::{Parser, Subcommand};

use crate::commands;
use crate::error::Result;
use crate::proc::guard;

/// Load generator and measuring bench for RESP servers.
#[derive(Debug, Parser)]
#[command(name = "rondache-bench", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Subcommands,
}

#[derive(Debug, Subcommand)]
enum Subcommands {
    /// Load one server and print throughput and latencies
    Run(commands::run::RunArgs),
    /// Give several servers the same load in turns and print ratios
    Compare(commands::compare::CompareArgs),
    /// Hold two nodes that forward or replicate against twemproxy and Valkey, or Valkey and its replica
    Pairs(commands::pairs::PairsArgs),
    /// Replay an access trace as look-aside traffic and print the hit ratio
    Replay(commands::replay::ReplayArgs),
    /// Hold eviction policies against each other on traces at equal memory
    Hitratio(commands::hitratio::HitRatioArgs),
    /// Let a million keys expire at once under steady reads
    Expire(commands::expire::ExpireArgs),
    /// Write values of mixed sizes under a memory limit and watch the resident size
    Pressure(commands::pressure::PressureArgs),
    /// Play a fleet whose keys expire together, and plot the load on its origin
    Avalanche(commands::avalanche::AvalancheArgs),
    /// Measure the Rust client on a cluster of three nodes, also against redis-rs and fred
    Client(commands::client::ClientArgs),
    /// One client's share of `client`, in a process of its own
    #[command(hide = true)]
    ClientWorker(commands::client::worker::WorkerArgs),
}

impl Cli {
    /// Runs the chosen subcommand and ends every server that it started, also on SIGINT and SIGTERM.
    ///
    /// # Errors
    /// The subcommand's.
    pub fn execute(&self) -> Result<()> {
        guard::install_signal_handler();
        let result = match &self.command {
            Subcommands::Run(args) => commands::run::run(args),
            Subcommands::Compare(args) => commands::compare::run(args),
            Subcommands::Pairs(args) => commands::pairs::run(args),
            Subcommands::Replay(args) => commands::replay::run(args),
            Subcommands::Hitratio(args) => commands::hitratio::run(args),
            Subcommands::Expire(args) => commands::expire::run(args),
            Subcommands::Pressure(args) => commands::pressure::run(args),
            Subcommands::Avalanche(args) => commands::avalanche::run(args),
            Subcommands::Client(args) => commands::client::run(args),
            Subcommands::ClientWorker(args) => commands::client::worker::run(args),
        };
        guard::end_all();
        result
    }
}
