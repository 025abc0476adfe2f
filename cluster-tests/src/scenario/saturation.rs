//! Every processor is saturated by clients, and nobody is taken for dead.

use std::{
    fmt, io,
    num::NonZero,
    thread::available_parallelism,
    time::{Duration, Instant},
};

use super::let_pass;
use crate::{
    flood::{Flood, Flooded},
    process::{ClusterProcess, NodeProcess},
    wire::WireError,
};

const NODES: usize = 3;
/// Clients at each node for each processor.
const CLIENTS_PER_PROCESSOR: usize = 4;

/// What the nodes' own records say of members that were doubted; all of it only ever grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Doubts {
    /// Changes of what the nodes believe of each other: a suspicion is one, and its end another.
    pub view_changes: u64,
    /// Slots that were taken over from a member held for dead.
    pub takeovers: u64,
    /// How often slots went to a next owner, for the one to which it happened most.
    pub epochs: u64,
}

impl Doubts {
    /// Since the nodes began, all nodes together.
    fn of(nodes: &[NodeProcess]) -> io::Result<Self> {
        let mut all = Self::default();
        for node in nodes {
            let (_, body) = node.admin("/cluster")?;
            let status: serde_json::Value = serde_json::from_str(&body)?;
            let number = |value: &serde_json::Value| {
                value.as_u64().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no such figure in /cluster"))
            };
            all.view_changes += number(&status["view_version"])?;
            let takeovers = &status["takeovers"];
            all.takeovers += number(&takeovers["firm"])? + number(&takeovers["provisional"])?;
            all.epochs = all.epochs.max(number(&status["epoch"])?);
        }
        Ok(all)
    }

    fn since(self, before: Self) -> Self {
        Self {
            view_changes: self.view_changes - before.view_changes,
            takeovers: self.takeovers - before.takeovers,
            epochs: self.epochs - before.epochs,
        }
    }
}

/// What was seen.
#[derive(Debug)]
pub struct Report {
    /// How long the load lasted.
    pub lasted: Duration,
    /// How much of all processors' time was used meanwhile, in percent.
    pub busy_percent: f64,
    /// What the clients saw.
    pub clients: Flooded,
    /// What came up meanwhile.
    pub doubts: Doubts,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "lasted                   {:?}", self.lasted)?;
        writeln!(f, "processors busy          {:.1} %", self.busy_percent)?;
        writeln!(f, "requests a second        {:.0}", self.clients.answered as f64 / self.lasted.as_secs_f64())?;
        writeln!(f, "errors                   {}", self.clients.errors)?;
        writeln!(f, "slots taken over         {}", self.doubts.takeovers)?;
        writeln!(f, "epochs begun             {}", self.doubts.epochs)?;
        write!(f, "suspicions and their ends {}", self.doubts.view_changes)?;
        self.clients.first_error.iter().try_for_each(|error| write!(f, "\n  {error}"))
    }
}

/// Saturates all processors for so long, through every node of a cluster of three.
///
/// # Errors
/// A node does not say how it is doing, or the system how busy it is.
pub async fn run(lasting: Duration) -> Result<Report, WireError> {
    let cluster = tokio::task::block_in_place(|| ClusterProcess::start(NODES, &[]));
    let processors = available_parallelism().map_or(1, NonZero::get);
    let before = Doubts::of(&cluster.nodes)?;
    let (began, used) = (Instant::now(), ProcessorTime::now()?);
    let clients = Flood::start(&cluster.addrs(&[0, 1, 2]), CLIENTS_PER_PROCESSOR * processors);
    let_pass(lasting).await;
    let busy_percent = ProcessorTime::now()?.busy_percent_since(&used);
    let (clients, lasted) = (clients.finish().await, began.elapsed());
    // A death takes seconds to be believed: what had begun under the load shows now.
    let_pass(Duration::from_secs(3)).await;
    let doubts = Doubts::of(&cluster.nodes)?.since(before);
    Ok(Report { lasted, busy_percent, clients, doubts })
}

/// What all processors together have done since the system began, in ticks.
struct ProcessorTime {
    idle: u64,
    all: u64,
}

impl ProcessorTime {
    fn now() -> io::Result<Self> {
        let stat = std::fs::read_to_string("/proc/stat")?;
        let ticks = stat.lines().next().unwrap_or_default().split_whitespace().skip(1);
        // Guests' time, which follows, is part of the users' already.
        let ticks: Vec<u64> = ticks.take(8).filter_map(|ticks| ticks.parse().ok()).collect();
        // The fourth is idle time, the fifth idle time in which a disk was waited for.
        let idle = ticks.iter().skip(3).take(2).sum();
        Ok(Self { idle, all: ticks.iter().sum() })
    }

    fn busy_percent_since(&self, before: &Self) -> f64 {
        let (idle, all) = (self.idle - before.idle, self.all - before.all);
        100.0 - 100.0 * idle as f64 / all.max(1) as f64
    }
}
