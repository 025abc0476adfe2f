//! `rondache-bench compare`: several servers under the same load in turns.
//!
//! Every server runs on the same core, the generator on another. For each cell the servers take turns round by round,
//! and the order is reversed every other round, so that whatever drifts on the machine hits all of them alike.

pub mod cell;
mod measure;
mod memory;
mod report;
mod scaling;

use std::path::PathBuf;

use clap::Args;

use crate::error::{BenchError, Result};
use crate::output::{self, Format, note};
use crate::proc::ServerSpec;
use crate::proc::affinity::Placement;
use cell::Cell;
use measure::Results;

use super::run::DataArgs;

/// Arguments of `compare`.
#[derive(Debug, Clone, Args)]
pub struct CompareArgs {
    /// A further server, as NAME=COMMAND_LINE; `{port}` in it stands for the port, other command lines get the options
    /// of redis-server, or of rondache when the program is called so
    #[arg(long = "server", value_name = "NAME=COMMAND_LINE")]
    servers: Vec<ServerSpec>,
    /// This project's server
    #[arg(long, default_value = "target/release/rondache")]
    rondache: PathBuf,
    /// Leave this project's server out
    #[arg(long)]
    no_rondache: bool,
    /// Leave out the servers found on PATH
    #[arg(long)]
    no_path: bool,
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
    /// Cores of the servers (default: the first allowed)
    #[arg(long, value_delimiter = ',', value_name = "CORES")]
    server_cores: Option<Vec<usize>>,
    /// Cores of the generator (default: the second allowed)
    #[arg(long, value_delimiter = ',', value_name = "CORES")]
    generator_cores: Option<Vec<usize>>,
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
    let default = Placement::one_core_each()?;
    let setting = Setting {
        servers: choose_servers(args)?,
        placement: Placement {
            server: args.server_cores.clone().unwrap_or(default.server),
            generator: args.generator_cores.clone().unwrap_or(default.generator),
        },
        args,
    };
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
    measure::loads(&setting, &cells, &mut results)?;
    for cell in &cells {
        match cell {
            Cell::Memory { with_ttl } => memory::measure(&setting, *with_ttl, &mut results)?,
            Cell::Threads => scaling::measure(&setting, &mut results)?,
            Cell::Load { .. } => {}
        }
    }
    let baseline = baseline_name(args, &setting.servers);
    output::print(&report::tables(&results, &baseline, args), args.output)
}

fn choose_servers(args: &CompareArgs) -> Result<Vec<ServerSpec>> {
    let mut servers = Vec::new();
    if !args.no_rondache {
        if args.rondache.is_file() {
            servers.push(ServerSpec::new("rondache", args.rondache.clone(), Vec::new()));
        } else {
            return Err(BenchError::Usage(format!(
                "{} does not exist: build it (cargo build --release), name it (--rondache), or leave it out (--no-rondache)",
                args.rondache.display()
            )));
        }
    }
    servers.extend(args.servers.iter().cloned());
    if !args.no_path {
        for found in ServerSpec::on_path() {
            if servers.iter().all(|server| server.name != found.name) {
                servers.push(found);
            }
        }
    }
    for (at, server) in servers.iter().enumerate() {
        if servers[..at].iter().any(|other| other.name == server.name) {
            return Err(BenchError::Usage(format!("two servers are called {:?}", server.name)));
        }
    }
    if servers.is_empty() {
        return Err(BenchError::Usage("there is no server to measure".to_owned()));
    }
    Ok(servers)
}

fn baseline_name(args: &CompareArgs, servers: &[ServerSpec]) -> String {
    let named = args.baseline.clone();
    let valkey = || servers.iter().find(|server| server.name == "valkey");
    let other = || servers.iter().find(|server| server.name != "rondache");
    named
        .or_else(|| valkey().or_else(other).map(|server| server.name.clone()))
        .unwrap_or_else(|| servers[0].name.clone())
}
