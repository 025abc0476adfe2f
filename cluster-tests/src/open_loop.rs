//! Clients that ask at a fixed rate, whatever the answers do: a pause delays all that was due in it, and is counted so.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use rondache_protocol::resp::{decoder::ReplyDecoder, value::Value};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::mpsc,
    task::JoinHandle,
};

use crate::{progress::Progress, wire::encode};

/// Requests that are due are sent together this often.
const TICK: Duration = Duration::from_millis(1);
/// Requests under way on one connection at most; the schedule slips beyond it, and the latencies show that.
const UNANSWERED_MAX: usize = 100_000;

/// What is asked, and how fast.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// Requests a second, over all connections.
    pub rate: u64,
    /// Connections to each address.
    pub connections: usize,
    /// Of a hundred requests so many are SET, the others GET.
    pub writes_percent: u64,
    /// Keys `prefix:0 …`, all of which are there: a GET that finds none counts as a miss.
    pub prefix: String,
    /// How many keys there are.
    pub keys: u64,
    /// Bytes a value.
    pub value_len: usize,
}

/// What was seen since the last look.
#[derive(Clone, Debug)]
pub struct Window {
    /// Latencies in µs from the time that a request was due.
    pub latency_us: Histogram<u64>,
    /// Error replies, and connections that broke.
    pub errors: u64,
    /// Reads of present keys that found nothing.
    pub misses: u64,
    /// The first error's text.
    pub first_error: Option<String>,
}

impl Default for Window {
    fn default() -> Self {
        let latency_us = Histogram::new_with_bounds(1, 60_000_000, 3).expect("constant bounds");
        Self { latency_us, errors: 0, misses: 0, first_error: None }
    }
}

impl Window {
    fn add(&mut self, other: &Self) {
        self.latency_us.add(&other.latency_us).expect("equal bounds");
        self.errors += other.errors;
        self.misses += other.misses;
        self.first_error = self.first_error.take().or_else(|| other.first_error.clone());
    }

    /// The latency that so many percent of the requests stayed below.
    #[must_use]
    pub fn percentile(&self, percent: f64) -> Duration {
        Duration::from_micros(self.latency_us.value_at_percentile(percent))
    }
}

/// The clients at work.
#[derive(Debug)]
pub struct OpenLoop {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    progress: Arc<Progress>,
    windows: Vec<Arc<parking_lot::Mutex<Window>>>,
    tasks: Vec<JoinHandle<()>>,
}

/// A request under way: when it was due, and whether it reads.
type Due = (Instant, bool);

impl OpenLoop {
    /// Connects and begins.
    ///
    /// # Errors
    /// A node does not accept.
    pub async fn start(addrs: &[SocketAddr], schedule: &Schedule) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let sent = Arc::new(AtomicU64::new(0));
        let (mut windows, mut tasks) = (Vec::new(), Vec::new());
        let count = (addrs.len() * schedule.connections) as u64;
        let progress = Arc::new(Progress::new(count as usize));
        for index in 0..count {
            let stream = TcpStream::connect(addrs[index as usize % addrs.len()]).await?;
            stream.set_nodelay(true)?;
            let (read, write) = stream.into_split();
            let window = Arc::new(parking_lot::Mutex::new(Window::default()));
            let (due, dues) = mpsc::channel(UNANSWERED_MAX);
            let interval = Duration::from_nanos(1_000_000_000 * count / schedule.rate.max(1));
            let asker = Asker { schedule: schedule.clone(), interval, due, stop: stop.clone(), sent: sent.clone() };
            tasks.push(tokio::spawn(asker.run(write, index)));
            tasks.push(tokio::spawn({
                let (progress, window) = (progress.clone(), window.clone());
                async move {
                    listen(read, dues, &window, &progress).await;
                    progress.end();
                }
            }));
            windows.push(window);
        }
        Ok(Self { stop, sent, progress, windows, tasks })
    }

    /// What was seen since the last call.
    #[must_use]
    pub fn take_window(&self) -> Window {
        let mut sum = Window::default();
        for window in &self.windows {
            sum.add(&std::mem::take(&mut *window.lock()));
        }
        sum
    }

    /// Waits until so many more requests have been answered, or all connections are broken.
    pub async fn work(&self, answers: u64) {
        self.progress.more(answers).await;
    }

    /// Requests sent so far.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Sends nothing more, waits for the answers, and tells what was seen since the last look.
    pub async fn finish(mut self) -> Window {
        self.stop.store(true, Ordering::Relaxed);
        for task in std::mem::take(&mut self.tasks) {
            if tokio::time::timeout(crate::wire::PATIENCE, task).await.is_err() {
                self.windows[0].lock().errors += 1;
            }
        }
        self.take_window()
    }
}

struct Asker {
    schedule: Schedule,
    interval: Duration,
    due: mpsc::Sender<Due>,
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
}

impl Asker {
    async fn run(self, mut write: OwnedWriteHalf, seed: u64) {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut ticks = tokio::time::interval(TICK);
        let value = vec![b'v'; self.schedule.value_len];
        let mut out = Vec::new();
        let mut due = Instant::now();
        while !self.stop.load(Ordering::Relaxed) {
            ticks.tick().await;
            out.clear();
            let now = Instant::now();
            while due <= now {
                let key = format!("{}:{}", self.schedule.prefix, rng.u64(..self.schedule.keys));
                let is_read = rng.u64(..100) >= self.schedule.writes_percent;
                if is_read {
                    encode(&mut out, &[b"GET", key.as_bytes()]);
                } else {
                    encode(&mut out, &[b"SET", key.as_bytes(), &value]);
                }
                if self.due.send((due, is_read)).await.is_err() {
                    return;
                }
                self.sent.fetch_add(1, Ordering::Relaxed);
                due += self.interval;
            }
            if !out.is_empty() && write.write_all(&out).await.is_err() {
                return;
            }
        }
    }
}

async fn listen(
    mut read: OwnedReadHalf,
    mut dues: mpsc::Receiver<Due>,
    window: &parking_lot::Mutex<Window>,
    progress: &Progress,
) {
    let mut decoder = ReplyDecoder::default();
    let mut unread: Vec<u8> = Vec::with_capacity(64 * 1024);
    let mut replies: VecDeque<Value> = VecDeque::new();
    while let Some((due, is_read)) = dues.recv().await {
        while replies.is_empty() {
            if !matches!(read.read_buf(&mut unread).await, Ok(len) if len > 0) {
                let mut window = window.lock();
                window.errors += 1;
                window.first_error.get_or_insert_with(|| "the connection broke".to_owned());
                return;
            }
            let mut at = 0;
            while let Ok(decoded) = decoder.decode(&unread[at..]) {
                at += decoded.consumed;
                match decoded.value {
                    Some(value) => replies.push_back(value),
                    None => break,
                }
            }
            unread.drain(..at);
        }
        progress.count();
        let mut window = window.lock();
        match replies.pop_front() {
            Some(Value::Error(text)) => {
                window.errors += 1;
                window.first_error.get_or_insert_with(|| String::from_utf8_lossy(&text).into_owned());
            }
            Some(Value::Null) if is_read => window.misses += 1,
            _ => {}
        }
        window.latency_us.saturating_record(due.elapsed().as_micros().max(1) as u64);
    }
}
