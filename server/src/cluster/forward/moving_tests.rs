//! What has to outlast a slot's move: transactions that watch keys, where they come to a node that knows nothing of the watch (at a
//! slot's owner, and at the client's own node when it has come to own the slot), and commands that wait.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use rondache_protocol::{
    bus::{
        forward::{Forward, ForwardEncoder, Manner, Reply, ReplyEncoder, Status, kind},
        frame::{self, Frame},
        identity::{Identity, NodeId, WriteId},
        replicate::Write,
    },
    resp::request::{RequestLimits, RequestParser},
    slot::slot_of,
};

use super::{FRAME_LEN_MAX, links::WaveKey, owner::Serving};
use crate::{
    cluster::{
        member::Addrs,
        routing::{Peer, PeerIndex, Route},
    },
    config::settings::Settings,
    net::{
        entry::{Entry, Progress},
        worker::Worker,
    },
    node::{Node, clock},
    session::{
        Session,
        execute::Tools,
        harness::{run_on, show_reply},
    },
};

const PEER: PeerIndex = PeerIndex(0);
/// A transaction that increments `k`.
const EXEC: [&str; 3] = ["MULTI", "INCR k", "EXEC"];

fn slot() -> u16 {
    slot_of(b"k")
}

fn addr() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 1))
}

fn node(settings: Settings) -> Arc<Node> {
    let node = Node::new(settings);
    node.store.record_effects(true);
    node
}

/// Has a node remember a write of the slot as one that was executed, as copies do.
fn remember(node: &Node, id: WriteId, reply: Option<&[u8]>) {
    let write = Write { id, reply };
    node.store.control(slot(), |control| {
        let epoch = control.position().epoch;
        control.note_write(epoch, clock::unix_ms(), &write);
    });
}

fn requests(lines: &[&str]) -> Vec<u8> {
    let mut requests = Vec::new();
    for line in lines {
        let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        crate::session::collect::write_request(words.into_iter(), &mut requests);
    }
    requests
}

/// The owner of a slot, and what serves a link that it has just got.
struct Owner {
    node: Arc<Node>,
    serving: Serving,
}

impl Owner {
    const ID: WriteId = WriteId { origin: 2, number: 3 };

    fn new() -> Self {
        let node = node(Settings::default());
        node.store.control(slot(), |control| control.own(1, true, &[], clock::unix_ms()));
        let serving = Serving::new(&node, node.clients.unlisted(addr(), addr(), 0));
        Self { node, serving }
    }

    /// Has the transaction come over the link. Answers what became of it.
    fn exec(&mut self, manner: Manner) -> (Status, String) {
        let (mut payload, mut out) = (Vec::new(), Vec::new());
        let mut encoder = ForwardEncoder::begin(&mut payload, 1, Self::ID.origin);
        let manner = Manner { is_unit: true, client: 7, ..manner };
        encoder.request(&mut payload, manner, Self::ID.number, &requests(&EXEC));
        encoder.finish(&mut payload);
        let frame = Frame { kind: kind::FORWARD, flags: 0, payload: &payload };
        self.serving.take_frame(&mut Worker::without_sockets(&self.node), frame, &mut out).unwrap();
        loop {
            let (frame, len) = frame::decode(&out, FRAME_LEN_MAX).unwrap().unwrap();
            if frame.kind == kind::REPLY {
                let reply = Reply::decode(frame.payload).unwrap();
                let (status, len) = reply.items().next().unwrap();
                return (status, show_reply(&reply.bytes()[..len]));
            }
            // What was written is told in front of the reply.
            out.drain(..len);
        }
    }
}

fn plain() -> Manner {
    Manner::default()
}

fn watched() -> Manner {
    Manner { is_watched: true, ..plain() }
}

fn retried() -> Manner {
    Manner { is_retry: true, ..watched() }
}

#[test]
fn an_owner_that_knows_nothing_of_the_watch_aborts_what_was_not_executed_before() {
    let in_resp3 = Manner { is_resp3: true, ..watched() };
    for (manner, aborted) in [(watched(), "*-1|"), (in_resp3, "_|"), (retried(), "*-1|")] {
        let mut owner = Owner::new();
        assert_eq!(owner.exec(manner), (Status::Done, aborted.to_owned()));
        assert_eq!(owner.exec(plain()), (Status::Done, "*1|:1|".to_owned()), "nothing was executed before");
    }
}

#[test]
fn an_owner_that_knows_nothing_of_the_watch_answers_what_was_executed_before() {
    let mut owner = Owner::new();
    assert_eq!(owner.exec(plain()), (Status::Done, "*1|:1|".to_owned()));
    assert_eq!(owner.exec(retried()), (Status::Done, "*1|:1|".to_owned()));
    assert_eq!(owner.exec(plain()), (Status::Done, "*1|:2|".to_owned()), "it was executed once");
}

#[test]
fn an_owner_that_has_not_kept_the_reply_does_not_know_the_outcome() {
    let mut owner = Owner::new();
    remember(&owner.node, Owner::ID, None);
    assert_eq!(owner.exec(retried()), (Status::Unknown, String::new()));
}

/// The node that a client is connected to, which knows one other.
struct EntryNode {
    node: Arc<Node>,
    session: Session,
    worker: Worker,
    now: Instant,
}

impl EntryNode {
    fn new(settings: Settings) -> Self {
        let node = node(settings);
        let addrs = Addrs { client: addr(), redirect: addr(), bus: addr(), admin: addr() };
        let identity = Identity { id: NodeId(7), generation: 1 };
        assert_eq!(node.cluster.routing.put_peer(Peer { identity, addrs, is_dead: false }), Some(PEER));
        node.cluster.routing.set_clustered(true);
        let session = Session::new(node.clients.admit(addr(), addr(), -1, 0), true);
        let worker = Worker::without_sockets(&node);
        Self { node, session, worker, now: Instant::now() }
    }

    /// One whose client watches `k` at the other node.
    fn watching() -> Self {
        let mut entry = Self::new(Settings::default());
        entry.route(Route::Peer(PEER));
        let watch = entry.send(&["WATCH k"]);
        assert_eq!(entry.go_on(watch), None);
        let frame = entry.take_frame();
        let mut reply = Vec::new();
        let mut encoder = ReplyEncoder::begin(&mut reply, frame, 1);
        reply.extend_from_slice(b"+OK\r\n");
        encoder.end_reply(&mut reply, Status::Done);
        encoder.finish(&mut reply, Status::Done);
        entry.worker.links.take_reply(PEER, &reply, entry.now).unwrap();
        assert_eq!(entry.go_on(watch).as_deref(), Some("+OK|"));
        entry
    }

    fn route(&self, route: Route) {
        self.node.cluster.routing.set(slot(), route, false);
        self.node.cluster.routing.publish();
    }

    /// Runs a batch whose last request has to wait.
    fn send(&mut self, lines: &[&str]) -> WaveKey {
        self.collect(lines).expect("it waits")
    }

    /// Runs a batch. Answers what waits of it.
    fn collect(&mut self, lines: &[&str]) -> Option<WaveKey> {
        let (mut parser, mut out) = (RequestParser::new(RequestLimits::default()), Vec::new());
        let mut entry = Entry::new(&self.node, &mut self.session, &mut self.worker);
        entry.collect(&mut parser, &requests(lines), &mut 0, &mut out, || self.now).1
    }

    /// Lets what waits go on. Answers the replies once all are there.
    fn go_on(&mut self, key: WaveKey) -> Option<String> {
        let progress = Entry::new(&self.node, &mut self.session, &mut self.worker).go_on(key, self.now);
        let Progress::Through = progress else { return None };
        let wave = self.worker.links.remove(key).expect("it was there");
        let mut out = Vec::new();
        wave.assemble(&mut out);
        Some(show_reply(&out))
    }

    /// Takes the frame that is queued for the other node. Answers its id.
    fn take_frame(&mut self) -> u64 {
        let queued = self.worker.links.queued(PEER).to_vec();
        let (frame, len) = frame::decode(&queued, FRAME_LEN_MAX).unwrap().unwrap();
        self.worker.links.sent(PEER, len);
        Forward::decode(frame.payload).unwrap().id
    }

    /// Has a transaction leave for the other node, which dies before it answers, and this node come to own the slot. `learn` says
    /// what this node, as its copy, has heard of the write of that id by then.
    fn exec_and_take_over(&mut self, learn: impl FnOnce(&Node, WriteId)) -> String {
        let exec = self.send(&EXEC);
        assert_eq!(self.go_on(exec), None);
        self.take_frame();
        self.worker.links.lose(PEER, self.now);
        let links = &mut self.worker.links;
        let id = WriteId { origin: links.origin(), number: links.wave(exec).unwrap().items[0].number };
        learn(&self.node, id);
        self.route(Route::Mine);
        self.go_on(exec).expect("the slot is this node's own")
    }

    /// Runs a command of another client of this node.
    fn run(&self, line: &str) -> String {
        let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        let mut session = Session::new(self.node.clients.admit(addr(), addr(), -1, 0), true);
        show_reply(&run_on(&self.node, &mut session, &mut Tools::new(1), &words, |_| {}))
    }
}

#[test]
fn a_transaction_that_comes_home_without_its_watch_is_aborted() {
    let mut entry = EntryNode::watching();
    entry.route(Route::Parked);
    let exec = entry.send(&EXEC);
    assert_eq!(entry.go_on(exec), None);
    entry.route(Route::Mine);
    assert_eq!(entry.go_on(exec).as_deref(), Some("*-1|"));
    assert_eq!(entry.run("EXISTS k"), ":0|");
}

#[test]
fn a_transaction_that_comes_home_and_was_executed_before_is_answered() {
    let mut entry = EntryNode::watching();
    assert_eq!(entry.exec_and_take_over(|node, id| remember(node, id, Some(b"*1\r\n:1\r\n"))), "*1|:1|");
    assert_eq!(entry.run("EXISTS k"), ":0|", "it is not executed again");
}

#[test]
fn a_transaction_that_comes_home_and_was_not_executed_before_is_aborted() {
    let mut entry = EntryNode::watching();
    assert_eq!(entry.exec_and_take_over(|_, _| {}), "*-1|");
    assert_eq!(entry.run("EXISTS k"), ":0|");
}

#[test]
fn a_transaction_that_comes_home_and_whose_reply_was_not_kept_has_an_unknown_outcome() {
    let mut entry = EntryNode::watching();
    let reply = entry.exec_and_take_over(|node, id| remember(node, id, None));
    assert!(reply.starts_with("-UNKNOWN The outcome"), "{reply}");
}

#[test]
fn a_transaction_that_waits_for_copies_at_home_is_aborted_by_a_change_meanwhile_and_only_by_that() {
    for (change, reply) in [("SET other 1", "*1|:1|"), ("SET k 7", "*-1|")] {
        let mut settings = Settings::default();
        settings.cluster.write_acks = 1;
        let mut entry = EntryNode::new(settings);
        entry.node.cluster.awaited.set_possible(1);
        assert_eq!(entry.collect(&["WATCH k"]), None, "its own node watches");
        let exec = entry.send(&EXEC);
        assert_eq!(entry.go_on(exec), None, "there is no copy yet");
        let lowered = entry.node.settings.update(|settings| {
            settings.cluster.write_acks = 0;
            Ok::<_, ()>(())
        });
        lowered.unwrap();
        entry.worker.settings.refresh(&entry.node.settings);
        entry.run(change);
        entry.now = entry.worker.links.wave(exec).unwrap().retry_at.unwrap();
        assert_eq!(entry.go_on(exec).as_deref(), Some(reply), "{change}");
    }
}

#[test]
fn a_command_that_has_waited_for_long_has_its_whole_deadline_to_reach_another_owner() {
    let mut entry = EntryNode::new(Settings::default());
    let deadline = Duration::from_millis(entry.node.settings.load().cluster.request_deadline_ms);
    entry.route(Route::Peer(PEER));
    let waits = entry.send(&["BLPOP k 0"]);
    for _ in 0..2 {
        assert_eq!(entry.go_on(waits), None);
        entry.take_frame();
        entry.now += 10 * deadline;
        entry.worker.links.lose(PEER, entry.now);
        entry.route(Route::Parked);
        assert_eq!(entry.go_on(waits), None, "it waits for the slot's next owner");
        entry.now += deadline - Duration::from_millis(1);
        assert_eq!(entry.go_on(waits), None);
        entry.route(Route::Peer(PEER));
    }
    assert_eq!(entry.go_on(waits), None);
    entry.worker.links.lose(PEER, entry.now);
    entry.route(Route::Parked);
    assert_eq!(entry.go_on(waits), None);
    entry.now += deadline;
    assert!(entry.go_on(waits).is_some(), "no owner was to be reached");
}
