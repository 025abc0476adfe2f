//! Clients that keep asking, and remember what was acknowledged.

use std::{
    collections::BTreeMap,
    fmt,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use rondache_protocol::resp::value::Value;
use tokio::task::JoinHandle;

use crate::{
    progress::Progress,
    wire::{Conn, WireError},
};

/// What a client saw.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Commands that were answered.
    pub answered: u64,
    /// What went wrong, with how often; none is kept twice.
    pub errors: BTreeMap<String, u64>,
    /// The longest that a command took.
    pub slowest: Duration,
    /// Which command that was.
    pub slowest_command: &'static str,
    /// Acknowledged increments by counter.
    pub increments: BTreeMap<String, i64>,
    /// Acknowledged pushes by list.
    pub pushes: BTreeMap<String, i64>,
    /// Acknowledged values by key: the last of each.
    pub values: BTreeMap<String, String>,
    /// Reads that missed a key that had been acknowledged, or read another value.
    pub wrong: Vec<String>,
}

/// How the reports of scenarios put what was seen.
impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "commands answered        {}", self.answered)?;
        writeln!(f, "errors                   {}", self.error_count())?;
        writeln!(f, "slowest command          {:?} ({})", self.slowest, self.slowest_command)?;
        write!(f, "wrong reads              {}", self.wrong.len())
    }
}

impl Seen {
    /// Some of what went wrong, line by line, with what else did.
    ///
    /// # Errors
    /// Those of `f`.
    pub fn write_details(&self, f: &mut fmt::Formatter<'_>, others: &[String]) -> fmt::Result {
        let errors = self.errors.iter().map(|(error, count)| format!("{count} × {error}"));
        errors.chain(self.wrong.iter().chain(others).cloned()).take(20).try_for_each(|line| write!(f, "\n  {line}"))
    }

    /// How often something went wrong.
    #[must_use]
    pub fn error_count(&self) -> u64 {
        self.errors.values().sum()
    }

    /// Adds what another client saw.
    pub fn add(&mut self, other: Self) {
        self.answered += other.answered;
        for (error, count) in other.errors {
            *self.errors.entry(error).or_default() += count;
        }
        if other.slowest > self.slowest {
            (self.slowest, self.slowest_command) = (other.slowest, other.slowest_command);
        }
        for (counter, count) in other.increments {
            *self.increments.entry(counter).or_default() += count;
        }
        for (list, count) in other.pushes {
            *self.pushes.entry(list).or_default() += count;
        }
        self.values.extend(other.values);
        self.wrong.extend(other.wrong);
    }

    fn fail(&mut self, command: &'static str, error: &WireError) {
        *self.errors.entry(format!("{command}: {error}")).or_default() += 1;
    }
}

/// Clients at work in the background.
#[derive(Debug)]
pub struct Load {
    stop: Arc<AtomicBool>,
    progress: Arc<Progress>,
    clients: Vec<JoinHandle<Seen>>,
}

impl Load {
    /// Starts `clients` clients on each address. Each keeps one command under way at a time: SET, GET, INCR, LPUSH, HSET,
    /// DEL in turn, on keys of its own all over the keyspace, and checks what it reads.
    #[must_use]
    pub fn start(addrs: &[SocketAddr], clients: usize) -> Self {
        Self::start_on("", addrs, clients)
    }

    /// As [`Load::start`], on keys that no load of another `name` has.
    #[must_use]
    pub fn start_on(name: &str, addrs: &[SocketAddr], clients: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let progress = Arc::new(Progress::new(addrs.len() * clients));
        let of = |addr: SocketAddr, keys: String| {
            let (stop, progress) = (stop.clone(), progress.clone());
            tokio::spawn(async move {
                let seen = mixed_client(addr, keys, stop, &progress).await;
                progress.end();
                seen
            })
        };
        let clients = addrs.iter().flat_map(|&addr| (0..clients).map(move |index| (addr, index)));
        let clients = clients.map(|(addr, index)| of(addr, format!("{name}{addr}-{index}"))).collect();
        Self { stop, progress, clients }
    }

    /// Starts clients that all increment one counter through every address, `total` times together.
    #[must_use]
    pub fn hammer(addrs: &[SocketAddr], counter: &str, total: u64) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let share = total / addrs.len() as u64;
        let rest = total % addrs.len() as u64;
        let shares = addrs.iter().enumerate().map(|(at, &addr)| (addr, share + u64::from(at as u64 == 0) * rest));
        let clients = shares.map(|(addr, count)| tokio::spawn(hammering_client(addr, counter.to_owned(), count)));
        Self { stop, progress: Arc::new(Progress::new(addrs.len())), clients: clients.collect() }
    }

    /// Waits until the clients have had so many more answers, or have all ended.
    pub async fn work(&self, answers: u64) {
        self.progress.more(answers).await;
    }

    /// Lets the clients finish what they are at, and answers what they saw.
    pub async fn finish(self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        let mut seen = Seen::default();
        for client in self.clients {
            match client.await {
                Ok(of_one) => seen.add(of_one),
                Err(error) => *seen.errors.entry(format!("a client panicked: {error}")).or_default() += 1,
            }
        }
        seen
    }
}

/// Keys that one client works on at most: they go round.
const KEYS_OF_CLIENT: u64 = 2000;

async fn mixed_client(addr: SocketAddr, name: String, stop: Arc<AtomicBool>, progress: &Progress) -> Seen {
    let mut seen = Seen::default();
    let mut conn = match Conn::open(addr).await {
        Ok(conn) => conn,
        Err(error) => {
            seen.fail("connect", &error);
            return seen;
        }
    };
    let mut round: u64 = 0;
    while !stop.load(Ordering::Relaxed) {
        round += 1;
        let at = round / 6 % KEYS_OF_CLIENT;
        let command = ["SET", "GET", "INCR", "LPUSH", "HSET", "DEL"][(round % 6) as usize];
        let began = Instant::now();
        let result = one_command(&mut conn, &mut seen, command, &name, at, round).await;
        let took = began.elapsed();
        if took > seen.slowest {
            (seen.slowest, seen.slowest_command) = (took, command);
        }
        progress.count();
        match result {
            Ok(()) => seen.answered += 1,
            Err(error) => {
                seen.fail(command, &error);
                if !matches!(error, WireError::Refused(_)) {
                    // A connection that broke is one error, and the end of this client.
                    return seen;
                }
            }
        }
    }
    seen
}

async fn one_command(
    conn: &mut Conn,
    seen: &mut Seen,
    command: &'static str,
    name: &str,
    at: u64,
    round: u64,
) -> Result<(), WireError> {
    let key = |family: &str| format!("{family}:{name}:{at}");
    match command {
        "SET" => {
            let (key, value) = (key("value"), format!("{round}"));
            conn.call(&[b"SET", key.as_bytes(), value.as_bytes()]).await?;
            seen.values.insert(key, value);
        }
        "GET" => {
            let key = key("value");
            let reply = conn.call(&[b"GET", key.as_bytes()]).await?;
            let expected = seen.values.get(&key).map(String::as_bytes);
            if reply.as_bytes() != expected {
                seen.wrong.push(format!("{key}: {reply:?} instead of {expected:?}"));
            }
        }
        "INCR" => {
            let key = key("counter");
            conn.call(&[b"INCR", key.as_bytes()]).await?;
            *seen.increments.entry(key).or_default() += 1;
        }
        "LPUSH" => {
            let key = key("list");
            conn.call(&[b"LPUSH", key.as_bytes(), b"element"]).await?;
            *seen.pushes.entry(key).or_default() += 1;
        }
        "HSET" => {
            let key = key("hash");
            conn.call(&[b"HSET", key.as_bytes(), b"field", b"value"]).await?;
        }
        _ => {
            let key = key("gone");
            conn.call(&[b"DEL", key.as_bytes()]).await?;
        }
    }
    Ok(())
}

async fn hammering_client(addr: SocketAddr, counter: String, count: u64) -> Seen {
    /// Requests that are under way at once.
    const DEPTH: u64 = 10;
    let mut seen = Seen::default();
    let result: Result<(), WireError> = async {
        let mut conn = Conn::open(addr).await?;
        let mut left = count;
        while left > 0 {
            let depth = left.min(DEPTH);
            let began = Instant::now();
            conn.send(|out| {
                (0..depth).for_each(|_| crate::wire::encode(out, &[b"INCR", counter.as_bytes()]));
            })
            .await?;
            for _ in 0..depth {
                match conn.read().await? {
                    Value::Integer(_) => {
                        seen.answered += 1;
                        *seen.increments.entry(counter.clone()).or_default() += 1;
                    }
                    other => *seen.errors.entry(format!("INCR: {other:?}")).or_default() += 1,
                }
            }
            if began.elapsed() > seen.slowest {
                (seen.slowest, seen.slowest_command) = (began.elapsed(), "INCR");
            }
            left -= depth;
        }
        Ok(())
    }
    .await;
    if let Err(error) = result {
        seen.fail("INCR", &error);
    }
    seen
}

/// Writes `count` keys `prefix:0 …` with values that follow from their names, deeply pipelined.
///
/// # Errors
/// A write fails.
pub async fn fill(addr: SocketAddr, prefix: &str, count: u64, value_len: usize) -> Result<(), WireError> {
    const DEPTH: u64 = 200;
    let mut conn = Conn::open(addr).await?;
    let mut next = 0;
    while next < count {
        let end = (next + DEPTH).min(count);
        conn.send(|out| {
            for index in next..end {
                let (key, value) = (format!("{prefix}:{index}"), value_of(index, value_len));
                crate::wire::encode(out, &[b"SET", key.as_bytes(), value.as_bytes()]);
            }
        })
        .await?;
        for _ in next..end {
            if let Value::Error(text) = conn.read().await? {
                return Err(WireError::Refused(String::from_utf8_lossy(&text).into_owned()));
            }
        }
        next = end;
    }
    Ok(())
}

/// How many of the keys that [`fill`] wrote are missing or hold something else.
///
/// # Errors
/// A read fails.
pub async fn count_wrong(addr: SocketAddr, prefix: &str, count: u64, value_len: usize) -> Result<u64, WireError> {
    const DEPTH: u64 = 200;
    let mut conn = Conn::open(addr).await?;
    let (mut next, mut wrong) = (0, 0);
    while next < count {
        let end = (next + DEPTH).min(count);
        conn.send(|out| {
            for index in next..end {
                crate::wire::encode(out, &[b"GET", format!("{prefix}:{index}").as_bytes()]);
            }
        })
        .await?;
        for index in next..end {
            let reply = conn.read().await?;
            if let Value::Error(text) = &reply {
                return Err(WireError::Refused(String::from_utf8_lossy(text).into_owned()));
            }
            wrong += u64::from(reply.as_bytes() != Some(value_of(index, value_len).as_bytes()));
        }
        next = end;
    }
    Ok(wrong)
}

fn value_of(index: u64, len: usize) -> String {
    let mut value = format!("{index}:");
    value.extend(std::iter::repeat_n('x', len.saturating_sub(value.len())));
    value
}

/// Compares counters and lists with what was acknowledged; answers the differences.
///
/// # Errors
/// A read fails.
pub async fn differences(addr: SocketAddr, seen: &Seen) -> Result<Vec<String>, WireError> {
    let mut conn = Conn::open(addr).await?;
    let mut found = Vec::new();
    for (counter, &acknowledged) in &seen.increments {
        let reply = conn.call(&[b"GET", counter.as_bytes()]).await?;
        let value = reply.as_bytes().and_then(|text| std::str::from_utf8(text).ok()?.parse::<i64>().ok());
        if value != Some(acknowledged) {
            found.push(format!("{counter}: {value:?} after {acknowledged} acknowledged increments"));
        }
    }
    for (list, &acknowledged) in &seen.pushes {
        let reply = conn.call(&[b"LLEN", list.as_bytes()]).await?;
        if reply != Value::Integer(acknowledged) {
            found.push(format!("{list}: {reply:?} after {acknowledged} acknowledged pushes"));
        }
    }
    for (key, value) in &seen.values {
        let reply = conn.call(&[b"GET", key.as_bytes()]).await?;
        if reply.as_bytes() != Some(value.as_bytes()) {
            found.push(format!("{key}: {reply:?} instead of {value:?}"));
        }
    }
    Ok(found)
}
