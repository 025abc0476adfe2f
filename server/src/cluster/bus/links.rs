//! Sending control messages to members: one connection per member, opened when it is first needed.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use parking_lot::Mutex;
use rondache_protocol::bus::identity::Identity;
use tokio::sync::{mpsc, watch};

use super::{
    control::{CONTROL_KIND, Control, to_frame},
    credentials::Credentials,
    link::{self, Link},
};
use crate::cluster::member::View;

/// Messages that wait for one member's link. When it is full, the newest message is dropped and counted: what matters is
/// reconciled later, and older messages must not be overtaken.
pub const QUEUE_LEN_MAX: usize = 1024;
/// Bytes that wait for one member's link; beyond it, the same rule holds.
pub const QUEUE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Sends control messages to members. Cheap to clone, usable from any thread.
#[derive(Clone)]
pub struct ControlLinks {
    shared: Arc<Shared>,
}

struct Shared {
    /// A leaf lock, held for a look-up only.
    queues: Mutex<HashMap<Identity, Queue>>,
    /// To the keeper, which runs the links. As many wait there as there are members at most.
    opened: mpsc::UnboundedSender<Opened>,
    dropped: AtomicU64,
}

struct Queue {
    frames: mpsc::Sender<Vec<u8>>,
    queued_bytes: Arc<AtomicUsize>,
}

/// A link that is to be run.
struct Opened {
    to: Identity,
    frames: mpsc::Receiver<Vec<u8>>,
    queued_bytes: Arc<AtomicUsize>,
}

impl fmt::Debug for ControlLinks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} control links", self.shared.queues.lock().len())
    }
}

/// Runs the links, on the cluster's thread.
pub(in crate::cluster) struct Keeper {
    links: ControlLinks,
    opened: mpsc::UnboundedReceiver<Opened>,
}

impl ControlLinks {
    /// Links, and who has to run them.
    pub(in crate::cluster) fn new() -> (Self, Keeper) {
        let (sender, opened) = mpsc::unbounded_channel();
        let shared = Shared { queues: Mutex::default(), opened: sender, dropped: AtomicU64::new(0) };
        let links = Self { shared: Arc::new(shared) };
        (links.clone(), Keeper { links, opened })
    }

    /// Queues a message for a member; answers whether it was taken. A message that was taken may still be lost.
    pub fn send(&self, to: Identity, message: &Control) -> bool {
        match to_frame(CONTROL_KIND, message) {
            Ok(frame) => self.send_frame(to, frame),
            Err(error) => {
                tracing::error!(%error, "a control message cannot be sent");
                false
            }
        }
    }

    /// Queues a message for several members, encoding it once; answers how many took it.
    pub fn send_all(&self, to: impl IntoIterator<Item = Identity>, message: &Control) -> usize {
        match to_frame(CONTROL_KIND, message) {
            Ok(frame) => to.into_iter().filter(|to| self.send_frame(*to, frame.clone())).count(),
            Err(error) => {
                tracing::error!(%error, "a control message cannot be sent");
                0
            }
        }
    }

    /// Opens the link to a member before there is anything to send, so that its end is noticed at once.
    pub fn open(&self, to: Identity) {
        let mut queues = self.shared.queues.lock();
        if queues.get(&to).is_none_or(|queue| queue.frames.is_closed()) {
            queues.insert(to, self.opened(to));
        }
    }

    /// Messages that were dropped because a queue was full.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }

    /// How many links are open or being opened.
    #[must_use]
    pub fn count(&self) -> usize {
        self.shared.queues.lock().values().filter(|queue| !queue.frames.is_closed()).count()
    }

    fn send_frame(&self, to: Identity, frame: Vec<u8>) -> bool {
        let mut queues = self.shared.queues.lock();
        let queue = queues.entry(to).or_insert_with(|| self.opened(to));
        if queue.frames.is_closed() {
            *queue = self.opened(to);
        }
        let len = frame.len();
        let has_room = queue.queued_bytes.fetch_add(len, Ordering::Relaxed) + len <= QUEUE_BYTES_MAX;
        if has_room && queue.frames.try_send(frame).is_ok() {
            return true;
        }
        queue.queued_bytes.fetch_sub(len, Ordering::Relaxed);
        self.shared.dropped.fetch_add(1, Ordering::Relaxed);
        false
    }

    fn opened(&self, to: Identity) -> Queue {
        let (sender, frames) = mpsc::channel(QUEUE_LEN_MAX);
        let queued_bytes = Arc::new(AtomicUsize::new(0));
        // Fails only while the node shuts down.
        let _ = self.shared.opened.send(Opened { to, frames, queued_bytes: queued_bytes.clone() });
        Queue { frames: sender, queued_bytes }
    }
}

impl Keeper {
    /// Runs links until this future is dropped. Members that are proven to be absent are told to `absent`.
    pub(in crate::cluster) async fn run(
        mut self,
        credentials: Arc<Credentials>,
        view: watch::Receiver<Arc<View>>,
        absent: mpsc::Sender<Identity>,
    ) {
        let mut tasks = tokio::task::JoinSet::new();
        loop {
            tokio::select! {
                Some(Opened { to, frames, queued_bytes }) = self.opened.recv() => {
                    let link = Link {
                        to,
                        frames,
                        queued_bytes,
                        credentials: credentials.clone(),
                        view: view.clone(),
                        absent: absent.clone(),
                    };
                    tasks.spawn(async move {
                        link::run(link).await;
                        to
                    });
                }
                Some(ended) = tasks.join_next() => {
                    if let Ok(to) = ended {
                        self.forget(to);
                    }
                }
                else => return,
            }
        }
    }

    fn forget(&self, to: Identity) {
        let mut queues = self.links.shared.queues.lock();
        if queues.get(&to).is_some_and(|queue| queue.frames.is_closed()) {
            queues.remove(&to);
        }
    }
}
