//! A node joins, or leaves in order, under load.

use std::{
    fmt,
    time::{Duration, Instant},
};

use crate::{
    load,
    open_loop::{OpenLoop, Schedule, Window},
    process::ClusterProcess,
    wire::WireError,
};

/// How the cluster changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A fourth node joins three.
    Join,
    /// One of four leaves on SIGTERM.
    Leave,
}

/// What is to happen.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How the cluster changes.
    pub change: Change,
    /// What clients ask meanwhile; its keys are written before.
    pub schedule: Schedule,
    /// So many requests are answered before the change, as the measure, and half as many after it.
    pub before: u64,
    /// Further arguments of every node.
    pub arguments: Vec<String>,
}

impl Plan {
    /// A change under so many requests a second, all of them writes.
    #[must_use]
    pub fn new(change: Change, keys: u64, rate: u64) -> Self {
        let schedule =
            Schedule { rate, connections: 8, writes_percent: 100, prefix: "key".to_owned(), keys, value_len: 64 };
        Self { change, schedule, before: 4 * rate, arguments: Vec::new() }
    }
}

/// What was seen.
#[derive(Debug)]
pub struct Report {
    /// Before the change.
    pub before: Window,
    /// From its beginning to its end.
    pub during: Window,
    /// After it.
    pub after: Window,
    /// How long the change took until nothing moved any more.
    pub took: Duration,
    /// How long the leaving process lived on after SIGTERM.
    pub left_after: Option<Duration>,
    /// Requests a second that were sent during the change.
    pub rate: u64,
    /// Keys that are missing at the end.
    pub keys_lost: u64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "took                     {:?}", self.took)?;
        if let Some(left_after) = self.left_after {
            writeln!(f, "process ended after      {left_after:?}")?;
        }
        writeln!(f, "requests a second        {}", self.rate)?;
        for (name, window) in [("before", &self.before), ("during", &self.during), ("after", &self.after)] {
            let (p50, p99, most) = (window.percentile(50.0), window.percentile(99.0), window.percentile(100.0));
            writeln!(
                f,
                "{name:<9} p50 {p50:?}, p99 {p99:?}, most {most:?}, errors {}, misses {}",
                window.errors, window.misses
            )?;
            if let Some(error) = &window.first_error {
                writeln!(f, "          {error}")?;
            }
        }
        let ratio = self.during.percentile(99.0).as_secs_f64() / self.before.percentile(99.0).as_secs_f64();
        writeln!(f, "p99 during / before      {ratio:.2}")?;
        write!(f, "keys lost                {}", self.keys_lost)
    }
}

/// Runs the change under load.
///
/// # Errors
/// A node that should serve does not.
pub async fn run(plan: &Plan) -> Result<Report, WireError> {
    let arguments: Vec<_> = plan.arguments.iter().map(String::as_str).collect();
    let count = if plan.change == Change::Join { 3 } else { 4 };
    let mut cluster = tokio::task::block_in_place(|| ClusterProcess::start(count, &arguments));
    let addrs = cluster.addrs(&[0, 1, 2]);
    let Schedule { keys, value_len, .. } = plan.schedule;
    load::fill(addrs[0], "key", keys, value_len).await?;
    load::fill(addrs[0], "still", keys / 10, value_len).await?;
    let clients = OpenLoop::start(&addrs, &plan.schedule).await?;
    // The first connections, links and buffers are not what is measured.
    clients.work(plan.before / 4).await;
    let _ = clients.take_window();
    clients.work(plan.before).await;
    let before = clients.take_window();
    let (began, sent) = (Instant::now(), clients.sent());
    let left_after = tokio::task::block_in_place(|| match plan.change {
        Change::Join => {
            cluster.add();
            cluster.wait_settled(4);
            None
        }
        Change::Leave => {
            cluster.nodes[3].terminate();
            cluster.nodes[3].wait();
            let left_after = began.elapsed();
            cluster.wait_settled(3);
            Some(left_after)
        }
    });
    let took = began.elapsed();
    let during = clients.take_window();
    let rate = ((clients.sent() - sent) as f64 / took.as_secs_f64()) as u64;
    clients.work(plan.before / 2).await;
    let after = clients.finish().await;
    let keys_lost = load::count_wrong(addrs[1], "still", keys / 10, value_len).await?;
    Ok(Report { before, during, after, took, left_after, rate, keys_lost })
}
