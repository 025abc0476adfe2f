//! `rondache-bench hitratio`: eviction policies held against each other on real traces at equal memory.
//!
//! **Choice of sizes.** A process needs a few MiB before it holds a single key, and small caches would mostly compare
//! that. So by default values are as large as it takes to make every trace's footprint (different keys × size) some
//! 160 MiB, between 256 B and 8 KiB, and `maxmemory` is a share of the footprint plus 4 MiB for the process itself. All
//! servers get the same `maxmemory`; how many entries each makes of it is part of the result.

use std::path::PathBuf;

use clap::Args;

use crate::error::{BenchError, Result};
use crate::output::{self, Cell, Format, Table, note, progress};
use crate::proc::server::Dialect;
use crate::proc::{Server, ServerSpec};
use crate::sim::PolicyKind;
use crate::trace::{self, Trace};

use super::lookaside::{LookAside, Replayed};
use super::servers::{ServerArgs, memory_limit, parse_bytes, rss_limit_bytes};

/// What a process needs besides its entries.
const PROCESS_ALLOWANCE_BYTES: u64 = 4 << 20;
/// Key, entry header and table space, roughly.
const ENTRY_OVERHEAD_BYTES: u64 = 80;
/// What all keys of a trace amount to with values of the default size.
const FOOTPRINT_BYTES: u64 = 160 << 20;
const VALUE_BYTES_MIN: u64 = 256;
const VALUE_BYTES_MAX: u64 = 8192;
/// What the redis family is measured with; the better one is the yardstick.
const REDIS_POLICIES: [&str; 2] = ["allkeys-lru", "allkeys-lfu"];

/// Arguments of `hitratio`.
#[derive(Debug, Clone, Args)]
pub struct HitRatioArgs {
    #[command(flatten)]
    servers: ServerArgs,
    /// A directory with traces
    #[arg(long)]
    traces: PathBuf,
    /// Only traces whose name contains this
    #[arg(long)]
    only: Option<String>,
    /// Memory limits, such as 16mb,64mb (default: from --shares)
    #[arg(long, value_delimiter = ',', value_parser = parse_bytes)]
    maxmemory: Vec<u64>,
    /// Percent of each trace's footprint that the cache gets, besides 4 MiB for the process
    #[arg(long, value_delimiter = ',', default_value = "5,10,20")]
    shares: Vec<f64>,
    /// Value size in bytes (default: by trace, so that its footprint is about 160 MiB)
    #[arg(long)]
    value_size: Option<usize>,
    /// Requests in flight together
    #[arg(long, default_value_t = 16)]
    window: usize,
    /// Policies of this project's server (default: only its default policy)
    #[arg(long, value_delimiter = ',')]
    rondache_policies: Vec<String>,
    /// Report format
    #[arg(long, value_enum, default_value_t)]
    output: Format,
}

/// Runs the subcommand.
///
/// # Errors
/// Unreadable traces, servers that do not start, or the connection's errors.
pub fn run(args: &HitRatioArgs) -> Result<()> {
    let servers = args.servers.choose()?;
    let placement = args.servers.placement()?;
    let mut table = Table::new(
        "hit ratio at equal maxmemory, cold start",
        &[
            "trace",
            "value B",
            "maxmemory MiB",
            "server",
            "policy",
            "hit %",
            "entries",
            "% of keys",
            "offline S3-FIFO %",
            "difference",
            "peak RSS MiB",
            "RSS limit MiB",
            "RSS",
            "errors",
        ],
    );
    let mut files = trace::files_in(&args.traces)?;
    files.retain(|file| args.only.as_ref().is_none_or(|part| file.to_string_lossy().contains(part.as_str())));
    if files.is_empty() {
        return Err(BenchError::Usage(format!("{} has no traces to replay", args.traces.display())));
    }
    for file in files {
        let trace = Trace::load(&file, None)?;
        for maxmemory_bytes in args.limits(&trace) {
            for spec in &servers {
                for policy in args.policies(spec) {
                    let Some(limited) = memory_limit(spec, maxmemory_bytes, policy.as_deref()) else {
                        note(&format!("{} cannot be given a memory limit; left out", spec.name));
                        continue;
                    };
                    let server = Server::start(&limited, &placement)?;
                    let replayed = replay(args, &server, &trace)?;
                    table.row(row(args, &trace, maxmemory_bytes, &limited, &replayed));
                }
            }
        }
    }
    output::print(&[table], args.output)
}

fn replay(args: &HitRatioArgs, server: &Server, trace: &Trace) -> Result<Replayed> {
    let look_aside = LookAside {
        window: args.window,
        connections: 1,
        value_size: args.value_size_for(trace),
        trace_sizes_max: None,
        samples: 400,
    };
    let bar = progress::bar(&format!("{} {}", trace.name, server.spec.name), Some(trace.accesses.len() as u64));
    let replayed = look_aside.replay(trace, &mut server.client()?, Some(server.pid), |done| bar.set_position(done))?;
    bar.finish_and_clear();
    Ok(replayed)
}

impl HitRatioArgs {
    fn value_size_for(&self, trace: &Trace) -> usize {
        let by_trace = (FOOTPRINT_BYTES / trace.distinct_keys.max(1)).clamp(VALUE_BYTES_MIN, VALUE_BYTES_MAX);
        self.value_size.unwrap_or(by_trace as usize)
    }

    fn limits(&self, trace: &Trace) -> Vec<u64> {
        if !self.maxmemory.is_empty() {
            return self.maxmemory.clone();
        }
        let footprint = trace.distinct_keys * (self.value_size_for(trace) as u64 + ENTRY_OVERHEAD_BYTES);
        let limit = |share: &f64| PROCESS_ALLOWANCE_BYTES + (footprint as f64 * share.max(0.0) / 100.0) as u64;
        self.shares.iter().map(limit).collect()
    }

    fn policies(&self, spec: &ServerSpec) -> Vec<Option<String>> {
        match spec.dialect {
            Dialect::Rondache if self.rondache_policies.is_empty() => vec![None],
            Dialect::Rondache => self.rondache_policies.iter().cloned().map(Some).collect(),
            _ => REDIS_POLICIES.iter().map(|&policy| Some(policy.to_owned())).collect(),
        }
    }
}

fn row(args: &HitRatioArgs, trace: &Trace, maxmemory_bytes: u64, spec: &ServerSpec, replayed: &Replayed) -> Vec<Cell> {
    let after = spec.arguments.iter().skip_while(|argument| *argument != "--maxmemory-policy").nth(1);
    let policy = after.map_or("default", String::as_str);
    let hit_percent = 100.0 * replayed.hit_ratio();
    let entries = replayed.entries_mean.round() as usize;
    let offline_percent = 100.0 * PolicyKind::S3Fifo.hit_ratio(entries, &trace.accesses);
    let limit_bytes = rss_limit_bytes(maxmemory_bytes);
    vec![
        trace.name.as_str().into(),
        (args.value_size_for(trace) as u64).into(),
        Cell::mib(maxmemory_bytes),
        spec.name.as_str().into(),
        policy.into(),
        Cell::Number(hit_percent, 2),
        (entries as u64).into(),
        Cell::Number(100.0 * replayed.entries_mean / trace.distinct_keys.max(1) as f64, 1),
        Cell::Number(offline_percent, 2),
        Cell::Number(hit_percent - offline_percent, 2),
        Cell::mib(replayed.peak_rss_bytes),
        Cell::mib(limit_bytes),
        if replayed.peak_rss_bytes <= limit_bytes { "ok" } else { "OVER" }.into(),
        replayed.outcome.errors_text().into(),
    ]
}
