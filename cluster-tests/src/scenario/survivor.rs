//! Two of three nodes die under `partition-policy majority`: the third refuses at once what it can't do without them, until one
//! of the two is started again.

use std::time::{Duration, Instant};

use super::minority::{a_key_of, key};
use crate::{
    process::ClusterProcess,
    wire::{Conn, WireError},
};

const KEYS: u64 = 200;
/// Requests that wait as long as they may are given up by the scenario's connections.
const REQUEST_DEADLINE: &str = "120s";

/// What was seen.
#[derive(Debug, Default)]
pub struct Report {
    /// What reads got that were sent while the deaths of their keys' owners may not have been known yet. The slots of the one that is
    /// known to be dead before the other is may have been taken over, with a majority of two.
    pub waiting_reads: Vec<String>,
    /// Commands that concern keys of the dead, or write, and what the survivor answered: at its first port and at its second.
    pub refused: Vec<(String, String)>,
    /// How long the slowest of these took.
    pub slowest: Duration,
    /// What it answered to a read of a key of its own.
    pub own_read: String,
    /// Writes through either node that failed when one of the dead was back.
    pub refused_afterwards: Vec<String>,
}

/// Runs the scenario.
///
/// # Errors
/// A node that should answer does not.
pub async fn run() -> Result<Report, WireError> {
    let arguments = ["--partition-policy", "majority", "--request-deadline", REQUEST_DEADLINE];
    let mut cluster = tokio::task::block_in_place(|| ClusterProcess::start(3, &arguments));
    let mut keys = Vec::new();
    for node in &cluster.nodes {
        keys.push(a_key_of(node).await?);
    }
    let (own, of_others) = (keys[0].as_str(), &keys[1..]);
    let mut conn = Conn::open(cluster.nodes[0].addr()).await?;
    conn.call(&[b"SET", own.as_bytes(), b"before"]).await?;
    cluster.nodes[1..].iter_mut().for_each(|node| node.kill());
    let mut report = Report::default();
    let mut dead = Vec::new();
    for key in of_others {
        let reply = ask(&mut conn, &format!("GET {key}")).await?;
        if reply != "Null" {
            dead.push(key.as_str());
        }
        report.waiting_reads.push(reply);
    }
    tokio::task::block_in_place(|| {
        cluster.nodes[0].wait_until("sees no majority", |node| {
            node.admin("/cluster").is_ok_and(|(_, status)| status.contains("\"has_majority\":false"))
        });
    });
    let Some(first) = dead.first() else { return Ok(report) };
    report.own_read = ask(&mut conn, &format!("GET {own}")).await?;
    let of_one = dead.iter().flat_map(|key| [format!("GET {key}"), format!("SET {key} v"), format!("BLPOP {key} 0")]);
    let mut commands: Vec<String> = of_one.collect();
    commands.push(format!("SET {own} v"));
    let mut at_redirect_port = Conn::open(cluster.nodes[0].redirect_addr()).await?;
    for command in &commands {
        refuse(&mut at_redirect_port, command, &mut report).await?;
    }
    for key in [own, first] {
        refuse_transaction(&mut at_redirect_port, key, &mut report).await?;
        refuse_transaction(&mut conn, key, &mut report).await?;
    }
    commands.push(format!("MGET {own} {}", dead.join(" ")));
    commands.push(format!("MSET {own} v {} v", dead.join(" v ")));
    commands.push(format!("DEL {first} {own}"));
    for command in &commands {
        refuse(&mut conn, command, &mut report).await?;
    }
    tokio::task::block_in_place(|| {
        cluster.restart(1);
        cluster.wait_settled(2);
    });
    for node in &cluster.nodes[..2] {
        let mut conn = Conn::open(node.addr()).await?;
        for key in (0..KEYS).map(key) {
            let reply = ask(&mut conn, &format!("SET {key} v")).await?;
            if reply != "OK" {
                report.refused_afterwards.push(format!("{key} at {}: {reply}", node.addr()));
            }
        }
    }
    Ok(report)
}

/// Asks for what is to be refused.
async fn refuse(conn: &mut Conn, command: &str, report: &mut Report) -> Result<(), WireError> {
    let began = Instant::now();
    let reply = ask(conn, command).await?;
    report.slowest = report.slowest.max(began.elapsed());
    report.refused.push((command.to_owned(), reply));
    Ok(())
}

/// Asks for a transaction that is to be refused, with its command or as a whole.
async fn refuse_transaction(conn: &mut Conn, key: &str, report: &mut Report) -> Result<(), WireError> {
    ask(conn, "MULTI").await?;
    let command = format!("SET {key} v");
    let reply = ask(conn, &command).await?;
    if reply == "QUEUED" {
        return refuse(conn, "EXEC", report).await;
    }
    report.refused.push((format!("MULTI, {command}"), reply));
    ask(conn, "DISCARD").await.map(drop)
}

/// The reply as text, errors included.
async fn ask(conn: &mut Conn, command: &str) -> Result<String, WireError> {
    let words: Vec<&[u8]> = command.split(' ').map(str::as_bytes).collect();
    match conn.call(&words).await {
        Ok(value) => {
            Ok(value.as_bytes().map_or_else(|| format!("{value:?}"), |text| String::from_utf8_lossy(text).into_owned()))
        }
        Err(WireError::Refused(text)) => Ok(text),
        Err(error) => Err(error),
    }
}
