//! What the rest of the node may know of a connection, and the registry of all connections.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering},
    },
};

use dashmap::DashMap;
use parking_lot::Mutex;

use super::mailbox::Mailbox;
use crate::{
    command::{args::Args, registry},
    config::settings::{OutputLimit, OutputLimits},
};

/// A connection as others see it.
#[derive(Debug)]
pub struct Client {
    /// Unique during the node's life; never 0.
    pub id: u64,
    /// The peer.
    pub addr: SocketAddr,
    /// Our end.
    pub local_addr: SocketAddr,
    /// The socket's descriptor, for people who look at the process from outside.
    pub fd: i32,
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
    /// The last command: see [`LastCommand`]; `u64::MAX`: none yet.
    pub last_command: AtomicU64,
    /// Whether it chose RESP3: who sends it messages encodes them accordingly.
    pub is_resp3: AtomicBool,
    /// Whether it wants to be told when slots have other owners: see [`topology_push`](crate::node::topology_push).
    pub wants_topology: AtomicBool,
    /// Whether it listens to any channel or pattern.
    pub is_subscribed: AtomicBool,
    /// Whether the connection that its invalidations go to has ended.
    pub has_broken_redirect: AtomicBool,
    /// Its command waits at another node, and whether somebody wants to end that: see [`ElsewhereWait`].
    pub waits_elsewhere: AtomicU8,
    /// Received bytes that wait to be executed, and the size of their buffer.
    pub query: (AtomicUsize, AtomicUsize),
}

/// The values of [`Client::waits_elsewhere`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElsewhereWait {
    /// It does not wait at another node.
    None = 0,
    /// It does.
    Waiting = 1,
    /// It still does, but its end is on the way.
    Ending = 2,
    /// It does, and is to be answered as at its timeout.
    EndAsTimeout = 3,
    /// It does, and is to be answered with an error.
    EndAsError = 4,
}

/// Classes of clients, as CLIENT LIST TYPE and `client-output-buffer-limit` have them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientClass {
    /// Asks and is answered.
    Normal,
    /// Listens to channels or patterns.
    PubSub,
    /// Copies of this node; none of them uses a client connection.
    Replica,
    /// The node that this one copies; never a client connection.
    Primary,
}

impl ClientClass {
    /// The class of that name, in any case.
    #[must_use]
    pub fn from_name(name: &[u8]) -> Option<Self> {
        const NAMES: [(&[u8], ClientClass); 6] = [
            (b"normal", ClientClass::Normal),
            (b"pubsub", ClientClass::PubSub),
            (b"replica", ClientClass::Replica),
            (b"slave", ClientClass::Replica),
            (b"primary", ClientClass::Primary),
            (b"master", ClientClass::Primary),
        ];
        NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, class)| *class)
    }
}

/// A command or subcommand, packed into a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastCommand {
    /// Index in the command table.
    pub index: u16,
    /// Index among its subcommands.
    pub subcommand: Option<u16>,
}

impl LastCommand {
    /// What `args` call, whose command has this index.
    #[must_use]
    pub fn of(index: u16, args: &Args<'_>) -> Self {
        let subcommand = registry::by_index(index)
            .and_then(|command| command.spec.subcommand(args.get(1)))
            .map(|(subcommand, _)| subcommand as u16);
        Self { index, subcommand }
    }

    fn pack(self) -> u64 {
        u64::from(self.index) | self.subcommand.map_or(0, |subcommand| (u64::from(subcommand) + 1) << 16)
    }

    fn unpack(packed: u64) -> Option<Self> {
        let subcommand = ((packed >> 16) as u16).checked_sub(1);
        (packed != u64::MAX).then_some(Self { index: packed as u16, subcommand })
    }

    /// The name as CLIENT LIST shows it, such as `get` or `client|list`.
    #[must_use]
    pub fn name(self) -> String {
        let Some(command) = registry::by_index(self.index) else { return "NULL".to_owned() };
        match self.subcommand.and_then(|subcommand| command.spec.subcommands.get(usize::from(subcommand))) {
            Some(subcommand) => format!("{}|{}", command.spec.name, subcommand.name),
            None => command.spec.name.to_owned(),
        }
    }
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
    /// Bytes of those commands.
    pub queued_bytes: usize,
    /// Keys watched.
    pub watched: usize,
    /// Waits in a blocking command.
    pub is_blocked: bool,
    /// Reads MONITOR's lines.
    pub is_monitor: bool,
    /// Tracks keys (CLIENT TRACKING).
    pub is_tracking: bool,
    /// Tracks prefixes (CLIENT TRACKING … BCAST).
    pub is_broadcast: bool,
    /// CLIENT NO-EVICT
    pub no_evict: bool,
    /// CLIENT NO-TOUCH
    pub no_touch: bool,
    /// CLIENT TRACKING's REDIRECT, 0: none.
    pub redirect: u64,
}

/// All connections.
#[derive(Debug, Default)]
pub struct Clients {
    next_id: AtomicU64,
    by_id: DashMap<u64, Arc<Client>>,
}

impl Clients {
    /// Admits a connection.
    pub fn admit(&self, addr: SocketAddr, local_addr: SocketAddr, fd: i32, now_ms: u64) -> Arc<Client> {
        let client = self.create(addr, local_addr, fd, now_ms);
        self.by_id.insert(client.id, client.clone());
        client
    }

    /// A client that CLIENT LIST does not show: another node, or a client of another node.
    #[must_use]
    pub fn unlisted(&self, addr: SocketAddr, local_addr: SocketAddr, now_ms: u64) -> Arc<Client> {
        self.create(addr, local_addr, -1, now_ms)
    }

    fn create(&self, addr: SocketAddr, local_addr: SocketAddr, fd: i32, now_ms: u64) -> Arc<Client> {
        Arc::new(Client {
            id: self.next_id.fetch_add(1, Ordering::Relaxed) + 1,
            addr,
            local_addr,
            fd,
            created_ms: now_ms,
            mailbox: Mailbox::default(),
            active_ms: AtomicU64::new(now_ms),
            facts: Mutex::new(ClientFacts { resp: 2, ..ClientFacts::default() }),
            bytes_in: AtomicU64::new(0),
            bytes_out: AtomicU64::new(0),
            commands: AtomicU64::new(0),
            last_command: AtomicU64::new(u64::MAX),
            is_resp3: AtomicBool::new(false),
            wants_topology: AtomicBool::new(false),
            is_subscribed: AtomicBool::new(false),
            has_broken_redirect: AtomicBool::new(false),
            waits_elsewhere: AtomicU8::new(0),
            query: (AtomicUsize::new(0), AtomicUsize::new(0)),
        })
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
    /// The client's command waits at another node from now on.
    pub(crate) fn begin_wait_elsewhere(&self) {
        self.facts.lock().is_blocked = true;
        self.waits_elsewhere.store(ElsewhereWait::Waiting as u8, Ordering::Release);
    }

    /// It has its reply, whether or not it ever waited.
    pub(crate) fn end_wait_elsewhere(&self) {
        if self.waits_elsewhere.load(Ordering::Relaxed) != ElsewhereWait::None as u8 {
            self.waits_elsewhere.store(ElsewhereWait::None as u8, Ordering::Release);
            self.facts.lock().is_blocked = false;
        }
    }

    /// Ends a wait at another node (CLIENT UNBLOCK); `false`: there is none.
    pub fn unblock_elsewhere(&self, with_error: bool) -> bool {
        let wanted = if with_error { ElsewhereWait::EndAsError } else { ElsewhereWait::EndAsTimeout };
        let (waiting, wanted) = (ElsewhereWait::Waiting as u8, wanted as u8);
        let is_told =
            self.waits_elsewhere.compare_exchange(waiting, wanted, Ordering::AcqRel, Ordering::Relaxed).is_ok();
        if is_told {
            self.mailbox.nudge();
        }
        is_told
    }

    /// Whether the wait at another node is to end, and if so whether with an error; told once.
    pub(crate) fn take_unblock(&self) -> Option<bool> {
        let found = self.waits_elsewhere.load(Ordering::Acquire);
        if found <= ElsewhereWait::Ending as u8 {
            return None;
        }
        self.waits_elsewhere.store(ElsewhereWait::Ending as u8, Ordering::Release);
        Some(found == ElsewhereWait::EndAsError as u8)
    }

    /// Whether replies and messages are written in RESP3.
    #[inline]
    #[must_use]
    pub fn is_resp3(&self) -> bool {
        self.is_resp3.load(Ordering::Relaxed)
    }

    /// Whether it listens to any channel or pattern.
    #[must_use]
    pub fn is_subscribed(&self) -> bool {
        self.is_subscribed.load(Ordering::Relaxed)
    }

    /// What kind of client it is.
    #[must_use]
    pub fn class(&self) -> ClientClass {
        if self.is_subscribed() { ClientClass::PubSub } else { ClientClass::Normal }
    }

    /// How far it may fall behind. One that only ever gets what it asked for is of the normal class, whose default is no
    /// limit, since it is not served any further while its socket is full. One that gets messages unasked, be it from a
    /// monitor or as invalidations, has the limit of subscribers: nothing else would bound them.
    #[must_use]
    pub fn output_limit<'a>(&self, limits: &'a OutputLimits) -> &'a OutputLimit {
        let is_sent_to = self.is_subscribed() || {
            let facts = self.facts.lock();
            facts.is_monitor || facts.is_tracking
        };
        if is_sent_to { &limits.pubsub } else { &limits.normal }
    }

    /// The last command.
    #[must_use]
    pub fn last_command(&self) -> Option<LastCommand> {
        LastCommand::unpack(self.last_command.load(Ordering::Relaxed))
    }

    /// Notes the last command, and how many ran with it. Only the connection's own task calls it.
    pub(crate) fn note_commands(&self, count: u64, last: LastCommand) {
        Self::add(&self.commands, count);
        self.last_command.store(last.pack(), Ordering::Relaxed);
    }

    /// Bumps a counter that only the connection's own task writes.
    #[inline]
    pub(crate) fn add(counter: &AtomicU64, by: u64) {
        counter.store(counter.load(Ordering::Relaxed) + by, Ordering::Relaxed);
    }
}
