//! What the rest of the node may know of a connection, and the registry of all connections.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use dashmap::DashMap;
use parking_lot::Mutex;

use super::mailbox::Mailbox;

/// A connection as others see it.
#[derive(Debug)]
pub struct Client {
    /// Unique during the node's life; never 0.
    pub id: u64,
    /// The peer.
    pub addr: SocketAddr,
    /// Our end.
    pub local_addr: SocketAddr,
    /// When it connected (unix ms).
    pub created_ms: u64,
    /// Messages for it.
    pub mailbox: Mailbox,
    /// When it last sent something (unix ms).
    pub active_ms: AtomicU64,
    /// Facts for CLIENT LIST; the connection updates them where they change.
    pub facts: Mutex<ClientFacts>,
    /// Bytes received.
    pub bytes_in: AtomicU64,
    /// Bytes sent.
    pub bytes_out: AtomicU64,
    /// Commands executed.
    pub commands: AtomicU64,
    /// Table index of the last command; `u64::MAX`: none yet.
    pub last_command: AtomicU64,
}

/// What CLIENT LIST tells of a connection besides counters.
#[derive(Clone, Debug, Default)]
pub struct ClientFacts {
    /// CLIENT SETNAME
    pub name: String,
    /// CLIENT SETINFO LIB-NAME
    pub lib_name: String,
    /// CLIENT SETINFO LIB-VER
    pub lib_ver: String,
    /// The selected database.
    pub db: usize,
    /// 2 or 3.
    pub resp: u8,
    /// Channels subscribed to.
    pub channels: usize,
    /// Patterns subscribed to.
    pub patterns: usize,
    /// Shard channels subscribed to.
    pub shard_channels: usize,
    /// Commands queued in MULTI; `None` outside.
    pub queued: Option<usize>,
    /// Keys watched.
    pub watched: usize,
    /// Waits in a blocking command.
    pub is_blocked: bool,
    /// Reads MONITOR's lines.
    pub is_monitor: bool,
    /// Tracks keys (CLIENT TRACKING).
    pub is_tracking: bool,
    /// CLIENT NO-EVICT
    pub no_evict: bool,
    /// CLIENT NO-TOUCH
    pub no_touch: bool,
    /// CLIENT TRACKING's REDIRECT, 0: none.
    pub redirect: i64,
}

/// All connections.
#[derive(Debug, Default)]
pub struct Clients {
    next_id: AtomicU64,
    by_id: DashMap<u64, Arc<Client>>,
}

impl Clients {
    /// Admits a connection.
    pub fn admit(&self, addr: SocketAddr, local_addr: SocketAddr, now_ms: u64) -> Arc<Client> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed) + 1;
        let client = Arc::new(Client {
            id,
            addr,
            local_addr,
            created_ms: now_ms,
            mailbox: Mailbox::default(),
            active_ms: AtomicU64::new(now_ms),
            facts: Mutex::new(ClientFacts { resp: 2, ..ClientFacts::default() }),
            bytes_in: AtomicU64::new(0),
            bytes_out: AtomicU64::new(0),
            commands: AtomicU64::new(0),
            last_command: AtomicU64::new(u64::MAX),
        });
        self.by_id.insert(id, client.clone());
        client
    }

    /// Forgets a connection that has ended.
    pub fn remove(&self, id: u64) {
        self.by_id.remove(&id);
    }

    /// The connection with this id.
    #[must_use]
    pub fn get(&self, id: u64) -> Option<Arc<Client>> {
        self.by_id.get(&id).map(|entry| entry.value().clone())
    }

    /// Every connection, by rising id.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Client>> {
        let mut all: Vec<_> = self.by_id.iter().map(|entry| entry.value().clone()).collect();
        all.sort_unstable_by_key(|client| client.id);
        all
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }
}

impl Client {
    /// Bumps a counter that only the connection's own task writes.
    #[inline]
    pub(crate) fn add(counter: &AtomicU64, by: u64) {
        counter.store(counter.load(Ordering::Relaxed) + by, Ordering::Relaxed);
    }
}
