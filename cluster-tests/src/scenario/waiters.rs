//! Clients wait in BLPOP, through every node and for keys of every node, while the slots of these keys move.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use rondache_protocol::resp::value::Value;
use tokio::{
    task::JoinSet,
    time::{interval, timeout},
};

use crate::{
    process::{ClusterProcess, SETTLE_TIMEOUT},
    wire::{Conn, WireError, encode},
};

const KEYS: usize = 24;
/// The nodes that clients are connected to.
const ENTRIES: [usize; 3] = [0, 1, 2];
/// Whom a freeze or a kill meets.
const VICTIM: usize = 2;
/// Between two elements that are pushed while slots move.
const PACE: Duration = Duration::from_millis(100);

/// What happens while they wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A fourth node joins the three.
    Join,
    /// The fourth leaves in order.
    Leave,
    /// One of the three freezes for so long that the others take its slots over, and goes on.
    Freeze,
    /// One of the three is killed, with the clients that are connected to it.
    Kill,
}

impl Change {
    /// Whether what is served meanwhile is sure to reach its client.
    fn is_orderly(self) -> bool {
        matches!(self, Self::Join | Self::Leave)
    }

    /// Makes it happen, and waits until nothing moves any more.
    fn happen(self, cluster: &mut ClusterProcess) {
        match self {
            Self::Join => {
                cluster.add();
                cluster.wait_settled(4);
            }
            Self::Leave => {
                cluster.nodes[3].terminate();
                cluster.nodes[3].wait();
                cluster.wait_settled(3);
            }
            Self::Freeze => {
                cluster.nodes[VICTIM].freeze();
                cluster.nodes[..VICTIM].iter_mut().for_each(|node| node.wait_settled(2));
                cluster.nodes[VICTIM].thaw();
                cluster.wait_settled(3);
            }
            Self::Kill => {
                cluster.nodes[VICTIM].kill();
                cluster.wait_settled(2);
            }
        }
    }
}

/// What was seen of one change.
#[derive(Debug)]
pub struct Report {
    /// What happened.
    pub change: Change,
    /// How many of the keys got another owner.
    pub moved: usize,
    /// How many clients waited through the nodes that live on. As many elements were pushed.
    pub waited: usize,
    /// How many of these clients were served.
    pub served: usize,
    /// Elements that two clients got.
    pub twice: Vec<String>,
    /// What clients were told instead, or got besides.
    pub errors: Vec<String>,
    /// Keys with elements that nobody got.
    pub left: Vec<String>,
}

impl Report {
    /// Whether every client was served, and each just once.
    #[must_use]
    pub fn is_right(&self) -> bool {
        self.served == self.waited && self.twice.is_empty() && self.errors.is_empty() && self.left.is_empty()
    }
}

/// Three nodes, and changes one after the other, each with clients who wait before it begins. Ends with the first of which clients
/// noticed something.
///
/// # Errors
/// A node that should serve does not.
pub async fn run(changes: &[Change]) -> Result<Vec<Report>, WireError> {
    let mut cluster = tokio::task::block_in_place(|| ClusterProcess::start(3, &[]));
    let mut reports = Vec::new();
    for change in changes {
        let report = wait_through(&mut cluster, *change).await?;
        let is_right = report.is_right();
        reports.push(report);
        if !is_right {
            break;
        }
    }
    Ok(reports)
}

/// A client who waits: the node that it is connected to, and what it got.
type Waiter = (usize, Conn, Result<String, WireError>);

async fn wait_through(cluster: &mut ClusterProcess, change: Change) -> Result<Report, WireError> {
    let mut waiters: JoinSet<Waiter> = JoinSet::new();
    for entry in ENTRIES {
        for key in keys() {
            let mut conn = Conn::open(cluster.nodes[entry].addr()).await?;
            // As good as for ever, one as the other.
            let timeout = if entry == 0 { "0" } else { "3600" };
            conn.send(|out| encode(out, &[b"BLPOP", key.as_bytes(), timeout.as_bytes()])).await?;
            waiters.spawn(async move {
                let element = element(&mut conn).await;
                (entry, conn, element)
            });
        }
    }
    await_blocked(cluster, &mut waiters).await?;
    let owners_before = owners(cluster).await?;
    let living: Vec<usize> = ENTRIES.into_iter().filter(|at| change != Change::Kill || *at != VICTIM).collect();
    let addrs = cluster.addrs(&living);
    let mut conns = Vec::new();
    for addr in addrs {
        conns.push(Conn::open(addr).await?);
    }
    let last = living.len() - 1;
    let meanwhile = if change.is_orderly() { last } else { 0 };
    let pushing = tokio::spawn(async move {
        push(&mut conns, 0..meanwhile).await?;
        Ok::<_, WireError>(conns)
    });
    tokio::task::block_in_place(|| change.happen(cluster));
    let mut conns = pushing.await.map_err(std::io::Error::other)??;
    let owners_after = owners(cluster).await?;
    let moved = owners_before.iter().zip(&owners_after).filter(|(before, after)| before != after).count();
    push(&mut conns, meanwhile..living.len()).await?;
    let waited = living.len() * KEYS;
    let mut report =
        Report { change, moved, waited, served: 0, twice: Vec::new(), errors: Vec::new(), left: Vec::new() };
    collect(waiters, &living, &mut report).await;
    for key in keys() {
        if conns[0].call(&[b"LLEN", key.as_bytes()]).await? != Value::Integer(0) {
            report.left.push(key);
        }
    }
    Ok(report)
}

fn keys() -> impl Iterator<Item = String> {
    (0..KEYS).map(|number| format!("wait:{number}"))
}

/// Waits for the element, however long that takes.
async fn element(conn: &mut Conn) -> Result<String, WireError> {
    loop {
        match conn.read().await {
            Err(WireError::Silence) => {}
            Ok(Value::Array(pair)) if pair.len() == 2 => {
                return Ok(String::from_utf8_lossy(pair[1].as_bytes().unwrap_or_default()).into_owned());
            }
            Ok(other) => return Err(WireError::Refused(format!("{other:?}"))),
            Err(error) => return Err(error),
        }
    }
}

/// Waits until all clients wait at the owners of their keys.
async fn await_blocked(cluster: &mut ClusterProcess, waiters: &mut JoinSet<Waiter>) -> Result<(), WireError> {
    let mut conns = Vec::new();
    for node in cluster.nodes.iter_mut().filter_map(|node| node.is_running().then_some(node)) {
        conns.push(Conn::open(node.addr()).await?);
    }
    let began = Instant::now();
    let mut looks = interval(Duration::from_millis(10));
    loop {
        let mut waiting = 0;
        for conn in &mut conns {
            let info = conn.call(&[b"INFO", b"clients"]).await?;
            let info = String::from_utf8_lossy(info.as_bytes().unwrap_or_default());
            let blocked = info.lines().find_map(|line| line.strip_prefix("blocked_clients:")?.trim().parse().ok());
            waiting += blocked.unwrap_or(0);
        }
        if waiting == ENTRIES.len() * KEYS {
            return Ok(());
        }
        if let Some(Ok((entry, _, got))) = waiters.try_join_next() {
            return Err(WireError::Refused(format!("a client of node {entry} was not to wait: {got:?}")));
        }
        if began.elapsed() > SETTLE_TIMEOUT {
            return Err(WireError::Refused(format!("{waiting} clients wait, of {}", ENTRIES.len() * KEYS)));
        }
        looks.tick().await;
    }
}

/// Which node owns each key: its redirect port answers for it.
async fn owners(cluster: &mut ClusterProcess) -> Result<Vec<Option<usize>>, WireError> {
    let mut owners = vec![None; KEYS];
    for (at, node) in cluster.nodes.iter_mut().enumerate() {
        if !node.is_running() {
            continue;
        }
        let mut conn = Conn::open(node.redirect_addr()).await?;
        for (key, owner) in keys().zip(&mut owners) {
            match conn.call(&[b"EXISTS", key.as_bytes()]).await {
                Ok(_) => *owner = Some(at),
                Err(WireError::Refused(_)) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(owners)
}

/// Pushes one element of each number to each key, through one node after the other.
async fn push(conns: &mut [Conn], numbers: std::ops::Range<usize>) -> Result<(), WireError> {
    let mut pace = interval(PACE);
    for (turn, (number, key)) in numbers.flat_map(|number| keys().map(move |key| (number, key))).enumerate() {
        pace.tick().await;
        let conn = turn % conns.len();
        conns[conn].call(&[b"RPUSH", key.as_bytes(), format!("{key}/{number}").as_bytes()]).await?;
    }
    Ok(())
}

/// Takes what the clients of living nodes got, until each has something or nothing comes any more.
async fn collect(mut waiters: JoinSet<Waiter>, living: &[usize], report: &mut Report) {
    let mut seen = BTreeSet::new();
    let mut missing = report.waited;
    while missing > 0
        && let Ok(Some(Ok((entry, mut conn, got)))) = timeout(SETTLE_TIMEOUT, waiters.join_next()).await
    {
        if !living.contains(&entry) {
            continue;
        }
        missing -= 1;
        match got {
            Ok(element) => {
                report.served += 1;
                // A second element would be read in place of this reply.
                match conn.call(&[b"PING"]).await {
                    Ok(reply) if reply.as_bytes() == Some(b"PONG") => {}
                    other => report.errors.push(format!("behind {element}: {other:?}")),
                }
                if !seen.insert(element.clone()) {
                    report.twice.push(element);
                }
            }
            Err(error) => report.errors.push(format!("through node {entry}: {error}")),
        }
    }
}
