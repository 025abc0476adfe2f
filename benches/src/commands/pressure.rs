//! `rondache-bench pressure`: resident memory under a limit while values of very different sizes are written.

use std::time::Duration;

use clap::Args;

use crate::error::Result;
use crate::load::distribution::DistributionKind;
use crate::load::engine::{Engine, LoadPlan};
use crate::load::generator::{Generator, GeneratorConfig};
use crate::load::operation::Mix;
use crate::load::outcome::Outcome;
use crate::load::schedule::Stop;
use crate::load::values::{SizeRange, SizeSpread};
use crate::output::{self, Cell, Format, Table, note, progress};
use crate::proc::sampler::{MemorySample, MemorySampler};
use crate::proc::server::Dialect;
use crate::proc::{Server, usage};

use super::run::parse_seconds;
use super::servers::{ServerArgs, memory_limit, parse_bytes, rss_limit_bytes};

const SAMPLE_EVERY: Duration = Duration::from_millis(20);

/// Arguments of `pressure`.
#[derive(Debug, Clone, Args)]
pub struct PressureArgs {
    #[command(flatten)]
    servers: ServerArgs,
    /// The memory limit
    #[arg(long, default_value = "128mb", value_parser = parse_bytes)]
    maxmemory: u64,
    /// How long to write, in seconds
    #[arg(long, default_value = "30", value_parser = parse_seconds)]
    duration: Duration,
    /// Value sizes; every order of magnitude is equally likely
    #[arg(long, default_value = "10-102400")]
    value_size: SizeRange,
    /// Number of different keys
    #[arg(long, default_value_t = 1_000_000)]
    keys: u64,
    /// Operations with weights
    #[arg(long, default_value = "set=3,get=1")]
    mix: Mix,
    /// Connections
    #[arg(long, default_value_t = 50)]
    connections: usize,
    /// Requests in a batch
    #[arg(long, default_value_t = 4)]
    pipeline: u64,
    /// Seed of every random choice
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Report format
    #[arg(long, value_enum, default_value_t)]
    output: Format,
}

/// Runs the subcommand.
///
/// # Errors
/// Servers that do not start, or the load's errors.
pub fn run(args: &PressureArgs) -> Result<()> {
    let placement = args.servers.placement()?;
    let limit_bytes = rss_limit_bytes(args.maxmemory);
    let mut table = Table::new(
        format!("resident memory while values of {} B are written", args.value_size),
        &[
            "server",
            "maxmemory MiB",
            "peak RSS MiB",
            "limit MiB",
            "peak / limit",
            "RSS",
            "last RSS MiB",
            "requests/s",
            "errors",
        ],
    );
    for spec in args.servers.choose()? {
        let policy = (spec.dialect == Dialect::Redis).then_some("allkeys-lru");
        let Some(limited) = memory_limit(&spec, args.maxmemory, policy) else {
            note(&format!("{} cannot be given a memory limit; left out", spec.name));
            continue;
        };
        let server = Server::start(&limited, &placement)?;
        let sampler = MemorySampler::start(server.pid, None, SAMPLE_EVERY);
        let outcome = load(args, &server);
        let samples = sampler.finish();
        let outcome = outcome?;
        let peak_bytes = usage::memory(server.pid)?.peak_rss_bytes;
        table.row(vec![
            spec.name.as_str().into(),
            Cell::mib(args.maxmemory),
            Cell::mib(peak_bytes),
            Cell::mib(limit_bytes),
            Cell::Number(peak_bytes as f64 / limit_bytes as f64, 3),
            if peak_bytes <= limit_bytes { "ok" } else { "OVER" }.into(),
            Cell::mib(last_rss(&samples)),
            Cell::Number(outcome.throughput(), 0),
            outcome.errors_text().into(),
        ]);
    }
    output::print(&[table], args.output)
}

fn last_rss(samples: &[MemorySample]) -> u64 {
    samples.last().map_or(0, |sample| sample.rss_bytes)
}

fn load(args: &PressureArgs, server: &Server) -> Result<Outcome> {
    let config = GeneratorConfig {
        keys: args.keys,
        key_size: 16,
        value_size: args.value_size,
        value_spread: SizeSpread::Logarithmic,
        distribution: DistributionKind::Uniform,
        mix: args.mix.clone(),
        ttl: None,
        seed: args.seed,
    };
    let plan = LoadPlan {
        addr: server.addr,
        connections: args.connections,
        pipeline: args.pipeline,
        stop: Stop::After(args.duration),
        rate: None,
        resp3: false,
    };
    let bar = progress::bar(&server.spec.name, None);
    let outcome = Engine::run(&plan, &mut Generator::new(&config)?, |done| bar.set_position(done))?;
    bar.finish_and_clear();
    Ok(outcome)
}
