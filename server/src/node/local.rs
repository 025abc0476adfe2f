//! A node's keys without a socket, for the service that the node is embedded in.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use parking_lot::Mutex;
use rondache_protocol::{
    command::{self, Flags},
    resp::{
        request::{RequestLimits, RequestParser},
        writer::RespVersion,
    },
};

use super::{Node, clock};
use crate::{
    net::{running::run_batch, worker::Worker},
    session::{Session, away::Away, batch::BatchEnd},
};

/// Executes commands in the calling thread, where their key is this node's own. Cloning is cheap.
///
/// Whatever it leaves alone is to be sent to the node's port, which answers for every key.
#[derive(Clone)]
pub struct LocalNode {
    node: Arc<Node>,
    /// Held to take a seat or give one back, never while a command runs.
    seats: Arc<Mutex<Vec<Seat>>>,
}

/// What running a command needs besides the node. There are as many as callers at once.
struct Seat {
    worker: Worker,
    session: Session,
    parser: RequestParser,
    /// The reply, before the caller gets it.
    reply: Vec<u8>,
}

/// Seats beyond this are not kept.
const SEATS_KEPT_MAX: usize = 64;

/// A seat's buffer beyond this is not kept.
const REPLY_KEPT_MAX: usize = 64 * 1024;

impl LocalNode {
    /// The keys of a node.
    #[must_use]
    pub fn new(node: &Arc<Node>) -> Self {
        Self { node: node.clone(), seats: Arc::default() }
    }

    /// Executes one request, a RESP array of strings, and appends the reply in RESP3. `false`: it was left alone, since
    /// its key is another node's or on its way there, it has more than one key or none, it may have to wait, or other nodes have to
    /// acknowledge it.
    #[must_use]
    pub fn execute(&self, name: &[u8], request: &[u8], reply: &mut Vec<u8>) -> bool {
        if !self.may_run(name) {
            return false;
        }
        let visit = self.node.memory.visit();
        let mut seat = self.seats.lock().pop().unwrap_or_else(|| Seat::new(&self.node));
        // A command that panicked has written so; what it may have left behind goes with its seat.
        let outcome = seat.run(&self.node, request);
        let has_panicked = outcome.is_none();
        let is_answered = outcome.unwrap_or(true) && !seat.reply.starts_with(b"-MOVED ");
        let (seat, visit) = match is_answered {
            // The caller's own buffer is none of the node's memory.
            true => {
                drop(visit);
                reply.extend_from_slice(&seat.reply);
                (seat, self.node.memory.visit())
            }
            false => (seat, visit),
        };
        if !has_panicked {
            self.give_back(seat);
        }
        drop(visit);
        is_answered
    }

    fn give_back(&self, mut seat: Seat) {
        if seat.reply.capacity() > REPLY_KEPT_MAX {
            seat.reply = Vec::new();
        }
        let mut seats = self.seats.lock();
        if seats.len() < SEATS_KEPT_MAX {
            seats.push(seat);
        }
    }

    fn may_run(&self, name: &[u8]) -> bool {
        let Some(spec) = command::lookup(name).map(command::spec) else { return false };
        let waits = spec.flags.contains(Flags::BLOCKING);
        let is_confirmed = spec.flags.contains(Flags::READONLY) || self.node.settings.load().cluster.write_acks == 0;
        let is_stopped = self.node.pause.is_set() || self.node.shutdown.is_cancelled();
        spec.single_key
            && !waits
            && is_confirmed
            && !is_stopped
            && (!self.node.cluster.routing.is_clustered() || self.node.cluster.guard.may_run(clock::boot_ms()))
    }
}

impl std::fmt::Debug for LocalNode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LocalNode({})", self.node.run_id)
    }
}

impl Seat {
    fn new(node: &Arc<Node>) -> Self {
        let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut session = Session::new(node.clients.unlisted(nowhere, nowhere, clock::unix_ms()), true);
        // What is not this node's own is refused, and not forwarded.
        session.is_redirecting = true;
        session.resp = RespVersion::V3;
        let parser = RequestParser::new(RequestLimits::default());
        Self { worker: Worker::without_sockets(node), session, parser, reply: Vec::new() }
    }

    /// Runs a request: whether it has its reply; `None` if it panicked.
    fn run(&mut self, node: &Arc<Node>, request: &[u8]) -> Option<bool> {
        self.reply.clear();
        let worker = &mut self.worker;
        worker.settings.refresh(&node.settings);
        let limits = RequestLimits { bulk_len_max: worker.settings.bulk_len_max, ..RequestLimits::default() };
        self.parser.set_limits(limits);
        self.parser.restart();
        worker.refused.clear();
        let (session, parser, reply, mut from) = (&mut self.session, &mut self.parser, &mut self.reply, 0);
        let (end, went_elsewhere) = if node.cluster.routing.is_clustered() {
            let mut wave = worker.links.lend();
            let end = run_batch(node, worker, session, parser, request, &mut from, reply, Away::Collect(&mut wave));
            let went_elsewhere = !wave.is_empty();
            worker.links.give_back(wave);
            (end, went_elsewhere)
        } else {
            (run_batch(node, worker, session, parser, request, &mut from, reply, Away::Alone), false)
        };
        node.hub.tracking.flush();
        let is_whole = from == request.len() && !went_elsewhere;
        end.map(|end| is_whole && matches!(end, BatchEnd::Drained | BatchEnd::Flush))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::settings::Settings;

    fn request(words: &[&str]) -> Vec<u8> {
        let strings: String = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len())).collect();
        format!("*{}\r\n{strings}", words.len()).into_bytes()
    }

    fn run(local: &LocalNode, words: &[&str]) -> Option<String> {
        let mut reply = Vec::new();
        let is_done = local.execute(words[0].as_bytes(), &request(words), &mut reply);
        is_done.then(|| reply.escape_ascii().to_string())
    }

    #[test]
    fn commands_of_one_key_run_in_the_calling_thread() {
        let local = LocalNode::new(&Node::new(Settings::default()));
        assert_eq!(run(&local, &["SET", "k", "v"]).as_deref(), Some("+OK\\r\\n"));
        assert_eq!(run(&local, &["GET", "k"]).as_deref(), Some("$1\\r\\nv\\r\\n"));
        assert_eq!(run(&local, &["GET", "none"]).as_deref(), Some("_\\r\\n"));
        assert!(run(&local, &["INCR", "k"]).is_some_and(|reply| reply.starts_with("-ERR")));
    }

    #[test]
    fn what_needs_a_connection_or_other_nodes_is_left_alone() {
        let local = LocalNode::new(&Node::new(Settings::default()));
        for words in [&["PING"][..], &["BLPOP", "k", "0"], &["MGET", "a", "b"], &["SUBSCRIBE", "c"], &["NONSENSE", "k"]]
        {
            assert_eq!(run(&local, words), None, "{words:?}");
        }
    }

    #[test]
    fn a_request_that_is_cut_short_is_left_alone_and_leaves_nothing_behind() {
        let local = LocalNode::new(&Node::new(Settings::default()));
        let (whole, mut reply) = (request(&["SET", "k", "v"]), Vec::new());
        assert!(!local.execute(b"SET", &whole[..whole.len() - 3], &mut reply));
        assert!(reply.is_empty());
        assert_eq!(run(&local, &["STRLEN", "k"]).as_deref(), Some(":0\\r\\n"));
    }

    #[test]
    fn writes_that_copies_must_acknowledge_are_left_alone() {
        let mut settings = Settings::default();
        settings.cluster.write_acks = 1;
        let local = LocalNode::new(&Node::new(settings));
        assert_eq!(run(&local, &["SET", "k", "v"]), None);
        assert_eq!(run(&local, &["GET", "k"]).as_deref(), Some("_\\r\\n"));
    }
}
