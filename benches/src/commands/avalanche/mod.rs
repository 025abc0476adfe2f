//! `rondache-bench avalanche`: what TTL jitter does for the database behind a cache.
//!
//! A fleet fills 100,000 keys at once with one TTL, as a deployment or a cold start does, and then reads them
//! look-aside: a miss asks the origin and SETs the answer with the same TTL. Without jitter all keys expire together
//! and the whole keyspace is asked of the origin at once; with it, the misses spread. The fleet has no single flight,
//! so that the figure shows jitter alone.

mod fleet;
mod origin;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::error::{Context, Result};
use crate::load::distribution::DistributionKind;
use crate::output::svg::{Plot, Series};
use crate::output::{self, Cell, Format, Table, note};
use crate::proc::server::Dialect;
use crate::proc::{Server, ServerSpec};
use fleet::{Fleet, Played};

use super::run::parse_seconds;
use super::servers::ServerArgs;

/// Arguments of `avalanche`.
#[derive(Debug, Clone, Args)]
pub struct AvalancheArgs {
    #[command(flatten)]
    servers: ServerArgs,
    /// Keys that are filled at once
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    keys: u64,
    /// Their TTL in seconds
    #[arg(long, default_value = "30", value_parser = parse_seconds)]
    ttl: Duration,
    /// How long to watch, in seconds (default: three and a half TTLs)
    #[arg(long, value_parser = parse_seconds)]
    duration: Option<Duration>,
    /// Reads per second of the whole fleet
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    rate: u64,
    /// Which keys are read: uniform or zipf[:THETA]
    #[arg(long, default_value = "uniform")]
    distribution: DistributionKind,
    /// Value size in bytes
    #[arg(long, default_value_t = 64)]
    value_size: usize,
    /// How long the origin takes for a request, in milliseconds
    #[arg(long, default_value_t = 50)]
    origin_latency_ms: u64,
    /// Requests that the origin works on together; further ones queue
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(1..))]
    origin_concurrency: u64,
    /// Percentages of jitter to compare
    #[arg(long, value_delimiter = ',', default_value = "0,10")]
    jitter: Vec<u32>,
    /// Where to write the plot
    #[arg(long, default_value = "avalanche.svg")]
    svg: PathBuf,
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
/// Servers that do not start, the connection's errors, or an SVG that cannot be written.
pub fn run(args: &AvalancheArgs) -> Result<()> {
    let placement = args.servers.placement()?;
    let mut summary = Table::new(
        format!("origin load: {} keys, TTL {} s, {} reads/s", args.keys, args.ttl.as_secs_f64(), args.rate),
        &[
            "server",
            "jitter %",
            "jitter by",
            "peak origin/s",
            "mean origin/s",
            "longest queue",
            "longest wait ms",
            "hit %",
            "error replies",
            "fell behind ms",
        ],
    );
    let mut series = Vec::new();
    let servers = args.servers.choose()?;
    for spec in &servers {
        for &jitter_percent in &args.jitter {
            note(&format!("{}: jitter {jitter_percent} % for {:.0} s", spec.name, args.duration().as_secs_f64()));
            let by_server = spec.dialect == Dialect::Rondache;
            let server = Server::start(&with_jitter(spec, jitter_percent), &placement)?;
            let client_jitter = if by_server { 0 } else { jitter_percent };
            let played = Fleet::new(args, client_jitter)?.play(&server)?;
            summary.row(summary_row(&spec.name, jitter_percent, by_server, &played));
            let prefix = if servers.len() > 1 { format!("{}, ", spec.name) } else { String::new() };
            let label = match jitter_percent {
                0 => format!("{prefix}no jitter"),
                percent => format!("{prefix}TTL jitter {percent} %"),
            };
            series.push(Series { label, points: played.points() });
        }
    }
    let timeline = timeline(&series);
    std::fs::write(&args.svg, plot(args, series).to_svg()).context(|| format!("writing {}", args.svg.display()))?;
    note(&format!("plot: {}", args.svg.display()));
    output::print(&[summary, timeline], args.output)
}

impl AvalancheArgs {
    fn duration(&self) -> Duration {
        self.duration.unwrap_or(self.ttl * 7 / 2)
    }
}

/// Tells this project's server its jitter; the smallest jittered TTL is lowered so that short demonstrations work too.
/// Other servers have none, and get it from the fleet's clients.
fn with_jitter(spec: &ServerSpec, percent: u32) -> ServerSpec {
    match spec.dialect {
        Dialect::Rondache => {
            let arguments = ["--ttl-jitter", &percent.to_string(), "--ttl-jitter-min", "1s"].map(str::to_owned);
            spec.with_arguments(&arguments)
        }
        Dialect::Redis | Dialect::Verbatim => spec.clone(),
    }
}

fn summary_row(name: &str, jitter_percent: u32, by_server: bool, played: &Played) -> Vec<Cell> {
    let seconds = played.origin_per_second.len().max(1) as f64;
    vec![
        name.into(),
        u64::from(jitter_percent).into(),
        if by_server { "server" } else { "client" }.into(),
        played.origin_per_second.iter().copied().max().unwrap_or(0).into(),
        Cell::Number(played.origin_per_second.iter().sum::<u64>() as f64 / seconds, 0),
        played.longest_queue.into(),
        Cell::Number(played.longest_wait_ns as f64 / 1e6, 0),
        Cell::Number(100.0 * played.hits as f64 / played.reads.max(1) as f64, 2),
        played.errors.into(),
        Cell::Number(played.late_ns_max as f64 / 1e6, 0),
    ]
}

fn timeline(series: &[Series]) -> Table {
    let mut columns = vec!["second"];
    columns.extend(series.iter().map(|series| series.label.as_str()));
    let mut table = Table::new("origin requests in each second", &columns);
    let seconds = series.iter().map(|series| series.points.len()).max().unwrap_or(0);
    for second in 0..seconds {
        let values = series.iter().map(|series| match series.points.get(second) {
            Some(&(_, count)) => Cell::Number(count, 0),
            None => Cell::Empty,
        });
        let cells = std::iter::once(Cell::from(second as u64)).chain(values).collect();
        table.row(cells);
    }
    table
}

fn plot(args: &AvalancheArgs, series: Vec<Series>) -> Plot {
    let capacity = args.origin_concurrency as f64 * 1000.0 / args.origin_latency_ms.max(1) as f64;
    Plot {
        title: "Load on the origin behind the cache".to_owned(),
        subtitle: format!(
            "{} keys filled at once with a TTL of {} s, {} reads/s; the origin can do {capacity:.0}/s",
            args.keys,
            args.ttl.as_secs_f64(),
            args.rate
        ),
        x_label: "time since the fill (s)".to_owned(),
        y_label: "origin requests per second".to_owned(),
        series,
    }
}
