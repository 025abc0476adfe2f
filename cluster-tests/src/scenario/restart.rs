//! A rolling restart: each node in turn is told to end and is started again, while clients of the others work.

use std::{
    fmt,
    time::{Duration, Instant},
};

use crate::{
    load::{self, Load, Seen},
    process::ClusterProcess,
    wire::WireError,
};

const NODES: usize = 3;
const VALUE_LEN: usize = 64;

/// What is to happen.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Keys that are written before.
    pub keys: u64,
    /// Clients at each of the two nodes that stay.
    pub clients: usize,
    /// How many answers the clients get before a node ends, and again when it is back.
    pub answers: u64,
}

impl Default for Plan {
    fn default() -> Self {
        Self { keys: 100_000, clients: 20, answers: 20_000 }
    }
}

/// What was seen.
#[derive(Debug, Default)]
pub struct Report {
    /// What the clients saw, of all nodes' restarts together.
    pub seen: Seen,
    /// For each node how long it took to leave.
    pub left_after: Vec<Duration>,
    /// For each node how long after SIGTERM it was back, with its share.
    pub back_after: Vec<Duration>,
    /// Keys from before that are gone or changed at the end.
    pub keys_lost: u64,
    /// Acknowledged changes that are not there.
    pub differences: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.seen)?;
        writeln!(f, "processes ended after    {:?}", self.left_after)?;
        writeln!(f, "back with their share    {:?}", self.back_after)?;
        writeln!(f, "older keys lost          {}", self.keys_lost)?;
        write!(f, "acknowledged changes lost {}", self.differences.len())?;
        self.seen.write_details(f, &self.differences)
    }
}

/// Restarts all three nodes, one after the other: the next follows when the last one is back with its share.
///
/// # Errors
/// A node that should serve does not.
pub async fn run(plan: &Plan) -> Result<Report, WireError> {
    let mut cluster = tokio::task::block_in_place(|| ClusterProcess::start(NODES, &[]));
    load::fill(cluster.nodes[0].addr(), "old", plan.keys, VALUE_LEN).await?;
    let mut report = Report::default();
    for restarted in 0..NODES {
        let staying: Vec<usize> = (0..NODES).filter(|node| *node != restarted).collect();
        let clients = Load::start_on(&format!("{restarted}-"), &cluster.addrs(&staying), plan.clients);
        clients.work(plan.answers).await;
        let began = Instant::now();
        tokio::task::block_in_place(|| {
            cluster.nodes[restarted].terminate();
            cluster.nodes[restarted].wait();
            report.left_after.push(began.elapsed());
            cluster.restart(restarted);
            cluster.wait_settled(NODES);
        });
        report.back_after.push(began.elapsed());
        clients.work(plan.answers).await;
        report.seen.add(clients.finish().await);
    }
    // Through a node that has been away: it knows by now who owns what.
    let addr = cluster.nodes[NODES - 1].addr();
    report.keys_lost = load::count_wrong(addr, "old", plan.keys, VALUE_LEN).await?;
    report.differences = load::differences(addr, &report.seen).await?;
    Ok(report)
}
