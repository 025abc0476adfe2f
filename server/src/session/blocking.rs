//! Commands that wait for keys: BLPOP and its kin.
//!
//! A command that finds nothing enrolls in the line of each of its keys while it still holds their shards, so no change
//! can slip in between. Whoever changes such a key runs the waiting commands again, in order of arrival, right after his
//! own command and before his next. A waiting command is claimed by locking its state first: a timeout and a change can
//! never both answer it.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use dashmap::DashMap;
use parking_lot::Mutex;
use rondache_protocol::resp::writer::{ReplyWriter, RespVersion};
use tokio::sync::oneshot;

use super::{Session, client::Client, execute::Executor};
use crate::{
    command::{
        args::{Args, OwnedArgs},
        ctx::{BlockSpec, TimeoutReply},
        registry,
    },
    node::Node,
    store::{keyspace::Keyspace, waiters::Ticket},
};

/// A blocked command, as others see it.
struct Waiting {
    client: Arc<Client>,
    db: usize,
    resp: RespVersion,
    command: u16,
    args: OwnedArgs,
    keys: Vec<Box<[u8]>>,
    on_timeout: TimeoutReply,
    /// Taken by whoever answers. Locked before any shard, never while one is held.
    answer: Mutex<Option<oneshot::Sender<Vec<u8>>>>,
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

/// A connection's hold on its blocked command.
#[derive(Debug)]
pub struct Blocked {
    ticket: Ticket,
    /// Resolves to the reply.
    pub reply: oneshot::Receiver<Vec<u8>>,
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
    /// nothing.
    pub fn unblock(&self, node: &Node, client_id: u64, with_error: bool) -> bool {
        let Some(ticket) = self.by_client.get(&client_id).map(|entry| *entry.value()) else { return false };
        self.end(node, ticket, |waiting, reply| {
            if with_error {
                reply.error("UNBLOCKED client unblocked via CLIENT UNBLOCK");
            } else {
                waiting.on_timeout.write(reply);
            }
        })
    }

    /// Answers a blocked command with what `write` writes, unless it has been answered already.
    fn end(&self, node: &Node, ticket: Ticket, write: impl FnOnce(&Waiting, &mut ReplyWriter<'_>)) -> bool {
        let Some(waiting) = self.by_ticket.get(&ticket).map(|entry| entry.value().clone()) else { return false };
        let Some(answer) = waiting.answer.lock().take() else { return false };
        self.forget(node, ticket, &waiting);
        let mut out = Vec::new();
        write(&waiting, &mut ReplyWriter::new(&mut out, waiting.resp));
        // The connection may have ended meanwhile; then nobody reads the reply.
        let _ = answer.send(out);
        true
    }

    fn forget(&self, node: &Node, ticket: Ticket, waiting: &Waiting) {
        self.by_ticket.remove(&ticket);
        self.by_client.remove(&waiting.client.id);
        waiting.client.facts.lock().is_blocked = false;
        for bytes in &waiting.keys {
            let mut shard = node.store.lock(node.store.key(bytes).shard());
            if let Some(waiters) = &mut shard.waiters {
                waiters.leave(waiting.db, bytes, ticket);
                if waiters.is_empty() {
                    shard.waiters = None;
                }
            }
        }
    }
}

impl Blocked {
    /// The wait is over without a change: answers as at the timeout, unless an answer is under way.
    pub fn time_out(&self, node: &Node) {
        node.blocked.end(node, self.ticket, |waiting, reply| waiting.on_timeout.write(reply));
    }

    /// The connection has ended.
    pub fn abandon(&self, node: &Node) {
        node.blocked.end(node, self.ticket, |_, _| {});
    }
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
    Blocked { ticket, reply, timeout_ms: spec.timeout_ms }
}

/// Runs the commands that wait for keys which the last command changed; they may change further keys.
pub(super) fn serve_ready(executor: &mut Executor<'_, '_>) {
    executor.ks.release();
    while executor.ks.has_ready() {
        for (db, bytes) in executor.ks.take_ready() {
            serve_key(executor, db, &bytes);
        }
    }
}

fn serve_key(executor: &mut Executor<'_, '_>, db: usize, bytes: &[u8]) {
    let shard = executor.ks.key(bytes).shard();
    let line = executor
        .ks
        .with_shard(shard, |shard| shard.waiters.as_ref().map(|waiters| waiters.line(db, bytes)))
        .unwrap_or_default();
    for ticket in line {
        let Some(waiting) = executor.node.blocked.by_ticket.get(&ticket).map(|entry| entry.value().clone()) else {
            continue;
        };
        let mut answer = waiting.answer.lock();
        if answer.is_none() {
            continue;
        }
        if let Some(reply) = run_again(executor, &waiting) {
            let sender = answer.take();
            drop(answer);
            executor.node.blocked.forget(executor.node, ticket, &waiting);
            if let Some(sender) = sender {
                let _ = sender.send(reply);
            }
        } else if !key_exists(executor.ks, db, bytes) {
            // Nothing is left for those further back in the line.
            return;
        }
    }
}

fn key_exists(ks: &mut Keyspace<'_>, db: usize, bytes: &[u8]) -> bool {
    let key = ks.key(bytes);
    ks.hold_one(key.shard());
    ks.circumstances.db = db;
    let exists = ks.exists(&key);
    ks.release();
    exists
}

/// The reply of a waiting command, or `None` where it still finds nothing.
fn run_again(executor: &mut Executor<'_, '_>, waiting: &Waiting) -> Option<Vec<u8>> {
    let command = registry::by_index(waiting.command)?;
    let args = waiting.args.as_args();
    let mut session = Session::new(waiting.client.clone(), true);
    (session.db, session.resp) = (waiting.db, waiting.resp);
    let mut shards = Vec::new();
    super::execute::lock_keys(executor.ks, command.spec, &args, &mut shards).ok()?;
    executor.ks.hold_many(&mut shards);
    let by = std::mem::replace(&mut executor.ks.circumstances.client_id, waiting.client.id);
    let mut out = Vec::new();
    let (result, blocked) = executor.call(&mut session, command, &args, None, true, &mut out);
    executor.ks.circumstances.client_id = by;
    executor.ks.release();
    match (result, blocked) {
        // A value of another type at the key leaves the client waiting, as Redis does.
        (Err(crate::command::CommandError::WrongType(_)), _) | (_, Some(_)) => None,
        (Ok(()), None) => Some(out),
        (Err(error), None) => {
            out.clear();
            ReplyWriter::new(&mut out, waiting.resp).error(&error.to_string());
            Some(out)
        }
    }
}
