//! `rondache-bench run`: one load against one server.

use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use clap::Args;

use crate::error::{BenchError, Context, Result};
use crate::load::distribution::DistributionKind;
use crate::load::engine::{Engine, LoadPlan};
use crate::load::generator::{Generator, GeneratorConfig};
use crate::load::operation::{Mix, Operation};
use crate::load::outcome::Outcome;
use crate::load::prepare;
use crate::load::schedule::Stop;
use crate::load::values::{SizeRange, SizeSpread};
use crate::net::Client;
use crate::output::{self, Cell, Format, Table, progress};

/// What keys and values look like; shared by the subcommands that generate load.
#[derive(Debug, Clone, Args)]
pub struct DataArgs {
    /// Number of different keys
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub keys: u64,
    /// Exact key size in bytes
    #[arg(long, default_value_t = 16)]
    pub key_size: usize,
    /// Value size in bytes, or a range such as 64-1024
    #[arg(long, default_value = "64")]
    pub value_size: SizeRange,
    /// Seed of every random choice
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

impl DataArgs {
    /// A generator configuration with this data.
    pub fn generator(&self, mix: Mix, distribution: DistributionKind, ttl: Option<Duration>) -> GeneratorConfig {
        GeneratorConfig {
            keys: self.keys,
            key_size: self.key_size,
            value_size: self.value_size,
            value_spread: SizeSpread::Uniform,
            distribution,
            mix,
            ttl,
            seed: self.seed,
        }
    }
}

/// Arguments of `run`.
#[derive(Debug, Clone, Args)]
pub struct RunArgs {
    /// The server's host name or address
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// The server's port
    #[arg(long, default_value_t = 6379)]
    port: u16,
    /// Connections, all driven by one thread
    #[arg(long, default_value_t = 50)]
    connections: usize,
    /// Requests sent at once on a connection in a closed loop
    #[arg(long, default_value_t = 1)]
    pipeline: u64,
    /// End after so many requests
    #[arg(long, conflicts_with = "duration")]
    requests: Option<u64>,
    /// End after so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    duration: Option<Duration>,
    /// Requests per second on a fixed schedule (an open loop); latency then counts from the scheduled time
    #[arg(long)]
    rate: Option<f64>,
    #[command(flatten)]
    data: DataArgs,
    /// Which keys are asked for: uniform, zipf, zipf:THETA or sequential
    #[arg(long, default_value = "uniform")]
    distribution: DistributionKind,
    /// Operations with weights, such as get=9,set=1
    #[arg(long, conflicts_with = "command")]
    mix: Option<Mix>,
    /// A single operation: get, set, incr, lpush, hset, zadd, sadd, mget10, lrange100 and others
    #[arg(long, default_value = "get")]
    command: Operation,
    /// TTL of the values that SET writes, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    ttl: Option<Duration>,
    /// SET every key once before the load
    #[arg(long)]
    fill: bool,
    /// Speak RESP3
    #[arg(long)]
    resp3: bool,
    /// Report format
    #[arg(long, value_enum, default_value_t)]
    output: Format,
}

/// Parses seconds, with decimals, for clap.
///
/// # Errors
/// A sentence for the user.
pub fn parse_seconds(text: &str) -> std::result::Result<Duration, String> {
    match text.trim_end_matches('s').parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= 1e6 => Ok(Duration::from_secs_f64(seconds)),
        _ => Err(format!("{text:?} is no time in seconds")),
    }
}

/// Resolves a host and port.
///
/// # Errors
/// [`BenchError::Usage`] when there is no such host.
pub fn resolve(host: &str, port: u16) -> Result<SocketAddr> {
    let mut found = (host, port).to_socket_addrs().context(|| format!("resolving {host}"))?;
    found.next().ok_or_else(|| BenchError::Usage(format!("{host} has no address")))
}

/// Runs the subcommand.
///
/// # Errors
/// Those of the load.
pub fn run(args: &RunArgs) -> Result<()> {
    let mix = args.mix.clone().unwrap_or_else(|| Mix::only(args.command));
    let config = args.data.generator(mix.clone(), args.distribution, args.ttl);
    let stop = match (args.requests, args.duration) {
        (Some(requests), _) => Stop::Requests(requests),
        (None, Some(duration)) => Stop::After(duration),
        (None, None) => Stop::Requests(1_000_000),
    };
    if args.rate.is_some_and(|rate| rate.is_nan() || rate <= 0.0) {
        return Err(BenchError::Usage("--rate must be above 0".to_owned()));
    }
    let plan = LoadPlan {
        addr: resolve(&args.host, args.port)?,
        connections: args.connections,
        pipeline: args.pipeline,
        stop,
        rate: args.rate,
        resp3: args.resp3,
    };
    let mut generator = Generator::new(&config)?;
    if args.fill {
        let bar = progress::bar("fill", Some(config.keys));
        prepare::fill(&plan, &config, |done| bar.set_position(done))?;
        bar.finish_and_clear();
    }
    if mix.operations().any(|operation| matches!(operation, Operation::Lrange(_))) {
        prepare::collections(&mut Client::connect(plan.addr)?, &mix, &config)?;
    }
    let total = match (stop, args.rate) {
        (Stop::Requests(requests), _) => Some(requests),
        (Stop::After(duration), Some(rate)) => Some((duration.as_secs_f64() * rate) as u64),
        (Stop::After(_), None) => None,
    };
    let bar = progress::bar("load", total);
    let outcome = Engine::run(&plan, &mut generator, |done| bar.set_position(done))?;
    bar.finish_and_clear();
    output::print(&[report(&outcome, args.output)], args.output)
}

/// The figures with their units, in the order in which they are shown.
fn figures(outcome: &Outcome) -> [(&'static str, Cell, &'static str); 12] {
    let latencies = &outcome.latencies;
    let quantile = |q| Cell::Number(latencies.quantile_us(q), 1);
    [
        ("requests", outcome.requests.into(), ""),
        ("elapsed", Cell::Number(outcome.elapsed.as_secs_f64(), 3), "s"),
        ("throughput", Cell::Number(outcome.throughput(), 0), "requests/s"),
        ("mean", Cell::Number(latencies.mean_us(), 1), "µs"),
        ("p50", quantile(0.5), "µs"),
        ("p99", quantile(0.99), "µs"),
        ("p99.9", quantile(0.999), "µs"),
        ("max", Cell::Number(latencies.max_us(), 1), "µs"),
        ("nulls", outcome.nulls.into(), ""),
        ("sent", Cell::mib(outcome.bytes_out), "MiB"),
        ("received", Cell::mib(outcome.bytes_in), "MiB"),
        ("error replies", outcome.error_count().into(), ""),
    ]
}

/// For people a line per figure; for programs a row with a column per figure.
fn report(outcome: &Outcome, format: Format) -> Table {
    let figures = figures(outcome);
    if format == Format::Text {
        let mut table = Table::new("load", &["figure", "value", "unit"]);
        for (figure, value, unit) in figures {
            table.row(vec![figure.into(), value, unit.into()]);
        }
        for (word, count) in &outcome.errors {
            table.row(vec![format!("  {word}").into(), (*count).into(), "".into()]);
        }
        return table;
    }
    let column = |(figure, _, unit): &(&str, Cell, &str)| match *unit {
        "" | "requests/s" => (*figure).to_owned(),
        unit => format!("{figure} {unit}"),
    };
    let mut columns: Vec<String> = figures.iter().map(column).collect();
    columns.push("errors".to_owned());
    let names: Vec<&str> = columns.iter().map(String::as_str).collect();
    let mut table = Table::new("load", &names);
    let values = figures.into_iter().map(|(_, value, _)| value);
    table.row(values.chain([outcome.errors_text().into()]).collect());
    table
}
