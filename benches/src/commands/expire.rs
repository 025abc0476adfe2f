//! `rondache-bench expire`: a million keys that expire in the same second, under steady reads of other keys.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::Args;

use crate::error::{BenchError, Result};
use crate::load::distribution::DistributionKind;
use crate::load::engine::{Engine, LoadPlan};
use crate::load::generator::{Generator, GeneratorConfig};
use crate::load::keys::KeyFormat;
use crate::load::operation::{Mix, Operation};
use crate::load::outcome::Outcome;
use crate::load::schedule::Stop;
use crate::load::values::{SizeRange, SizeSpread, ValuePool};
use crate::load::{Workload, prepare};
use crate::net::Client;
use crate::net::encode::push_bulk;
use crate::output::{self, Cell, Format, Table, note, progress};
use crate::proc::sampler::{MemorySample, MemorySampler};
use crate::proc::{Server, ServerSpec, usage};

use super::run::parse_seconds;
use super::servers::ServerArgs;

const KEY_SIZE: usize = 16;
const SAMPLE_EVERY: Duration = Duration::from_millis(20);
/// Memory counts as back once no more than this share of what the keys had added is left.
const LEFT_SHARE_MAX: f64 = 0.05;
/// Reads begin so long before the deadline.
const LEAD_IN: Duration = Duration::from_millis(500);

/// Arguments of `expire`.
#[derive(Debug, Clone, Args)]
pub struct ExpireArgs {
    #[command(flatten)]
    servers: ServerArgs,
    /// Keys that expire together
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    keys: u64,
    /// Keys that are read and never expire
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    other_keys: u64,
    /// Value size in bytes
    #[arg(long, default_value = "64")]
    value_size: SizeRange,
    /// Reads per second
    #[arg(long, default_value_t = 20_000.0)]
    rate: f64,
    /// Connections of the readers
    #[arg(long, default_value_t = 50)]
    connections: usize,
    /// Seconds of reading that are measured before the keys expire
    #[arg(long, default_value = "5", value_parser = parse_seconds)]
    quiet: Duration,
    /// Seconds of reading that are measured from just before the keys expire
    #[arg(long, default_value = "5", value_parser = parse_seconds)]
    during: Duration,
    /// Seconds to wait for the memory to come back
    #[arg(long, default_value = "20", value_parser = parse_seconds)]
    wait: Duration,
    /// Seconds that the fill may take
    #[arg(long, default_value = "10", value_parser = parse_seconds)]
    fill_time: Duration,
    /// Report format
    #[arg(long, value_enum, default_value_t)]
    output: Format,
}

/// What one server showed.
struct Shown {
    quiet: Outcome,
    during: Outcome,
    added_rss_bytes: u64,
    added_used_bytes: u64,
    rss_back: Option<Duration>,
    used_back: Option<Duration>,
    keys_left: u64,
}

/// Runs the subcommand.
///
/// # Errors
/// Servers that do not start, a fill that takes too long, or the load's errors.
pub fn run(args: &ExpireArgs) -> Result<()> {
    let placement = args.servers.placement()?;
    let mut table = Table::new(
        format!("{} keys expire at once under {} GETs/s of other keys", args.keys, args.rate),
        &[
            "server",
            "p99 quiet µs",
            "p99 during µs",
            "×",
            "p99.9 quiet µs",
            "p99.9 during µs",
            "max quiet µs",
            "max during µs",
            "added used MiB",
            "used back s",
            "added RSS MiB",
            "RSS back s",
            "keys left",
            "errors",
        ],
    );
    for spec in args.servers.choose()? {
        let server = Server::start(&spec, &placement)?;
        let shown = measure(args, &server)?;
        table.row(row(&spec, &shown));
    }
    output::print(&[table], args.output)
}

fn row(spec: &ServerSpec, shown: &Shown) -> Vec<Cell> {
    let us = |outcome: &Outcome, quantile| Cell::Number(outcome.latencies.quantile_us(quantile), 0);
    let seconds = |time: Option<Duration>| time.map_or("not back".into(), |t| Cell::Number(t.as_secs_f64(), 2));
    let (quiet, during) = (&shown.quiet, &shown.during);
    let p99 = |outcome: &Outcome| outcome.latencies.quantile_us(0.99);
    vec![
        spec.name.as_str().into(),
        us(quiet, 0.99),
        us(during, 0.99),
        Cell::Number(p99(during) / p99(quiet).max(0.001), 2),
        us(quiet, 0.999),
        us(during, 0.999),
        us(quiet, 1.0),
        us(during, 1.0),
        Cell::mib(shown.added_used_bytes),
        seconds(shown.used_back),
        Cell::mib(shown.added_rss_bytes),
        seconds(shown.rss_back),
        shown.keys_left.into(),
        during.errors_text().into(),
    ]
}

fn measure(args: &ExpireArgs, server: &Server) -> Result<Shown> {
    let mut client = server.client()?;
    let readers = reader_config(args);
    let mut plan = LoadPlan {
        addr: server.addr,
        connections: args.connections,
        pipeline: 64,
        stop: Stop::Requests(args.keys),
        rate: None,
        resp3: false,
    };
    prepare::fill(&plan, &readers, |_| ())?;
    usage::wait_until_idle(server.pid, 60)?;
    let before = look(server, &mut client)?;

    let deadline = Instant::now() + args.fill_time + args.quiet + LEAD_IN;
    fill_expiring(args, &plan, deadline)?;
    let full = look(server, &mut client)?;
    if Instant::now() + args.quiet > deadline - LEAD_IN {
        return Err(BenchError::Usage("filling took too long; say a longer --fill-time".to_owned()));
    }
    // Watches through both measurements, so that its own INFO commands weigh on both alike.
    let sampler = MemorySampler::start(server.pid, Some(server.addr), SAMPLE_EVERY);
    plan.rate = Some(args.rate);
    plan.stop = Stop::After(args.quiet);
    let quiet = Engine::run(&plan, &mut Generator::new(&readers)?, |_| ())?;
    std::thread::sleep((deadline - LEAD_IN).saturating_duration_since(Instant::now()));
    note(&format!("{}: {} keys expire now", server.spec.name, args.keys));
    plan.stop = Stop::After(args.during);
    let during = Engine::run(&plan, &mut Generator::new(&readers)?, |_| ());
    wait_for_memory(args, server, &mut client, deadline, before, full)?;
    let samples = sampler.finish();
    let keys_left = client.dbsize()?.saturating_sub(args.other_keys);
    Ok(Shown {
        quiet,
        during: during?,
        added_rss_bytes: full.0.saturating_sub(before.0),
        added_used_bytes: full.1.saturating_sub(before.1),
        rss_back: back_after(&samples, deadline, |sample| sample.rss_bytes, back_at(before.0, full.0)),
        used_back: back_after(&samples, deadline, |sample| sample.used_bytes, back_at(before.1, full.1)),
        keys_left,
    })
}

/// SETs all keys that expire at `deadline`.
fn fill_expiring(args: &ExpireArgs, plan: &LoadPlan, deadline: Instant) -> Result<()> {
    let left = deadline.saturating_duration_since(Instant::now());
    let deadline_unix_ms = unix_ms() + left.as_millis() as u64;
    let mut fill = ExpiringFill::new(args, deadline_unix_ms)?;
    let bar = progress::bar("fill", Some(args.keys));
    let filled = Engine::run(plan, &mut fill, |done| bar.set_position(done))?;
    bar.finish_and_clear();
    if filled.error_count() > 0 {
        return Err(BenchError::Refused { command: "SET … PXAT".to_owned(), reply: filled.errors_text() });
    }
    Ok(())
}

/// RSS and used_memory now.
fn look(server: &Server, client: &mut Client) -> Result<(u64, u64)> {
    Ok((usage::memory(server.pid)?.rss_bytes, client.info_number("memory", "used_memory")?))
}

/// The size at which memory counts as back.
fn back_at(before: u64, full: u64) -> u64 {
    before + (full.saturating_sub(before) as f64 * LEFT_SHARE_MAX) as u64
}

fn wait_for_memory(
    args: &ExpireArgs,
    server: &Server,
    client: &mut Client,
    deadline: Instant,
    before: (u64, u64),
    full: (u64, u64),
) -> Result<()> {
    while Instant::now() < deadline + args.wait {
        let now = look(server, client)?;
        if now.0 <= back_at(before.0, full.0) && now.1 <= back_at(before.1, full.1) {
            // One more sample for the watcher, so that it has seen this too.
            std::thread::sleep(3 * SAMPLE_EVERY);
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// How long after the deadline a figure was at or below `limit` for the first time.
fn back_after(
    samples: &[MemorySample],
    deadline: Instant,
    figure: impl Fn(&MemorySample) -> u64,
    limit: u64,
) -> Option<Duration> {
    samples
        .iter()
        .find(|sample| sample.at >= deadline && figure(sample) > 0 && figure(sample) <= limit)
        .map(|sample| sample.at - deadline)
}

fn unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

fn reader_config(args: &ExpireArgs) -> GeneratorConfig {
    GeneratorConfig {
        keys: args.other_keys,
        key_size: KEY_SIZE,
        value_size: args.value_size,
        value_spread: SizeSpread::Uniform,
        distribution: DistributionKind::Uniform,
        mix: Mix::only(Operation::Get),
        ttl: None,
        seed: 1,
    }
}

/// SETs keys beyond those that are read, all with the same absolute deadline.
struct ExpiringFill {
    next: u64,
    keys: KeyFormat,
    values: ValuePool,
    rng: fastrand::Rng,
    deadline_arguments: Vec<u8>,
}

impl ExpiringFill {
    fn new(args: &ExpireArgs, deadline_unix_ms: u64) -> Result<Self> {
        let mut rng = fastrand::Rng::with_seed(2);
        let mut deadline_arguments = Vec::new();
        push_bulk(&mut deadline_arguments, b"PXAT");
        push_bulk(&mut deadline_arguments, deadline_unix_ms.to_string().as_bytes());
        Ok(Self {
            next: args.other_keys,
            keys: KeyFormat::new(KEY_SIZE, args.other_keys + args.keys)?,
            values: ValuePool::new(args.value_size, SizeSpread::Uniform, &mut rng),
            rng,
            deadline_arguments,
        })
    }
}

impl Workload for ExpiringFill {
    fn encode(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"*5\r\n$3\r\nSET\r\n");
        self.keys.push(self.next, out);
        self.next += 1;
        self.values.push(&mut self.rng, out);
        out.extend_from_slice(&self.deadline_arguments);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_back_at_the_first_sample_after_the_deadline_that_is_low_enough() {
        let deadline = Instant::now();
        let sample =
            |ms: u64, rss_bytes| MemorySample { at: deadline + Duration::from_millis(ms), rss_bytes, used_bytes: 0 };
        let samples = [sample(0, 100), sample(500, 60), sample(900, 14), sample(1000, 10)];
        let limit = back_at(10, 100);
        assert_eq!(limit, 14);
        let back = back_after(&samples, deadline, |sample| sample.rss_bytes, limit);
        assert_eq!(back, Some(Duration::from_millis(900)));
        assert_eq!(back_after(&samples, deadline, |sample| sample.used_bytes, limit), None);
    }
}
