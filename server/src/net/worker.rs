//! Data-plane threads: each runs its own single-threaded runtime over its own share of the connections.

use std::{
    cell::RefCell,
    io,
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use crossbeam_utils::CachePadded;
use rondache_protocol::bus::forward::Status;
use tokio::sync::mpsc;

use super::connection::Connection;
use crate::{
    cluster::{
        forward::{broadcast, links::Links, owner::PeerConnection, slot_set::SlotSet},
        replication::withheld::Withheld,
    },
    config::settings::SettingsView,
    node::{Node, stats::WorkerStats},
    session::{batch::Batch, mailbox::CloseReason, timing::SharedRuns},
    store::keyspace::Written,
};

/// Bytes read at once; requests are parsed right out of this buffer, which stays in the processor's cache.
pub const READ_BUF_LEN: usize = 64 * 1024;

/// Accepted sockets that wait for a worker; the listener pauses when it is full.
pub const HANDOVER_LEN_MAX: usize = 256;

/// What the connections of one worker share.
pub(crate) struct Worker {
    pub(crate) read_buf: Box<[u8]>,
    pub(crate) out: Vec<u8>,
    pub(crate) batch: Batch,
    pub(crate) rng: fastrand::Rng,
    pub(crate) settings: SettingsView,
    pub(crate) shared_runs: SharedRuns,
    pub(crate) stats: Arc<CachePadded<WorkerStats>>,
    /// The way to other nodes.
    pub(crate) links: Links,
    /// Slots of which a request of the running batch waits elsewhere: later ones must not overtake it.
    pub(crate) refused: SlotSet,
    /// Writes of the running batch that copies must confirm before their replies are sent.
    pub(crate) withheld: Vec<Withheld>,
    /// Where slots stand with what the running batch of another node wrote.
    pub(crate) written: Vec<Written>,
    /// Room for where the replies to another node's requests end.
    pub(crate) ends: Vec<(Status, usize)>,
}

impl Worker {
    /// One that reads nothing.
    pub(crate) fn without_sockets(node: &Arc<Node>) -> Self {
        Self {
            read_buf: Box::default(),
            out: Vec::with_capacity(READ_BUF_LEN),
            batch: Batch::default(),
            rng: fastrand::Rng::new(),
            settings: node.settings.view(),
            shared_runs: SharedRuns::new(),
            stats: node.stats.register(),
            links: Links::new(fastrand::u64(..)),
            refused: SlotSet::default(),
            withheld: Vec::new(),
            written: Vec::new(),
            ends: Vec::new(),
        }
    }
}

thread_local! {
    static WORKER: RefCell<Option<Worker>> = const { RefCell::new(None) };
}

/// Runs `work` with this thread's worker. Never across an await: the worker is shared by the thread's connections.
pub(crate) fn with_worker<R>(work: impl FnOnce(&mut Worker) -> R) -> R {
    WORKER.with_borrow_mut(|worker| work(worker.as_mut().expect("connections run on worker threads only")))
}

/// A socket for a worker.
#[derive(Debug)]
pub enum Incoming {
    /// A client's.
    Client(TcpStream),
    /// Another node's, over which it sends requests.
    Peer(TcpStream),
    /// Something else to do on the worker's thread: a replication stream.
    Job(Job),
}

/// Begins a task on a worker's thread, inside of its runtime. The task ends with the thread.
pub struct Job(pub Box<dyn FnOnce() + Send>);

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Job")
    }
}

/// Hands sockets to the workers.
#[derive(Clone, Debug)]
pub struct Workers {
    senders: Arc<[mpsc::Sender<Incoming>]>,
    next_peer: Arc<AtomicUsize>,
}

impl Workers {
    /// Starts `count` threads, which end when the node shuts down.
    ///
    /// # Errors
    /// The system refuses a thread or a runtime.
    pub fn start(node: &Arc<Node>, count: usize) -> io::Result<(Self, Vec<thread::JoinHandle<()>>)> {
        let mut senders = Vec::new();
        let mut threads = Vec::new();
        for index in 0..count {
            let (sender, receiver) = mpsc::channel(HANDOVER_LEN_MAX);
            let node = node.clone();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            threads.push(
                thread::Builder::new()
                    .name(format!("worker-{index}"))
                    .spawn(move || run(index, runtime, node, receiver))?,
            );
            senders.push(sender);
        }
        Ok((Self { senders: senders.into(), next_peer: Arc::default() }, threads))
    }

    /// Gives a connection of another node, over which it sends requests, to a worker; `false`: all are too busy to take
    /// it, or have ended.
    pub fn serve_peer(&self, stream: TcpStream) -> bool {
        let first = self.next_peer.fetch_add(1, Ordering::Relaxed);
        let mut incoming = Incoming::Peer(stream);
        for turn in 0..self.senders.len() {
            match self.senders[(first + turn) % self.senders.len()].try_send(incoming) {
                Ok(()) => return true,
                Err(mpsc::error::TrySendError::Full(back) | mpsc::error::TrySendError::Closed(back)) => incoming = back,
            }
        }
        false
    }

    /// Runs a task on a worker's thread; waits where that one is behind. `turn` chooses the worker.
    pub async fn spawn(&self, turn: usize, task: impl Future<Output = ()> + Send + 'static) {
        let job = Job(Box::new(|| drop(tokio::spawn(task))));
        self.hand_over(Incoming::Job(job), turn).await;
    }

    /// Gives the next socket to a worker, in turn; waits where that one is behind.
    pub async fn hand_over(&self, incoming: Incoming, turn: usize) {
        // A worker that is gone has shut down, and its connections with it.
        let _ = self.senders[turn % self.senders.len()].send(incoming).await;
    }
}

fn run(index: usize, runtime: tokio::runtime::Runtime, node: Arc<Node>, mut sockets: mpsc::Receiver<Incoming>) {
    node.memory.meter_this_thread();
    let worker = Worker { read_buf: vec![0; READ_BUF_LEN].into_boxed_slice(), ..Worker::without_sockets(&node) };
    node.hub.tracking.add_origin(worker.links.origin());
    WORKER.set(Some(worker));
    runtime.block_on(async {
        let tracker = tokio_util::task::TaskTracker::new();
        if index == 0 {
            // One worker sends what all publish, so that the messages of one client keep their order.
            tokio::spawn(broadcast::run(node.clone()));
        }
        loop {
            tokio::select! {
                biased;
                () = node.shutdown.cancelled() => break,
                socket = sockets.recv() => {
                    let begun = match socket {
                        Some(Incoming::Client(socket)) => {
                            Connection::new(socket, &node).map(|connection| drop(tracker.spawn(connection.run())))
                        }
                        // It may outlive the clients: others wait for its replies.
                        Some(Incoming::Peer(socket)) => {
                            PeerConnection::new(socket, &node).map(|connection| drop(tokio::spawn(connection.run())))
                        }
                        Some(Incoming::Job(Job(begin))) => {
                            begin();
                            Ok(())
                        }
                        None => break,
                    };
                    if let Err(error) = begun {
                        tracing::debug!(%error, "a connection ended before it began");
                    }
                }
            }
        }
        // From here on no connection is admitted on this thread, so that none misses the order to end.
        for client in node.clients.all() {
            client.mailbox.close(CloseReason::Shutdown);
        }
        tracker.close();
        let patience = Duration::from_secs(node.settings.load().shutdown_timeout_s);
        if tokio::time::timeout(patience, tracker.wait()).await.is_err() {
            tracing::warn!(connections = tracker.len(), "cutting off clients that do not take their replies");
        }
    });
    WORKER.set(None);
}
