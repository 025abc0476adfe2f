//! `rondache-bench compare`: several servers under the same load in turns.
//!
//! Every server runs on the same core, the generator on another. For each cell the servers take turns round by round,
//! and the order is reversed every other round, so that whatever drifts on the machine hits all of them alike.

pub mod cell;
mod measure;
mod memory;
mod report;
mod scaling;

use clap::Args;

use crate::error::{BenchError, Result};
use crate::output::{self, Format, note};
use crate::proc::ServerSpec;
use crate::proc::affinity::Placement;
use cell::Cell;
use measure::Results;

use super::run::DataArgs;
use super::servers::ServerArgs;

/// Arguments of `compare`.
#[derive(Debug, Clone, Args)]
pub struct CompareArgs {
    #[command(flatten)]
    servers: ServerArgs,
    /// The server that ratios are relative to (default: valkey, else the first that is not rondache)
    #[arg(long)]
    baseline: Option<String>,
    /// Rounds in which every server takes its turn
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// A named set of cells
    #[arg(long, value_enum, default_value_t)]
    suite: cell::Suite,
    /// Cells instead of a suite: OPERATION:PIPELINE, memory, memory-ttl, threads; separated by commas
    #[arg(long, value_delimiter = ',')]
    cells: Vec<Cell>,
    /// Requests of a round in every cell (default: by pipeline depth)
    #[arg(long)]
    requests: Option<u64>,
    /// Connections
    #[arg(long, default_value_t = 50)]
    connections: usize,
    #[command(flatten)]
    data: DataArgs,
    /// Also measure this project's server with one and two worker threads
    #[arg(long)]
    threads_scaling: bool,
    /// Report format
    #[arg(long, value_enum, default_value_t)]
    output: Format,
}

/// What every measurement of a comparison needs.
struct Setting<'a> {
    args: &'a CompareArgs,
    servers: Vec<ServerSpec>,
    placement: Placement,
}

/// Runs the subcommand.
///
/// # Errors
/// A server that does not start, a load that fails, or cells that make no sense.
pub fn run(args: &CompareArgs) -> Result<()> {
    let setting = Setting { servers: args.servers.choose()?, placement: args.servers.placement()?, args };
    let mut cells = if args.cells.is_empty() { args.suite.cells() } else { args.cells.clone() };
    if args.threads_scaling && !cells.contains(&Cell::Threads) {
        cells.push(Cell::Threads);
    }
    note(&format!(
        "servers {} on cores {:?}, generator on cores {:?}, {} rounds",
        setting.servers.iter().map(|spec| spec.name.as_str()).collect::<Vec<_>>().join(", "),
        setting.placement.server,
        setting.placement.generator,
        args.rounds
    ));
    let mut results = Results::default();
    let mut failed = measure::loads(&setting, &cells, &mut results)?;
    for cell in &cells {
        let measured = match cell {
            Cell::Memory { with_ttl } => memory::measure(&setting, *with_ttl, &mut results),
            Cell::Threads => scaling::measure(&setting, &mut results),
            Cell::Load { .. } => Ok(()),
        };
        if let Err(error) = measured {
            note(&format!("{cell}: {error}"));
            failed += 1;
        }
    }
    let baseline = baseline_name(args, &setting.servers);
    output::print(&report::tables(&results, &baseline, args), args.output)?;
    if failed > 0 {
        return Err(BenchError::Incomplete { failed });
    }
    Ok(())
}

fn baseline_name(args: &CompareArgs, servers: &[ServerSpec]) -> String {
    let named = args.baseline.clone();
    let valkey = || servers.iter().find(|server| server.name == "valkey");
    let other = || servers.iter().find(|server| server.name != "rondache");
    named
        .or_else(|| valkey().or_else(other).map(|server| server.name.clone()))
        .unwrap_or_else(|| servers[0].name.clone())
}
