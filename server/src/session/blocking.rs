//! Commands that wait for keys: BLPOP and its kin.
//!
//! A command that finds nothing enrolls in the line of each of its keys while it still holds their shards, so no change
//! can slip in between. Whoever changes such a key runs the waiting commands again, in order of arrival, right after his
//! own command and before his next. A waiting command is claimed by locking its state first: a timeout and a change can
//! never both answer it. It leaves the lines by itself once it is answered, so that whoever answers needs no shard.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use dashmap::DashMap;
use parking_lot::Mutex;
use rondache_protocol::{
    command::Group,
    resp::writer::{ReplyWriter, RespVersion},
    slot::slot_of,
};
use tokio::sync::oneshot;

use super::{ReplyMode, Session, client::Client, execute::Executor};
use crate::{
    cluster::replication::withheld::Withheld,
    command::{
        args::{Args, OwnedArgs},
        ctx::{self, BlockSpec, TimeoutReply},
        registry::{self, Command},
    },
    node::Node,
    store::{keyspace::Written, object::Kind, waiters::Ticket},
};

/// A blocked command, as others see it.
#[derive(Debug)]
struct Waiting {
    client: Arc<Client>,
    db: usize,
    resp: RespVersion,
    command: u16,
    args: OwnedArgs,
    keys: Vec<Box<[u8]>>,
    on_timeout: TimeoutReply,
    /// Taken by whoever answers. Locked before any shard, never while one is held.
    answer: Mutex<Option<oneshot::Sender<Answer>>>,
}

/// All blocked commands of the node.
///
/// Bound: one per connection, and those are bounded by `maxclients`.
#[derive(Default)]
pub struct BlockedCommands {
    next_ticket: AtomicU64,
    by_ticket: DashMap<Ticket, Arc<Waiting>>,
    by_client: DashMap<u64, Ticket>,
}

/// What a blocked command gets.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) reply: Vec<u8>,
    /// What it wrote, if copies must confirm that before the reply is sent.
    pub(crate) withheld: Vec<Withheld>,
    /// What it wrote, for WAIT.
    pub(crate) written: Vec<Written>,
}

/// A connection's hold on its blocked command.
#[derive(Debug)]
pub struct Blocked {
    ticket: Ticket,
    waiting: Arc<Waiting>,
    /// Whether the client wants no reply (CLIENT REPLY).
    pub is_silent: bool,
    /// Resolves to the reply.
    pub(crate) reply: oneshot::Receiver<Answer>,
    /// How long to wait, in ms; `None`: for ever.
    pub timeout_ms: Option<u64>,
}

impl BlockedCommands {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_ticket.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_ticket.is_empty()
    }

    /// Ends a client's wait from outside (CLIENT UNBLOCK): as at its timeout, or with an error. `false`: it waits for
    /// nothing, or is being served right now.
    pub fn unblock(&self, client_id: u64, with_error: bool) -> bool {
        let Some(ticket) = self.by_client.get(&client_id).map(|entry| *entry.value()) else { return false };
        let Some(waiting) = self.waiting(ticket) else { return false };
        // The caller may hold shards, inside a transaction, for which whoever serves the client may be waiting.
        let Some(sender) = waiting.answer.try_lock().and_then(|mut answer| answer.take()) else { return false };
        self.answer(ticket, &waiting, sender, Answer::default(), |reply| {
            if with_error {
                reply.error("UNBLOCKED client unblocked via CLIENT UNBLOCK");
            } else {
                waiting.on_timeout.write(reply);
            }
        });
        true
    }

    fn waiting(&self, ticket: Ticket) -> Option<Arc<Waiting>> {
        self.by_ticket.get(&ticket).map(|entry| entry.value().clone())
    }

    /// Answers a blocked command, whose sender the caller has taken, with `answer` and what `write` writes.
    fn answer(
        &self,
        ticket: Ticket,
        waiting: &Waiting,
        sender: oneshot::Sender<Answer>,
        mut answer: Answer,
        write: impl FnOnce(&mut ReplyWriter<'_>),
    ) {
        // The client may block anew as soon as it has its answer: nothing of this wait must remain by then.
        self.by_ticket.remove(&ticket);
        self.by_client.remove(&waiting.client.id);
        waiting.client.facts.lock().is_blocked = false;
        write(&mut ReplyWriter::new(&mut answer.reply, waiting.resp));
        // The connection may have ended meanwhile; then nobody reads the reply.
        let _ = sender.send(answer);
    }
}

impl Blocked {
    /// Whether somebody runs the command again right now, or has answered it. Messages that the command itself caused are
    /// there then, but its reply goes first.
    #[must_use]
    pub fn is_being_served(&self) -> bool {
        self.waiting.answer.try_lock().is_none_or(|answer| answer.is_none())
    }

    /// The wait is over without a change: answers as at the timeout, unless an answer is under way.
    pub fn time_out(&self, node: &Node) {
        self.end(node, |reply| self.waiting.on_timeout.write(reply));
    }

    /// The connection has ended.
    pub fn abandon(&self, node: &Node) {
        self.end(node, |_| {});
        self.leave(node);
    }

    fn end(&self, node: &Node, write: impl FnOnce(&mut ReplyWriter<'_>)) {
        let sender = self.waiting.answer.lock().take();
        if let Some(sender) = sender {
            node.blocked.answer(self.ticket, &self.waiting, sender, Answer::default(), write);
        }
    }

    /// The client that waits.
    #[must_use]
    pub fn client_id(&self) -> u64 {
        self.waiting.client.id
    }

    /// Whether this node owns the slots of all keys that the command waits for.
    #[must_use]
    pub fn is_here(&self, node: &Node) -> bool {
        let routing = &node.cluster.routing;
        !routing.is_clustered() || self.waiting.keys.iter().all(|key| routing.is_mine(slot_of(key)))
    }

    /// Takes the command back unanswered, since its keys went to another node; `false`: an answer is under way.
    #[must_use]
    pub fn withdraw(&self, node: &Node) -> bool {
        if self.waiting.answer.lock().take().is_none() {
            return false;
        }
        node.blocked.by_ticket.remove(&self.ticket);
        node.blocked.by_client.remove(&self.waiting.client.id);
        self.waiting.client.facts.lock().is_blocked = false;
        self.leave(node);
        true
    }

    /// The command as a request that waits for the rest of the time.
    #[must_use]
    pub fn request(&self, rest_ms: Option<u64>) -> Vec<u8> {
        request_with_timeout(self.waiting.command, &self.waiting.args.as_args(), rest_ms)
    }

    /// Leaves the lines of the keys: the command has been answered.
    pub fn leave(&self, node: &Node) {
        for bytes in &self.waiting.keys {
            let mut shard = node.store.lock(node.store.key(bytes).shard());
            if let Some(waiters) = &mut shard.waiters {
                waiters.leave(self.waiting.db, bytes, self.ticket);
                if waiters.is_empty() {
                    shard.waiters = None;
                }
            }
        }
    }
}

/// A blocking command as a request with another timeout; `None`: for ever.
pub(crate) fn request_with_timeout(command: u16, args: &Args<'_>, timeout_ms: Option<u64>) -> Vec<u8> {
    let name = registry::by_index(command).map_or("", |command| command.spec.name);
    let at = if matches!(name, "blmpop" | "bzmpop") { 1 } else { args.len().saturating_sub(1) };
    // What is left is never nothing: that would be for ever.
    let timeout = timeout_ms.map_or_else(|| "0".to_owned(), |ms| format!("{:.3}", ms.max(1) as f64 / 1000.0));
    let words = args.from(0).enumerate().map(|(index, word)| if index == at { timeout.as_bytes() } else { word });
    let mut request = Vec::new();
    super::collect::write_request(words, &mut request);
    request
}

/// Puts a command that found nothing in the lines of its keys, whose shards are still held.
pub(super) fn enroll(
    executor: &mut Executor<'_, '_>,
    session: &Session,
    args: &Args<'_>,
    command: u16,
    spec: BlockSpec,
) -> Blocked {
    let blocked = &executor.node.blocked;
    let ticket = blocked.next_ticket.fetch_add(1, Ordering::Relaxed);
    let (sender, reply) = oneshot::channel();
    let waiting = Arc::new(Waiting {
        client: session.client.clone(),
        db: session.db,
        resp: session.resp,
        command,
        args: args.to_owned(),
        keys: spec.keys,
        on_timeout: spec.on_timeout,
        answer: Mutex::new(Some(sender)),
    });
    session.client.facts.lock().is_blocked = true;
    blocked.by_ticket.insert(ticket, waiting.clone());
    blocked.by_client.insert(session.client.id, ticket);
    for bytes in &waiting.keys {
        let shard = executor.ks.key(bytes).shard();
        executor.ks.shard_mut(shard).waiters.get_or_insert_default().join(session.db, bytes, ticket);
    }
    let is_silent = matches!(session.reply_mode, ReplyMode::Off | ReplyMode::Skipping);
    Blocked { ticket, waiting, is_silent, reply, timeout_ms: spec.timeout_ms }
}

/// Runs the commands that wait for keys which the last command changed; they may change further keys.
pub(super) fn serve_ready(executor: &mut Executor<'_, '_>) {
    executor.ks.release();
    // What is served is not what the other node asked for.
    let forwarded = executor.ks.forwarded.take();
    // What ran before may have taken long, and what it wrote may have expired by now.
    executor.ks.circumstances.now_ms += executor.timer.lap_ms();
    while executor.ks.has_ready() {
        for (db, bytes) in executor.ks.take_ready() {
            serve_key(executor, db, &bytes);
        }
    }
    executor.ks.forwarded = forwarded;
}

fn serve_key(executor: &mut Executor<'_, '_>, db: usize, bytes: &[u8]) {
    let shard = executor.ks.key(bytes).shard();
    let line = executor
        .ks
        .with_shard(shard, |shard| shard.waiters.as_ref().map(|waiters| waiters.line(db, bytes)))
        .unwrap_or_default();
    let blocked = &executor.node.blocked;
    for ticket in line {
        let Some(waiting) = blocked.waiting(ticket) else { continue };
        let mut answer = waiting.answer.lock();
        if answer.is_none() {
            continue;
        }
        match run_again(executor, &waiting, bytes) {
            Served::Answered(answered) => {
                if let Some(sender) = answer.take() {
                    blocked.answer(ticket, &waiting, sender, answered, |_| {});
                }
            }
            Served::WaitsOn => {}
            Served::NothingLeft => return,
        }
    }
}

/// What came of running a waiting command again.
enum Served {
    /// Its reply.
    Answered(Answer),
    /// There is nothing for it.
    WaitsOn,
    /// The key is gone: there is nothing for those further back in the line either.
    NothingLeft,
}

/// Runs a waiting command because the key `bytes` has changed.
fn run_again(executor: &mut Executor<'_, '_>, waiting: &Waiting, bytes: &[u8]) -> Served {
    let Some(command) = registry::by_index(waiting.command) else { return Served::WaitsOn };
    let args = waiting.args.as_args();
    let mut shards = Vec::new();
    // The keys could be told when the command blocked, so they can be now.
    let _ = super::execute::lock_keys(executor.ks, command.spec, &args, &mut shards);
    executor.ks.hold_many(&mut shards);
    let circumstances = executor.ks.circumstances;
    executor.ks.circumstances.db = waiting.db;
    executor.ks.circumstances.client_id = waiting.client.id;
    // The slot may have gone to another owner since the key was changed.
    let is_here = !executor.is_clustered || executor.node.cluster.routing.is_mine(slot_of(bytes));
    let served = match executor.ks.kind(&executor.ks.key(bytes)) {
        _ if !is_here => Served::WaitsOn,
        None => Served::NothingLeft,
        // A value of another type leaves the client waiting.
        Some(kind) if awaited_kind(command.spec.group).is_some_and(|awaited| awaited != kind) => Served::WaitsOn,
        Some(_) => call_again(executor, waiting, command, &args),
    };
    executor.ks.circumstances = circumstances;
    executor.ks.release();
    served
}

/// The type of value that the blocking commands of a family wait for.
const fn awaited_kind(group: Group) -> Option<Kind> {
    match group {
        Group::List => Some(Kind::List),
        Group::SortedSet => Some(Kind::ZSet),
        _ => None,
    }
}

fn call_again(executor: &mut Executor<'_, '_>, waiting: &Waiting, command: &Command, args: &Args<'_>) -> Served {
    let mut session = Session::new(waiting.client.clone(), true);
    (session.db, session.resp) = (waiting.db, waiting.resp);
    let mut reply = Vec::new();
    executor.ks.forget_written();
    match executor.call(&mut session, command, args, ctx::HashedKeys::default(), ctx::Waiting::Served, &mut reply) {
        (Ok(()), Some(_)) => Served::WaitsOn,
        (Ok(()), None) => {
            // Who waited waits for the copies himself: whoever pushed has his reply without that.
            let own = executor.withheld.len();
            let written = executor.ks.written().to_vec();
            if executor.guards_writes {
                executor.withhold(0..reply.len());
            }
            Served::Answered(Answer { reply, withheld: executor.withheld.split_off(own), written })
        }
        (Err(error), _) => {
            reply.clear();
            ReplyWriter::new(&mut reply, waiting.resp).error(error.to_string());
            Served::Answered(Answer { reply, ..Answer::default() })
        }
    }
}
