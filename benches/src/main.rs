//! The `rondache-bench` binary.

use std::process::ExitCode;

use clap::Parser;
use rondache_bench::cli::Cli;
use rondache_bench::output;

fn main() -> ExitCode {
    match Cli::parse().execute() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::note(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}
