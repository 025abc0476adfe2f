//! `rondache-bench pairs`: two processes against two others, at what they cost together.
//!
//! - *forward*: a node that owns nothing in front of one that owns everything, against twemproxy in front of Valkey: what
//!   a GET through any node costs.
//! - *replicate*: an owner with one copy against a Valkey primary with one replica: what a replicated SET costs.
//!
//! The pairs take turns round by round under the same load. What counts is the CPU of both processes per request.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};

use crate::error::{BenchError, Context, Result};
use crate::load::distribution::DistributionKind;
use crate::load::engine::{Engine, LoadPlan};
use crate::load::generator::Generator;
use crate::load::operation::{Mix, Operation};
use crate::load::prepare;
use crate::load::schedule::Stop;
use crate::net::{Client, Value};
use crate::output::{self, Cell, Format, Table, note};
use crate::proc::server::free_address;
use crate::proc::{Server, ServerSpec, usage};
use crate::stats::median;

use super::run::DataArgs;

/// How long a pair may take to come together.
const TOGETHER_TIMEOUT: Duration = Duration::from_secs(30);
const IDLE_LOOKS_MAX: u32 = 60;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Case {
    /// A GET through a node that does not own the key.
    Forward,
    /// A SET with one copy.
    Replicate,
}

/// Arguments of `pairs`.
#[derive(Debug, Clone, Args)]
pub struct PairsArgs {
    /// What to measure
    #[arg(value_enum)]
    case: Case,
    /// This project's server
    #[arg(long, default_value = "target/release/rondache")]
    rondache: PathBuf,
    /// Valkey's server
    #[arg(long, default_value = "valkey-server")]
    valkey: PathBuf,
    /// twemproxy, for `forward`
    #[arg(long, default_value = "nutcracker")]
    proxy: PathBuf,
    /// Requests in a batch
    #[arg(long, default_value_t = 16)]
    pipeline: u64,
    /// Connections
    #[arg(long, default_value_t = 50)]
    connections: usize,
    /// Requests a round
    #[arg(long, default_value_t = 1_000_000)]
    requests: u64,
    /// Rounds in which both pairs take their turn
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    #[command(flatten)]
    data: DataArgs,
    /// Report format
    #[arg(long, value_enum, default_value_t)]
    output: Format,
}

/// Two servers that work together.
struct Pair {
    name: &'static str,
    /// Where the load goes.
    addr: SocketAddr,
    servers: [Server; 2],
}

/// One round of one pair.
#[derive(Clone, Copy)]
struct Sample {
    throughput: f64,
    /// Of the server that clients talk to, and of the other.
    cpu_ns: [f64; 2],
}

/// Runs the subcommand.
///
/// # Errors
/// A server that does not start or join, or a load that fails.
pub fn run(args: &PairsArgs) -> Result<()> {
    let operation = if args.case == Case::Forward { Operation::Get } else { Operation::Set };
    let pairs = match args.case {
        Case::Forward => [forwarding_nodes(args)?, proxy_and_server(args)?],
        Case::Replicate => [owner_and_copy(args)?, primary_and_replica(args)?],
    };
    for pair in &pairs {
        let config = args.data.generator(Mix::only(Operation::Set), DistributionKind::Uniform, None);
        prepare::fill(&plan(args, pair, config.keys), &config, |_| ())?;
    }
    let mut samples: [Vec<Sample>; 2] = Default::default();
    for round in 0..args.rounds {
        let order = if round % 2 == 0 { [0, 1] } else { [1, 0] };
        for at in order {
            let mut config = args.data.generator(Mix::only(operation), DistributionKind::Uniform, None);
            config.seed = config.seed.wrapping_add(u64::from(round));
            samples[at].push(sample(args, &pairs[at], &mut Generator::new(&config)?)?);
        }
        note(&format!("round {} of {}", round + 1, args.rounds));
    }
    output::print(&[table(args, &pairs, &samples)], args.output)
}

fn plan(args: &PairsArgs, pair: &Pair, requests: u64) -> LoadPlan {
    LoadPlan {
        addr: pair.addr,
        connections: args.connections,
        pipeline: args.pipeline,
        stop: Stop::Requests(requests),
        rate: None,
        resp3: false,
    }
}

fn sample(args: &PairsArgs, pair: &Pair, generator: &mut Generator) -> Result<Sample> {
    for server in &pair.servers {
        usage::wait_until_idle(server.pid, IDLE_LOOKS_MAX)?;
    }
    let before = [pair.servers[0].cpu_ns()?, pair.servers[1].cpu_ns()?];
    let outcome = Engine::run(&plan(args, pair, args.requests), generator, |_| ())?;
    for server in &pair.servers {
        // A copy may be behind; what it still has to do belongs to this round.
        usage::wait_until_idle(server.pid, IDLE_LOOKS_MAX)?;
    }
    if outcome.error_count() > 0 {
        return Err(BenchError::Refused { command: format!("load on {}", pair.name), reply: outcome.errors_text() });
    }
    let used = |at: usize| -> Result<f64> {
        Ok(pair.servers[at].cpu_ns()?.saturating_sub(before[at]) as f64 / outcome.requests.max(1) as f64)
    };
    Ok(Sample { throughput: outcome.throughput(), cpu_ns: [used(0)?, used(1)?] })
}

fn table(args: &PairsArgs, pairs: &[Pair; 2], samples: &[Vec<Sample>; 2]) -> Table {
    let operation = if args.case == Case::Forward { "GET through another node" } else { "replicated SET" };
    let title = format!("{operation}, {} deep, medians of {} rounds", args.pipeline, args.rounds);
    let columns = ["pair", "requests/s", "CPU ns front", "CPU ns behind", "CPU ns together", "×"];
    let mut table = Table::new(title, &columns);
    let of = |at: usize, figure: &dyn Fn(&Sample) -> f64| median(&samples[at].iter().map(figure).collect::<Vec<_>>());
    let together = |sample: &Sample| sample.cpu_ns.iter().sum::<f64>();
    for (at, pair) in pairs.iter().enumerate() {
        table.row(vec![
            pair.name.into(),
            Cell::Number(of(at, &|sample| sample.throughput), 0),
            Cell::Number(of(at, &|sample| sample.cpu_ns[0]), 0),
            Cell::Number(of(at, &|sample| sample.cpu_ns[1]), 0),
            Cell::Number(of(at, &together), 0),
            Cell::Number(of(at, &together) / of(1, &together), 2),
        ]);
    }
    table
}

/// Starts a node of a cluster with one worker, on free ports throughout. Answers also how others join it.
fn node(args: &PairsArgs, own: &[&str]) -> Result<(Server, String)> {
    let bus = free_address()?;
    let bus_listen = bus.to_string();
    let arguments = ["--bus-listen", &bus_listen].iter().chain(own).map(|&argument| argument.to_owned()).collect();
    let spec = ServerSpec::new("rondache", args.rondache.clone(), arguments);
    let server = Server::start(&spec, &crate::proc::affinity::Placement::unpinned())?;
    let seed = format!("{}@{}", server.addr, bus.port());
    Ok((server, seed))
}

fn forwarding_nodes(args: &PairsArgs) -> Result<Pair> {
    let (behind, seed) = node(args, &["--replicas", "0"])?;
    let (front, _) = node(args, &["--replicas", "0", "--weight", "0", "--join", &seed])?;
    wait_for(&front, "to forward everything", |client| Ok(owned_slots(client)? == 0))?;
    Ok(Pair { name: "rondache + rondache", addr: front.addr, servers: [front, behind] })
}

fn owner_and_copy(args: &PairsArgs) -> Result<Pair> {
    let (front, seed) = node(args, &["--replicas", "1"])?;
    // Next to no share of its own: it is here for the copies.
    let (behind, _) = node(args, &["--replicas", "1", "--weight", "0.01", "--join", &seed])?;
    wait_for(&behind, "to hold all copies", |client| {
        let info = text(client.call(&["INFO", "cluster"])?);
        let copies = info.lines().find_map(|line| line.strip_prefix("cluster_slots_copied:")?.trim().parse().ok());
        Ok(copies.is_some_and(|copies: u32| copies >= 16_000) && info.contains("cluster_settled:1"))
    })?;
    Ok(Pair { name: "rondache + copy", addr: front.addr, servers: [front, behind] })
}

fn owned_slots(client: &mut Client) -> Result<u32> {
    let info = text(client.call(&["INFO", "cluster"])?);
    let owned = info.lines().find_map(|line| line.strip_prefix("cluster_slots_owned:")?.trim().parse().ok());
    Ok(owned.unwrap_or(u32::MAX))
}

fn text(value: Value) -> String {
    value.to_text()
}

fn wait_for(server: &Server, what: &str, mut holds: impl FnMut(&mut Client) -> Result<bool>) -> Result<()> {
    let began = Instant::now();
    let mut client = server.client()?;
    while !holds(&mut client)? {
        if began.elapsed() > TOGETHER_TIMEOUT {
            let reason = format!("did not come {what} within {} s", TOGETHER_TIMEOUT.as_secs());
            return Err(BenchError::Server { name: server.spec.name.clone(), reason });
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

fn valkey(args: &PairsArgs, own: &[String]) -> Result<Server> {
    let spec = ServerSpec::new("valkey", args.valkey.clone(), own.to_vec());
    Server::start(&spec, &crate::proc::affinity::Placement::unpinned())
}

fn proxy_and_server(args: &PairsArgs) -> Result<Pair> {
    let behind = valkey(args, &[])?;
    let config = std::env::temp_dir().join(format!("rondache-bench-{}.yml", std::process::id()));
    let addr = free_address()?;
    let pool = format!(
        "pool:\n  listen: {addr}\n  redis: true\n  hash: fnv1a_64\n  distribution: ketama\n  servers:\n   - {}:1\n",
        behind.addr
    );
    fs::write(&config, pool).context(|| format!("writing {}", config.display()))?;
    let stats = free_address()?.port();
    let (proxy, config) = (args.proxy.display(), config.display());
    let line = format!("twemproxy={proxy} -c {config} -s {stats} -m 16384 -o /dev/null");
    let mut spec: ServerSpec = line.parse().map_err(BenchError::Usage)?;
    spec.dialect = crate::proc::server::Dialect::Verbatim;
    let front = Server::start_at(&spec, &crate::proc::affinity::Placement::unpinned(), addr)?;
    Ok(Pair { name: "twemproxy + valkey", addr: front.addr, servers: [front, behind] })
}

fn primary_and_replica(args: &PairsArgs) -> Result<Pair> {
    let front = valkey(args, &[])?;
    let port = front.addr.port().to_string();
    let behind = valkey(args, &["--replicaof".to_owned(), "127.0.0.1".to_owned(), port])?;
    wait_for(&behind, "in sync", |client| {
        Ok(text(client.call(&["INFO", "replication"])?).contains("master_link_status:up"))
    })?;
    Ok(Pair { name: "valkey + replica", addr: front.addr, servers: [front, behind] })
}
