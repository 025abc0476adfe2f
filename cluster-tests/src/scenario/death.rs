//! A node dies, or freezes, while clients of the others work.

use std::{fmt, time::Duration};

use super::let_pass;
use crate::{
    load::{self, Load, Seen},
    process::{ClusterProcess, wait_agreed},
    wire::WireError,
};

/// How a node leaves the others in the lurch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Its process is killed.
    Killed,
    /// Its process stops, with all sockets open.
    Frozen,
}

/// What is to happen.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How the node ends.
    pub end: End,
    /// `write-acks`
    pub write_acks: u32,
    /// Keys that are written, and replicated, before.
    pub keys: u64,
    /// Clients at each of the two survivors.
    pub clients: usize,
    /// How many answers the clients get before the end, and again once the others have made up for it.
    pub answers: u64,
}

impl Default for Plan {
    fn default() -> Self {
        Self { end: End::Killed, write_acks: 0, keys: 100_000, clients: 20, answers: 20_000 }
    }
}

/// What was seen.
#[derive(Debug)]
pub struct Report {
    /// What the clients of the survivors saw.
    pub seen: Seen,
    /// Keys written more than a second before that are gone or changed.
    pub keys_lost: u64,
    /// Acknowledged changes during the event that are not there: none with `write-acks 1`.
    pub differences: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.seen)?;
        writeln!(f, "older keys lost          {}", self.keys_lost)?;
        write!(f, "acknowledged changes lost {}", self.differences.len())?;
        self.seen.write_details(f, &self.differences)
    }
}

/// Three nodes; one of them ends while clients of the others work.
///
/// # Errors
/// A node that should serve does not.
pub async fn run(plan: &Plan) -> Result<Report, WireError> {
    let acks = plan.write_acks.to_string();
    let mut cluster = tokio::task::block_in_place(|| ClusterProcess::start(3, &["--write-acks", &acks]));
    let survivors = cluster.addrs(&[0, 1]);
    load::fill(survivors[0], "old", plan.keys, 64).await?;
    // What was written in the last second may be lost by design; what is older may not.
    let_pass(Duration::from_millis(1100)).await;
    let clients = Load::start(&survivors, plan.clients);
    clients.work(plan.answers).await;
    match plan.end {
        End::Killed => cluster.nodes[2].kill(),
        End::Frozen => cluster.nodes[2].freeze(),
    }
    tokio::task::block_in_place(|| cluster.nodes[..2].iter_mut().for_each(|node| node.wait_settled(2)));
    clients.work(plan.answers).await;
    if plan.end == End::Frozen {
        cluster.nodes[2].thaw();
        tokio::task::block_in_place(|| wait_agreed(&mut cluster.nodes));
        clients.work(plan.answers).await;
    }
    let seen = clients.finish().await;
    let keys_lost = load::count_wrong(survivors[1], "old", plan.keys, 64).await?;
    let differences = load::differences(survivors[0], &seen).await?;
    Ok(Report { seen, keys_lost, differences })
}
