//! One of three nodes is cut off, serves its own clients on provisional claims, and comes back.

use std::{
    fmt,
    io::{self, Write},
    net::SocketAddr,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use super::let_pass;
use crate::{
    load::{self, Load, Seen},
    netns::Network,
    process::{NodeProcess, binary, wait_agreed},
    wire::{Conn, WireError},
};

/// Every node's, each on a machine of its own.
pub(super) const PORT: u16 = 6379;
const KEYS: u64 = 20_000;
/// How many answers the clients get before the cut, and after all nodes agree again.
const ANSWERS: u64 = 10_000;

/// What was seen.
#[derive(Debug)]
pub struct Report {
    /// What the clients of the majority saw from the cut to the end.
    pub seen: Seen,
    /// How long after the end of the cut all nodes agreed on who owns what.
    pub agreed_after: Duration,
    /// Whether the isolated node served a write of its own client meanwhile.
    pub isolated_served: bool,
    /// Keys of the majority that the isolated node overwrote, and whose values its writes replaced in the end.
    pub overwritten: u64,
    /// Keys from before that are gone or changed at the end.
    pub keys_lost: u64,
    /// Changes that the majority acknowledged and that are not there.
    pub differences: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "majority: errors         {}", self.seen.error_count())?;
        writeln!(f, "majority: slowest        {:?} ({})", self.seen.slowest, self.seen.slowest_command)?;
        writeln!(f, "majority: wrong reads    {}", self.seen.wrong.len())?;
        writeln!(f, "all agreed after         {:?}", self.agreed_after)?;
        writeln!(f, "isolated node served     {}", self.isolated_served)?;
        writeln!(f, "overwritten by it        {}", self.overwritten)?;
        writeln!(f, "older keys lost          {}", self.keys_lost)?;
        write!(f, "acknowledged changes lost {}", self.differences.len())?;
        let details = self.seen.errors.iter().map(|(error, count)| format!("{count} × {error}"));
        for line in details.chain(self.differences.iter().cloned()).take(20) {
            write!(f, "\n  {line}")?;
        }
        Ok(())
    }
}

/// Runs the scenario.
///
/// # Errors
/// The namespaces can't be made, or a node that should serve does not.
pub async fn run(cut_for: Duration, clients: usize) -> Result<Report, WireError> {
    let network = Network::new(3)?;
    let mut nodes = tokio::task::block_in_place(|| start(&network, &[]));
    let addrs: Vec<_> = nodes.iter().map(NodeProcess::addr).collect();
    load::fill(addrs[0], "old", KEYS, 64).await?;
    // What was written in the last second may be lost by design; what is older may not.
    let_pass(Duration::from_millis(1500)).await;
    let clients = Load::start(&addrs[..2], clients);
    clients.work(ANSWERS).await;
    network.pull_cable(2)?;
    // Longer than it takes to hold the others for dead.
    let_pass(cut_for / 2).await;
    let isolated_served = overwrite_from_within(&network).unwrap_or(false);
    write_on_majority(addrs[0]).await?;
    let_pass(cut_for / 2).await;
    network.plug_cable(2)?;
    let plugged = Instant::now();
    tokio::task::block_in_place(|| wait_agreed(&mut nodes));
    let agreed_after = plugged.elapsed();
    clients.work(ANSWERS).await;
    let seen = clients.finish().await;
    let overwritten = count_overwritten(addrs[2]).await?;
    let keys_lost = load::count_wrong(addrs[1], "old", KEYS, 64).await?;
    let differences = load::differences(addrs[2], &seen).await?;
    Ok(Report { seen, agreed_after, isolated_served, overwritten, keys_lost, differences })
}

/// Starts a cluster of one node a machine, with further arguments.
pub(super) fn start(network: &Network, further: &[&str]) -> Vec<NodeProcess> {
    let mut nodes: Vec<NodeProcess> = Vec::new();
    for machine in 0..3 {
        let seed = nodes.first().map(|first| first.addr().to_string());
        nodes.push(start_one(network, machine, seed.as_deref(), further));
    }
    nodes.iter_mut().for_each(|node| node.wait_settled(3));
    nodes
}

/// Starts a node on a machine.
pub(super) fn start_one(network: &Network, machine: usize, seed: Option<&str>, further: &[&str]) -> NodeProcess {
    let addr = SocketAddr::new(network.addr(machine), PORT);
    let join = seed.map(|seed| ["--join", seed]);
    let arguments = ["--cluster-secret", "isolation", "--protected-mode", "no"].iter().chain(join.iter().flatten());
    let arguments: Vec<String> = arguments.chain(further).map(|&word| word.to_owned()).collect();
    NodeProcess::start_with(network.command(machine, &binary()), addr, &arguments)
}

/// How many keys both sides write while they are apart.
const CONTESTED: u64 = 500;

/// Lets a client on a machine ask the node there; what it prints.
pub(super) fn ask_from_within(network: &Network, machine: usize, commands: &str) -> io::Result<String> {
    let (host, port) = (network.addr(machine).to_string(), PORT.to_string());
    let mut client = network.command(machine, Path::new("redis-cli"));
    client.args(["-h", &host, "-p", &port]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut client = client.spawn()?;
    // Closed at once, so that the client ends.
    client.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(commands.as_bytes()))?;
    Ok(String::from_utf8_lossy(&client.wait_with_output()?.stdout).into_owned())
}

/// Lets a client on the isolated machine write; whether it was served.
fn overwrite_from_within(network: &Network) -> io::Result<bool> {
    let commands: String = (0..CONTESTED).map(|index| format!("SET contested:{index} isolated\n")).collect();
    let printed = ask_from_within(network, 2, &commands)?;
    Ok(printed.lines().filter(|line| line.starts_with("OK")).count() as u64 == CONTESTED)
}

async fn write_on_majority(addr: SocketAddr) -> Result<(), WireError> {
    let mut conn = Conn::open(addr).await?;
    for index in 0..CONTESTED {
        conn.call(&[b"SET", format!("contested:{index}").as_bytes(), b"majority"]).await?;
    }
    Ok(())
}

async fn count_overwritten(addr: SocketAddr) -> Result<u64, WireError> {
    let mut conn = Conn::open(addr).await?;
    let mut count = 0;
    for index in 0..CONTESTED {
        let reply = conn.call(&[b"GET", format!("contested:{index}").as_bytes()]).await?;
        count += u64::from(reply.as_bytes() != Some(b"majority"));
    }
    Ok(count)
}
