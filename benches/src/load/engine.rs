//! The loop that drives all connections from one thread.
//!
//! One thread and one epoll set, so that a single core can keep a server busy. A closed loop sends a batch of
//! `pipeline` requests on a connection once the batch before it is answered; an open loop sends each request at its own
//! time, whatever the server does, and measures from that time, so that a stalled server cannot hide its stall.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};

use crate::error::{BenchError, Context, Result};
use crate::load::Workload;
use crate::load::outcome::Outcome;
use crate::load::schedule::{Schedule, Stop};
use crate::net::encode::push_request;
use crate::net::{Reply, ReplySkipper, Value};

/// One read takes at most this much.
const READ_BUFFER_BYTES: usize = 256 << 10;
/// Requests that an open loop lets wait on one connection; further ones are sent late, and measured as late.
const OPEN_OUTSTANDING_MAX: u64 = 1024;
/// A server that answers nothing for so long has stalled.
const STALL_LIMIT: Duration = Duration::from_secs(30);
/// Epoll's timer is too coarse below this, so shorter waits of an open loop spin.
const SPIN_BELOW: Duration = Duration::from_millis(2);
const PROGRESS_EVERY_NS: u64 = 100_000_000;

/// How a load is run.
#[derive(Debug, Clone)]
pub struct LoadPlan {
    /// The server.
    pub addr: SocketAddr,
    /// Number of connections.
    pub connections: usize,
    /// Requests in a batch of the closed loop.
    pub pipeline: u64,
    /// When to end.
    pub stop: Stop,
    /// Requests per second of an open loop.
    pub rate: Option<f64>,
    /// Say `HELLO 3` first.
    pub resp3: bool,
}

/// A run in progress.
#[derive(Debug)]
pub struct Engine {
    plan: LoadPlan,
    poll: Poll,
    connections: Vec<Connection>,
    schedule: Schedule,
    outcome: Outcome,
    start: Instant,
    outstanding: u64,
    /// The connection that gets the next request of an open loop.
    turn: usize,
    buffer: Vec<u8>,
}

#[derive(Debug)]
struct Connection {
    stream: mio::net::TcpStream,
    out: Vec<u8>,
    written: usize,
    skipper: ReplySkipper,
    /// Send times in nanoseconds, each with the replies still due for it.
    due: VecDeque<(u64, u64)>,
    outstanding: u64,
}

impl Engine {
    /// Runs `workload` against the plan's server and calls `on_progress` with the replies so far, about ten times a second.
    ///
    /// # Errors
    /// Connection failures, malformed replies and stalls. Error replies are counted in the outcome instead.
    pub fn run(plan: &LoadPlan, workload: &mut impl Workload, on_progress: impl FnMut(u64)) -> Result<Outcome> {
        if plan.connections == 0 || plan.pipeline == 0 {
            return Err(BenchError::Usage("connections and pipeline must be at least 1".to_owned()));
        }
        let mut engine = Engine::connect(plan)?;
        engine.start = Instant::now();
        engine.drive(workload, on_progress)?;
        engine.outcome.elapsed = engine.start.elapsed();
        Ok(engine.outcome)
    }

    fn connect(plan: &LoadPlan) -> Result<Self> {
        let poll = Poll::new().context(|| "creating an epoll instance".into())?;
        let mut connections = Vec::with_capacity(plan.connections);
        for index in 0..plan.connections {
            let mut connection = Connection::open(plan)?;
            poll.registry()
                .register(&mut connection.stream, Token(index), Interest::READABLE | Interest::WRITABLE)
                .context(|| "registering a socket".into())?;
            connections.push(connection);
        }
        Ok(Self {
            plan: plan.clone(),
            poll,
            connections,
            schedule: Schedule::new(plan.stop, plan.rate),
            outcome: Outcome::default(),
            start: Instant::now(),
            outstanding: 0,
            turn: 0,
            buffer: vec![0; READ_BUFFER_BYTES],
        })
    }

    fn now_ns(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }

    fn drive(&mut self, workload: &mut impl Workload, mut on_progress: impl FnMut(u64)) -> Result<()> {
        let mut events = Events::with_capacity(1024);
        let mut heard_ns = 0;
        let mut progress_ns = PROGRESS_EVERY_NS;
        if !self.schedule.is_open() {
            for index in 0..self.connections.len() {
                self.issue_batch(index, workload)?;
            }
        }
        loop {
            if self.schedule.is_open() {
                self.issue_due(workload)?;
            }
            let next_due_ns = self.schedule.next_due_ns();
            if self.outstanding == 0 && next_due_ns.is_none() {
                return Ok(());
            }
            let timeout = self.poll_timeout(next_due_ns);
            match self.poll.poll(&mut events, Some(timeout)) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other.context(|| "waiting for sockets".into())?,
            }
            for event in &events {
                let index = event.token().0;
                self.flush(index)?;
                if event.is_readable() || event.is_read_closed() || event.is_error() {
                    self.read(index)?;
                    heard_ns = self.now_ns();
                    if self.connections[index].outstanding == 0 && !self.schedule.is_open() {
                        self.issue_batch(index, workload)?;
                    }
                }
            }
            let now_ns = self.now_ns();
            if now_ns >= progress_ns {
                progress_ns = now_ns + PROGRESS_EVERY_NS;
                on_progress(self.outcome.requests);
            }
            if self.outstanding == 0 {
                heard_ns = now_ns;
            }
            if now_ns.saturating_sub(heard_ns) > STALL_LIMIT.as_nanos() as u64 {
                return Err(BenchError::Stalled {
                    addr: self.plan.addr,
                    seconds: STALL_LIMIT.as_secs(),
                    outstanding: self.outstanding,
                });
            }
        }
    }

    fn poll_timeout(&self, next_due_ns: Option<u64>) -> Duration {
        match next_due_ns {
            None => Duration::from_millis(500),
            Some(due_ns) => {
                let wait = Duration::from_nanos(due_ns.saturating_sub(self.now_ns()));
                wait.saturating_sub(SPIN_BELOW).min(Duration::from_millis(500))
            }
        }
    }

    /// Sends the next batch of a closed loop.
    fn issue_batch(&mut self, index: usize, workload: &mut impl Workload) -> Result<()> {
        let now_ns = self.now_ns();
        let count = self.schedule.take(self.plan.pipeline, now_ns);
        if count == 0 {
            return Ok(());
        }
        let connection = &mut self.connections[index];
        for _ in 0..count {
            workload.encode(&mut connection.out);
        }
        connection.outstanding += count;
        connection.due.push_back((now_ns, count));
        self.outstanding += count;
        self.flush(index)
    }

    /// Sends every request of an open loop whose time has come.
    fn issue_due(&mut self, workload: &mut impl Workload) -> Result<()> {
        let now_ns = self.now_ns();
        let mut skipped = 0;
        while let Some(due_ns) = self.schedule.next_due_ns().filter(|&due_ns| due_ns <= now_ns) {
            let index = self.turn;
            self.turn = (self.turn + 1) % self.connections.len();
            let connection = &mut self.connections[index];
            if connection.outstanding >= OPEN_OUTSTANDING_MAX {
                skipped += 1;
                if skipped == self.connections.len() {
                    break;
                }
                continue;
            }
            skipped = 0;
            workload.encode(&mut connection.out);
            connection.outstanding += 1;
            connection.due.push_back((due_ns, 1));
            self.outstanding += 1;
            self.schedule.advance();
        }
        for index in 0..self.connections.len() {
            self.flush(index)?;
        }
        Ok(())
    }

    fn flush(&mut self, index: usize) -> Result<()> {
        let addr = self.plan.addr;
        let connection = &mut self.connections[index];
        while connection.written < connection.out.len() {
            match connection.stream.write(&connection.out[connection.written..]) {
                Ok(n) => {
                    connection.written += n;
                    self.outcome.bytes_out += n as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error).context(|| format!("writing to {addr}")),
            }
        }
        connection.out.clear();
        connection.written = 0;
        Ok(())
    }

    fn read(&mut self, index: usize) -> Result<()> {
        loop {
            let read = self.connections[index].stream.read(&mut self.buffer);
            match read {
                Ok(0) => {
                    return Err(BenchError::ConnectionClosed {
                        addr: self.plan.addr,
                        outstanding: self.connections[index].outstanding,
                    });
                }
                Ok(n) => {
                    self.outcome.bytes_in += n as u64;
                    self.digest(index, n)?;
                    // The socket is drained when a read comes back short; more data raises a new edge.
                    if n < self.buffer.len() {
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let addr = self.plan.addr;
                    return Err(error).context(|| format!("reading from {addr}"));
                }
            }
        }
    }

    /// Counts the replies in the first `n` bytes of the buffer and records their latencies.
    fn digest(&mut self, index: usize, n: usize) -> Result<()> {
        let now_ns = self.now_ns();
        let connection = &mut self.connections[index];
        let outcome = &mut self.outcome;
        let mut completed = 0;
        connection.skipper.feed(&self.buffer[..n], |reply| {
            completed += 1;
            match reply {
                Reply::Value => {}
                Reply::Null => outcome.nulls += 1,
                Reply::Error(line) => outcome.count_error(line),
            }
        })?;
        if completed > connection.outstanding {
            return Err(BenchError::Protocol("more replies than requests".to_owned()));
        }
        connection.outstanding -= completed;
        self.outstanding -= completed;
        outcome.requests += completed;
        while completed > 0 {
            let Some((sent_ns, due)) = connection.due.front_mut() else {
                break;
            };
            let step = completed.min(*due);
            outcome.latencies.record(now_ns.saturating_sub(*sent_ns), step);
            *due -= step;
            completed -= step;
            if *due == 0 {
                connection.due.pop_front();
            }
        }
        Ok(())
    }
}

impl Connection {
    fn open(plan: &LoadPlan) -> Result<Self> {
        let addr = plan.addr;
        let mut stream = std::net::TcpStream::connect_timeout(&addr, Duration::from_secs(5))
            .context(|| format!("connecting to {addr}"))?;
        stream.set_nodelay(true).context(|| "setting TCP_NODELAY".into())?;
        if plan.resp3 {
            let mut hello = Vec::new();
            push_request(&mut hello, &[b"HELLO", b"3"]);
            stream.write_all(&hello).context(|| format!("saying HELLO to {addr}"))?;
            let mut reader = io::BufReader::with_capacity(4096, &stream);
            if let Value::Error(reply) = Value::read(&mut reader).context(|| format!("saying HELLO to {addr}"))? {
                return Err(BenchError::Refused { command: "HELLO 3".to_owned(), reply });
            }
        }
        stream.set_nonblocking(true).context(|| "making a socket non-blocking".into())?;
        Ok(Self {
            stream: mio::net::TcpStream::from_std(stream),
            out: Vec::new(),
            written: 0,
            skipper: ReplySkipper::new(),
            due: VecDeque::new(),
            outstanding: 0,
        })
    }
}
