//! `rondache-bench replay`: a trace as look-aside traffic against a running server.

use std::path::PathBuf;

use clap::Args;

use crate::error::Result;
use crate::net::Client;
use crate::output::{self, Cell, Format, Table, progress};
use crate::sim::PolicyKind;
use crate::trace::{Trace, TraceFormat};

use super::lookaside::LookAside;
use super::run::resolve;

/// How traces are replayed; shared with `hitratio`.
#[derive(Debug, Clone, Args)]
pub struct ReplayOptions {
    /// Requests in flight together
    #[arg(long, default_value_t = 16)]
    window: usize,
    /// Connections that every window is spread over
    #[arg(long, default_value_t = 1)]
    connections: usize,
    /// Value size in bytes
    #[arg(long, default_value_t = 64)]
    value_size: usize,
    /// Use the sizes that the trace tells, up to so many bytes
    #[arg(long, value_name = "BYTES")]
    trace_sizes: Option<usize>,
    /// How often entries and memory are sampled
    #[arg(long, default_value_t = 400)]
    samples: usize,
}

impl ReplayOptions {
    /// The replay that the options describe.
    pub fn look_aside(&self) -> LookAside {
        LookAside {
            window: self.window,
            connections: self.connections,
            value_size: self.value_size,
            trace_sizes_max: self.trace_sizes,
            samples: self.samples,
        }
    }
}

/// Arguments of `replay`.
#[derive(Debug, Clone, Args)]
pub struct ReplayArgs {
    /// The server's host name or address
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// The server's port
    #[arg(long, default_value_t = 6379)]
    port: u16,
    /// The trace; .xz and .gz are unpacked
    #[arg(long)]
    trace: PathBuf,
    /// Its format (default: by its name)
    #[arg(long, value_enum)]
    format: Option<TraceFormat>,
    #[command(flatten)]
    options: ReplayOptions,
    /// The server's process id, for its memory (default: the one that INFO tells, when the server is on this machine)
    #[arg(long)]
    pid: Option<u32>,
    /// Simulate these policies on the same trace: s3fifo, lru
    #[arg(long, value_delimiter = ',')]
    policy_offline: Vec<PolicyKind>,
    /// Entries of the simulated caches (default: what the server held on average)
    #[arg(long)]
    entries: Option<usize>,
    /// Report format
    #[arg(long, value_enum, default_value_t)]
    output: Format,
}

/// Runs the subcommand.
///
/// # Errors
/// An unreadable trace, or the connection's errors.
pub fn run(args: &ReplayArgs) -> Result<()> {
    let trace = Trace::load(&args.trace, args.format)?;
    let mut sampler = Client::connect(resolve(&args.host, args.port)?)?;
    let pid = match args.pid {
        Some(pid) => Some(pid),
        None => local_pid(&mut sampler),
    };
    let bar = progress::bar(&trace.name, Some(trace.accesses.len() as u64));
    let replayed = args.options.look_aside().replay(&trace, &mut sampler, pid, |done| bar.set_position(done))?;
    bar.finish_and_clear();
    let mut table = Table::new(format!("replay of {}", trace.name), &["figure", "value", "unit"]);
    let accesses = trace.accesses.len() as u64;
    let mut row = |figure: &str, value: Cell, unit: &str| table.row(vec![figure.into(), value, unit.into()]);
    row("accesses", accesses.into(), "");
    row("different keys", trace.distinct_keys.into(), "");
    row("hit ratio", Cell::Number(100.0 * replayed.hit_ratio(), 2), "%");
    row("accesses/s", Cell::Number(replayed.outcome.throughput(), 0), "");
    row("window p99", Cell::Number(replayed.outcome.latencies.quantile_us(0.99), 1), "µs");
    row("entries held on average", Cell::Number(replayed.entries_mean, 0), "");
    let rss = if pid.is_some() { Cell::mib(replayed.peak_rss_bytes) } else { Cell::Empty };
    row("peak RSS", rss, "MiB");
    row("error replies", replayed.outcome.errors_text().into(), "");
    row("refused SETs", replayed.refused_sets.into(), "");
    let entries = args.entries.unwrap_or(replayed.entries_mean.round() as usize);
    for policy in &args.policy_offline {
        let ratio = policy.hit_ratio(entries, &trace.accesses);
        row(&format!("offline {policy} of {entries} entries"), Cell::Number(100.0 * ratio, 2), "%");
    }
    output::print(&[table], args.output)
}

/// The process that INFO names, if there is a process of that id here that could be a server's.
fn local_pid(client: &mut Client) -> Option<u32> {
    if !client.addr().ip().is_loopback() {
        return None;
    }
    let pid = client.info_number("server", "process_id").ok()?;
    let pid = u32::try_from(pid).ok()?;
    std::path::Path::new(&format!("/proc/{pid}/status")).exists().then_some(pid)
}
