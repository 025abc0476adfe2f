//! Runs one scenario against real processes and prints what was seen. The README's cluster figures come from it.

#![allow(clippy::print_stdout, reason = "a program for people")]

use std::{process::ExitCode, time::Duration};

use clap::{Parser, Subcommand};
use rondache_cluster_tests::{
    scenario::{change, death, hammer, isolation, registers, restart, saturation},
    wire::WireError,
};

/// Measures what clients see when a cluster changes. Build the node first, in the same profile: `cargo build --release`.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    scenario: Scenario,
}

#[derive(Clone, Debug, Subcommand)]
enum Scenario {
    /// One of three nodes is killed while clients of the others work.
    Kill {
        /// Copies that must have a write before it is acknowledged.
        #[arg(long, default_value_t = 0)]
        write_acks: u32,
    },
    /// One of three nodes freezes, and thaws six seconds later.
    Freeze {
        /// Copies that must have a write before it is acknowledged.
        #[arg(long, default_value_t = 0)]
        write_acks: u32,
    },
    /// One counter is incremented through every node while a fourth joins and leaves.
    Hammer {
        /// How many increments.
        #[arg(long, default_value_t = 100_000)]
        total: u64,
    },
    /// A few keys are read and changed through every node while a fourth joins and leaves; each key's history is to be
    /// linearizable.
    Registers {
        /// What the clients' choices follow from.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// One of three nodes, each in a network namespace of its own (needs root), is cut off and comes back.
    Isolate {
        /// How long it is cut off, in seconds.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
    },
    /// Each of three nodes in turn is told to end and started again, while clients of the others work.
    Restart {
        /// Keys that are there.
        #[arg(long, default_value_t = 100_000)]
        keys: u64,
    },
    /// Clients saturate every processor; nobody is to be taken for dead.
    Saturate {
        /// For how long, in seconds.
        #[arg(long, default_value_t = 600)]
        seconds: u64,
    },
    /// A fourth node joins under load.
    Join {
        /// Keys that are there.
        #[arg(long, default_value_t = 300_000)]
        keys: u64,
        /// Writes a second.
        #[arg(long, default_value_t = 30_000)]
        rate: u64,
    },
    /// One of four nodes leaves on SIGTERM under load.
    Leave {
        /// Keys that are there.
        #[arg(long, default_value_t = 300_000)]
        keys: u64,
        /// Writes a second.
        #[arg(long, default_value_t = 30_000)]
        rate: u64,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse().scenario).await {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("failed: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(scenario: Scenario) -> Result<String, WireError> {
    let died = |end, write_acks| death::Plan { end, write_acks, ..death::Plan::default() };
    Ok(match scenario {
        Scenario::Kill { write_acks } => death::run(&died(death::End::Killed, write_acks)).await?.to_string(),
        Scenario::Freeze { write_acks } => death::run(&died(death::End::Frozen, write_acks)).await?.to_string(),
        Scenario::Hammer { total } => hammer::run(total, true).await?.to_string(),
        Scenario::Registers { seed } => registers::run(seed).await?.to_string(),
        Scenario::Isolate { seconds } => isolation::run(Duration::from_secs(seconds), 10).await?.to_string(),
        Scenario::Restart { keys } => {
            restart::run(&restart::Plan { keys, ..restart::Plan::default() }).await?.to_string()
        }
        Scenario::Saturate { seconds } => saturation::run(Duration::from_secs(seconds)).await?.to_string(),
        Scenario::Join { keys, rate } => {
            change::run(&change::Plan::new(change::Change::Join, keys, rate)).await?.to_string()
        }
        Scenario::Leave { keys, rate } => {
            change::run(&change::Plan::new(change::Change::Leave, keys, rate)).await?.to_string()
        }
    })
}
