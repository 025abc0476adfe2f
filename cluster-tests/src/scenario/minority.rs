//! One of three nodes is cut off under `partition-policy majority`: it refuses writes, the others go on, and the cut's end
//! brings all together.

use std::{
    io,
    time::{Duration, Instant},
};

use super::isolation::{ask_from_within, start};
use crate::{
    netns::Network,
    ports::REDIRECT_OFFSET,
    process::{NodeProcess, SETTLE_TIMEOUT, wait_agreed},
    wire::{Conn, WireError},
};

const KEYS: u64 = 200;
/// Which machine is cut off.
const CUT: usize = 2;

/// What was seen.
#[derive(Debug)]
pub struct Report {
    /// What a client of the cut-off node got for a write to a slot that this node owns.
    pub write_there: String,
    /// What it got for a read of the same key, which was written before.
    pub read_there: String,
    /// Keys that the majority did not take a new value for.
    pub refused_elsewhere: Vec<String>,
    /// Keys that hold another value than the majority's at the end, read through the node that was cut off.
    pub differences: Vec<String>,
    /// What that node's client got for a write at the end.
    pub write_afterwards: String,
}

/// Runs the scenario.
///
/// # Errors
/// The namespaces can't be made, or a node that should answer does not.
pub async fn run() -> Result<Report, WireError> {
    let network = Network::new(3)?;
    let mut nodes = tokio::task::block_in_place(|| start(&network, &["--partition-policy", "majority"]));
    let mut conn = Conn::open(nodes[0].addr()).await?;
    for index in 0..KEYS {
        conn.call(&[b"SET", key(index).as_bytes(), b"before"]).await?;
    }
    let owned = a_key_of(&nodes[CUT]).await?;
    network.pull_cable(CUT)?;
    await_minority(&network)?;
    let write_there = ask(&network, &format!("SET {owned} there"))?;
    let read_there = ask(&network, &format!("GET {owned}"))?;
    let mut refused_elsewhere = Vec::new();
    for index in 0..KEYS {
        let key = key(index);
        if let Err(error) = conn.call(&[b"SET", key.as_bytes(), b"majority"]).await {
            refused_elsewhere.push(format!("{key}: {error}"));
        }
    }
    network.plug_cable(CUT)?;
    tokio::task::block_in_place(|| wait_agreed(&mut nodes));
    let mut conn = Conn::open(nodes[CUT].addr()).await?;
    let mut differences = Vec::new();
    for index in 0..KEYS {
        let reply = conn.call(&[b"GET", key(index).as_bytes()]).await?;
        if reply.as_bytes() != Some(b"majority") {
            differences.push(format!("{}: {reply:?}", key(index)));
        }
    }
    let write_afterwards = ask(&network, &format!("SET {owned} afterwards"))?;
    Ok(Report { write_there, read_there, refused_elsewhere, differences, write_afterwards })
}

pub(super) fn key(index: u64) -> String {
    format!("key:{index}")
}

/// One of the keys that the node owns: its redirect port answers for these alone.
pub(super) async fn a_key_of(node: &NodeProcess) -> Result<String, WireError> {
    let mut addr = node.addr();
    addr.set_port(addr.port() + REDIRECT_OFFSET);
    let mut conn = Conn::open(addr).await?;
    for key in (0..KEYS).map(key) {
        match conn.call(&[b"GET", key.as_bytes()]).await {
            Ok(_) => return Ok(key),
            Err(WireError::Refused(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("the node owns none of the keys").into())
}

/// Waits until the node that is cut off has found that out.
fn await_minority(network: &Network) -> io::Result<()> {
    let deadline = Instant::now() + SETTLE_TIMEOUT;
    while !ask(network, "CLUSTER INFO")?.contains("cluster_has_majority:0") {
        if Instant::now() > deadline {
            return Err(io::Error::other("the node that is cut off still sees a majority"));
        }
        std::thread::park_timeout(Duration::from_millis(50));
    }
    Ok(())
}

fn ask(network: &Network, command: &str) -> io::Result<String> {
    Ok(ask_from_within(network, CUT, &format!("{command}\n"))?.trim().to_owned())
}
