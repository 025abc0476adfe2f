//! Clients read and change the same few keys through every node while slots move; what they saw is then judged key by key.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use rondache_linearizable::{Action, Operation, Violation, check};
use rondache_protocol::resp::value::Value;
use tokio::task::JoinHandle;

use crate::{
    process::ClusterProcess,
    wire::{Conn, WireError},
};

/// Few enough for clients to meet at each, and enough for some to be of slots that move.
const KEYS: usize = 24;
const CLIENTS: usize = 8;

/// What was seen.
#[derive(Debug)]
pub struct Report {
    /// What the clients' choices follow from.
    pub seed: u64,
    /// How many commands were answered.
    pub operations: usize,
    /// Commands that were refused, or not answered.
    pub errors: Vec<String>,
    /// Keys of which somebody saw what cannot have been, with the first such command.
    pub violations: Vec<(usize, Violation)>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed                     {}", self.seed)?;
        writeln!(f, "commands answered        {}", self.operations)?;
        writeln!(f, "errors                   {}", self.errors.len())?;
        write!(f, "keys out of order        {} of {KEYS}", self.violations.len())?;
        self.errors.iter().take(5).try_for_each(|error| write!(f, "\n  {error}"))?;
        self.violations.iter().take(5).try_for_each(|(key, violation)| write!(f, "\n  register:{key}: {violation:?}"))
    }
}

/// What one client did: the key of each operation, and why it ended early.
type Seen = (Vec<(usize, Operation)>, Option<String>);

/// Three nodes serve; a fourth joins and then leaves in order.
///
/// # Errors
/// A node that should serve does not.
pub async fn run(seed: u64) -> Result<Report, WireError> {
    let mut cluster = tokio::task::block_in_place(|| ClusterProcess::start(3, &[]));
    let addrs = cluster.addrs(&[0, 1, 2]);
    let (began, is_over) = (Instant::now(), Arc::new(AtomicBool::new(false)));
    let mut clients: Vec<JoinHandle<Seen>> = Vec::new();
    for number in 0..CLIENTS {
        let mut conns = Vec::new();
        for addr in &addrs {
            conns.push(Conn::open(*addr).await?);
        }
        let client = Client { number, rng: fastrand::Rng::with_seed(seed + number as u64), conns, began };
        clients.push(tokio::spawn(client.work(is_over.clone())));
    }
    tokio::task::block_in_place(|| cluster.join_and_leave());
    is_over.store(true, Ordering::Relaxed);
    let (mut histories, mut errors) = (vec![Vec::new(); KEYS], Vec::new());
    for client in clients {
        let (seen, error) = client.await.map_err(std::io::Error::other)?;
        seen.into_iter().for_each(|(key, operation)| histories[key].push(operation));
        errors.extend(error);
    }
    let operations = histories.iter().map(Vec::len).sum();
    let judged = histories.iter().enumerate().map(|(key, history)| (key, check(history)));
    let violations = judged.filter_map(|(key, checked)| Some((key, checked.err()?))).collect();
    Ok(Report { seed, operations, errors, violations })
}

struct Client {
    number: usize,
    rng: fastrand::Rng,
    /// One to each node.
    conns: Vec<Conn>,
    began: Instant,
}

impl Client {
    async fn work(mut self, is_over: Arc<AtomicBool>) -> Seen {
        let mut seen = Vec::new();
        while !is_over.load(Ordering::Relaxed) {
            let key = self.rng.usize(..KEYS);
            let called = self.began.elapsed();
            match self.ask(&format!("register:{key}")).await {
                Ok(action) => {
                    let returned = self.began.elapsed();
                    seen.push((key, Operation { client: self.number, action, called, returned: Some(returned) }));
                }
                Err(error) => return (seen, Some(format!("register:{key}: {error}"))),
            }
        }
        (seen, None)
    }

    /// One command through one of the nodes.
    async fn ask(&mut self, key: &str) -> Result<Action, WireError> {
        let node = self.rng.usize(..self.conns.len());
        let (conn, key) = (&mut self.conns[node], key.as_bytes());
        let wrong = |reply: &Value| WireError::Refused(format!("{reply:?}"));
        match self.rng.u8(..8) {
            0 => {
                let value = self.rng.i64(..1 << 40);
                conn.call(&[b"SET", key, value.to_string().as_bytes()]).await?;
                Ok(Action::Write(value))
            }
            1 => match conn.call(&[b"DEL", key]).await? {
                Value::Integer(count) => Ok(Action::Delete(count == 1)),
                reply => Err(wrong(&reply)),
            },
            2..4 => match conn.call(&[b"INCR", key]).await? {
                Value::Integer(result) => Ok(Action::Increment(result)),
                reply => Err(wrong(&reply)),
            },
            _ => match conn.call(&[b"GET", key]).await? {
                Value::Null => Ok(Action::Read(None)),
                reply => {
                    let number = reply.as_bytes().and_then(|bytes| std::str::from_utf8(bytes).ok()?.parse().ok());
                    Ok(Action::Read(Some(number.ok_or_else(|| wrong(&reply))?)))
                }
            },
        }
    }
}
