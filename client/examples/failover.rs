//! What callers notice when a node dies: errors of idempotent calls, and the slowest call.
//!
//! ```text
//! cargo build --release && cargo run --release -p rondache-client --example failover
//! cargo run --release -p rondache-client --example failover -- --nodes host:port,… [--seconds 30]
//! ```
//! Without `--nodes` it starts three nodes (the `rondache` beside this program's folder, or `--server PATH`), and kills one of them
//! after a third of the time. With `--nodes` the killing is left to you.
#![allow(clippy::print_stdout, reason = "an example prints its figures")]

mod support;

use std::{
    net::{TcpListener, UdpSocket},
    path::PathBuf,
    process::{Child, Command, ExitCode, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rondache_client::{Client, Cmd};
use support::{Error, option};
use tokio::time::{interval, sleep};

const TASKS: u64 = 64;
const KEYS: u64 = 10_000;
const JOIN_PATIENCE: Duration = Duration::from_secs(30);

/// What the tasks saw in the running second, and in all.
#[derive(Default)]
struct Seen {
    calls: AtomicU64,
    errors: AtomicU64,
    slowest_us: AtomicU64,
}

#[tokio::main]
async fn main() -> ExitCode {
    support::run(&["--nodes", "--seconds", "--server"], watch()).await
}

async fn watch() -> Result<(), Error> {
    let seconds = seconds()?;
    let mut own = Vec::new();
    let seeds = match option("--nodes")? {
        Some(nodes) => nodes.split(',').map(str::to_owned).collect(),
        None => start_three(&mut own)?,
    };
    println!("nodes: {}", seeds.join(", "));
    // Nodes that were only just started may need their time; others are there or not.
    let patience = if own.is_empty() { Duration::ZERO } else { JOIN_PATIENCE };
    let client = connect(&seeds, patience).await?;
    wait_for_owners(&client, own.len()).await?;
    let seen = Arc::new(Seen::default());
    let tasks: Vec<_> = (0..TASKS).map(|_| tokio::spawn(call_for_ever(client.clone(), Arc::clone(&seen)))).collect();
    let (mut every_second, mut errors, mut slowest_us) = (interval(Duration::from_secs(1)), 0, 0);
    every_second.tick().await;
    for second in 1..=seconds {
        every_second.tick().await;
        let [calls, failed, slowest] = seen.take();
        errors += failed;
        slowest_us = slowest.max(slowest_us);
        println!("{second:>3} s: {calls:>8} calls, {failed} errors, slowest {:?}", Duration::from_micros(slowest));
        if second == (seconds / 3).max(1)
            && let Some(mut node) = own.pop()
        {
            node.0.kill()?;
            println!("       killed a node");
        }
    }
    tasks.iter().for_each(tokio::task::JoinHandle::abort);
    println!("in all: {errors} errors, slowest call {:?}", Duration::from_micros(slowest_us));
    Ok(())
}

fn seconds() -> Result<u64, Error> {
    let Some(text) = option("--seconds")? else { return Ok(15) };
    let seconds = text.parse().ok().filter(|seconds| *seconds > 0);
    seconds.ok_or_else(|| format!("--seconds {text}: not a number of seconds above 0").into())
}

impl Seen {
    fn take(&self) -> [u64; 3] {
        [&self.calls, &self.errors, &self.slowest_us].map(|count| count.swap(0, Ordering::Relaxed))
    }
}

/// GET and SET in turn: both may be repeated without harm.
async fn call_for_ever(client: Client, seen: Arc<Seen>) {
    loop {
        let key = format!("failover:{}", fastrand::u64(..KEYS));
        let cmd = if fastrand::bool() { Cmd::new("GET").arg(key) } else { Cmd::new("SET").arg(key).arg("value") };
        let asked_at = Instant::now();
        let outcome = client.cmd(cmd).await;
        let took_us = u64::try_from(asked_at.elapsed().as_micros()).unwrap_or(u64::MAX);
        seen.slowest_us.fetch_max(took_us, Ordering::Relaxed);
        seen.calls.fetch_add(1, Ordering::Relaxed);
        if let Err(error) = outcome {
            if seen.errors.fetch_add(1, Ordering::Relaxed) == 0 {
                println!("       {error}");
            }
            // A caller that is told "no" at once should not ask again at once.
            sleep(Duration::from_millis(10)).await;
        }
    }
}

/// A node of this example's own; it dies with the example.
struct OwnNode(Child);

impl Drop for OwnNode {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start_three(own: &mut Vec<OwnNode>) -> Result<Vec<String>, Error> {
    let program = match option("--server")? {
        Some(path) => PathBuf::from(path),
        // target/release/examples/failover → target/release/rondache
        None => std::env::current_exe()?.with_file_name("../rondache"),
    };
    if !program.exists() {
        return Err(format!("{} is missing: cargo build first, or give --server PATH", program.display()).into());
    }
    let mut seeds: Vec<String> = Vec::new();
    for port in free_ports().take(3) {
        let addr = format!("127.0.0.1:{port}");
        let mut command = Command::new(&program);
        command.args(["--listen", &addr]);
        if !seeds.is_empty() {
            command.args(["--join", &seeds.join(",")]);
        }
        own.push(OwnNode(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?));
        seeds.push(addr);
    }
    if seeds.len() < 3 { Err("there are no free ports for three nodes".into()) } else { Ok(seeds) }
}

/// Ports that are free now, as are those for other purposes at their fixed distances: others find a node's bus by them.
fn free_ports() -> impl Iterator<Item = u16> {
    const DISTANCES: [u16; 4] = [0, 1000, 2000, 10_000];
    (7001..8000).filter(|port| {
        DISTANCES.iter().all(|distance| TcpListener::bind(("127.0.0.1", port + distance)).is_ok())
            && UdpSocket::bind(("127.0.0.1", port + 10_000)).is_ok()
    })
}

async fn connect(seeds: &[String], patience: Duration) -> Result<Client, Error> {
    let until = Instant::now() + patience;
    loop {
        match Client::builder().seeds(seeds).refresh_interval(Duration::from_secs(1)).build().await {
            Ok(client) => return Ok(client),
            Err(error) if Instant::now() >= until => return Err(error.into()),
            Err(_) => sleep(Duration::from_millis(100)).await,
        }
    }
}

/// Waits until this many nodes own slots.
async fn wait_for_owners(client: &Client, owners: usize) -> Result<(), Error> {
    let until = Instant::now() + JOIN_PATIENCE;
    while client.nodes().len() < owners {
        if Instant::now() >= until {
            return Err(format!("after {JOIN_PATIENCE:?} only {:?} own slots", client.nodes()).into());
        }
        sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}
