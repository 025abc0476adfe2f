//! Clients of simulated nodes: each runs one command at a time at its node, through the real session and the real waves, and
//! notes what it saw.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll, Waker},
    time::Duration,
};

use rondache_linearizable::{Action, Operation, Violation, check};
use rondache_protocol::{
    bus::identity::Identity,
    resp::request::{RequestLimits, RequestParser},
    slot::slot_of,
};

use super::node::{Now, SimNode, bus_addr};
use crate::{
    cluster::{
        forward::links::WaveKey,
        replication::withheld::{self, Withheld},
    },
    net::entry::{Entry, Progress},
    node::clock,
    session::Session,
};

/// Between two commands of a client.
const PAUSE_MS: u64 = 20;
/// How long a deadline is that a key gets.
const TTL_MS: std::ops::Range<u64> = 300..20_000;
/// This many keys get half of the commands.
const HOT_KEYS: u16 = 4;

/// What a client has asked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ask {
    Get,
    Set(i64),
    Increment,
    Delete,
    /// SET … PX: of a key of its own, whose deadline is looked at.
    SetFor(i64, u64),
}

struct Call {
    slot: u16,
    ask: Ask,
    /// Where the client is connected.
    host: usize,
    called_ms: u64,
    request: Vec<u8>,
}

type Confirming = Pin<Box<dyn Future<Output = Vec<Withheld>>>>;

enum State {
    Idle {
        until_ms: u64,
    },
    /// The node runs nothing until it knows whether it may.
    Held(Call),
    Waiting(Call, WaveKey),
    Confirming(Call, WaveKey, Confirming),
}

/// A connection to a node.
struct Connection {
    host: usize,
    life: Identity,
    session: Session,
}

pub(super) struct Client {
    /// Changes with every command whose outcome it does not know: it goes on as another.
    number: usize,
    connection: Option<Connection>,
    state: State,
}

/// A key of this slot was set with that value, to live so long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timed {
    pub(super) slot: u16,
    pub(super) value: i64,
    pub(super) ttl_ms: u64,
    pub(super) called_ms: u64,
}

/// For how long a write may wait for its copies while nothing is wrong.
const UNCONFIRMED_MAX: Duration = Duration::from_millis(100);

/// An error that a client was answered.
#[derive(Debug)]
pub(super) struct SeenError {
    /// The host that it was connected to.
    pub(super) host: usize,
    pub(super) called_ms: u64,
    pub(super) reply: String,
}

/// What clients saw.
#[derive(Debug, Default)]
pub(super) struct History {
    clients: usize,
    values: i64,
    operations: BTreeMap<u16, Vec<Operation>>,
    /// Commands that gave keys deadlines and were answered since somebody looked.
    pub(super) timed: Vec<Timed>,
    /// Errors that clients were answered.
    pub(super) errors: Vec<SeenError>,
    /// When nodes died or froze. Rising.
    pub(super) deaths_ms: Vec<u64>,
    pub(super) answered: u64,
}

/// One key tag for each of the first slots.
pub(super) fn tag_of(slot: u16) -> &'static str {
    /// Slots that any simulation has at most.
    const TAGGED: usize = 64;
    static TAGS: OnceLock<Vec<String>> = OnceLock::new();
    let tags = TAGS.get_or_init(|| {
        let mut tags: Vec<Option<String>> = vec![None; TAGGED];
        for number in 0_u32.. {
            let tag = format!("{{{number}}}");
            if let Some(place @ None) = tags.get_mut(usize::from(slot_of(tag.as_bytes()))) {
                *place = Some(tag);
                if tags.iter().all(Option::is_some) {
                    break;
                }
            }
        }
        tags.into_iter().flatten().collect()
    });
    &tags[usize::from(slot)]
}

impl Client {
    pub(super) fn new(history: &mut History, now: Now) -> Self {
        Self { number: history.next_client(), connection: None, state: State::Idle { until_ms: now.ms } }
    }

    /// The host that it is connected to.
    pub(super) fn host(&self) -> Option<usize> {
        self.connection.as_ref().map(|connection| connection.host)
    }

    /// Whether it waits for nothing, and may go to another node.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle { .. })
    }

    pub(super) fn connect(&mut self, host: usize, node: &SimNode) {
        let client = node.node.clients.admit(bus_addr(host), bus_addr(host), -1, clock::unix_ms());
        let session = Session::new(client, true);
        self.connection = Some(Connection { host, life: node.identity, session });
    }

    /// Its node is gone.
    pub(super) fn disconnect(&mut self, history: &mut History, now: Now) {
        self.connection = None;
        let state = std::mem::replace(&mut self.state, State::Idle { until_ms: now.ms + PAUSE_MS });
        match state {
            State::Waiting(call, _) | State::Confirming(call, ..) => self.note_unknown(history, &call),
            // The node has not looked at it.
            State::Idle { .. } | State::Held(_) => {}
        }
    }

    /// Does what it can at its node now.
    pub(super) fn go_on(
        &mut self,
        node: &mut SimNode,
        history: &mut History,
        now: Now,
        random: &mut fastrand::Rng,
        slots: u16,
    ) {
        let Some(mut connection) = self.connection.take() else { return };
        assert_eq!(connection.life, node.identity, "clients of a life end with it");
        let state = std::mem::replace(&mut self.state, State::Idle { until_ms: now.ms });
        self.state = match state {
            State::Idle { until_ms } if now.ms < until_ms => State::Idle { until_ms },
            State::Idle { .. } => {
                self.ask(history.draw(random, slots, connection.host, now), &mut connection, node, history, now)
            }
            State::Held(call) => self.ask(call, &mut connection, node, history, now),
            State::Waiting(call, key) => self.go_on_with(call, key, &mut connection, node, history, now),
            State::Confirming(call, key, mut confirming) => {
                match confirming.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                    Poll::Pending => State::Confirming(call, key, confirming),
                    Poll::Ready(unconfirmed) => {
                        if let Some(wave) = node.worker.links.wave(key) {
                            wave.disavow(&unconfirmed);
                        }
                        self.go_on_with(call, key, &mut connection, node, history, now)
                    }
                }
            }
        };
        self.connection = Some(connection);
    }

    /// Runs a command, as a connection does with what it has read.
    fn ask(
        &mut self,
        call: Call,
        connection: &mut Connection,
        node: &mut SimNode,
        history: &mut History,
        now: Now,
    ) -> State {
        if !node.node.cluster.guard.may_run(clock::boot_ms()) {
            return State::Held(call);
        }
        let mut out = Vec::new();
        let mut parser = RequestParser::new(RequestLimits::default());
        let mut entry = Entry::new(&node.node, &mut connection.session, &mut node.worker);
        let (end, wave) = entry.collect(&mut parser, &call.request, &mut 0, &mut out, || now.instant);
        assert!(end.is_some(), "a command panicked");
        match wave {
            None => {
                self.answer(history, &call, &out, now);
                State::Idle { until_ms: now.ms + PAUSE_MS }
            }
            Some(key) => {
                node.worker.links.wave(key).into_iter().for_each(|wave| std::mem::swap(&mut wave.local, &mut out));
                self.go_on_with(call, key, connection, node, history, now)
            }
        }
    }

    fn go_on_with(
        &mut self,
        call: Call,
        key: WaveKey,
        connection: &mut Connection,
        node: &mut SimNode,
        history: &mut History,
        now: Now,
    ) -> State {
        let progress = Entry::new(&node.node, &mut connection.session, &mut node.worker).go_on(key, now.instant);
        match progress {
            Progress::Waiting => State::Waiting(call, key),
            Progress::Written(mut withheld) => {
                let of = Arc::clone(&node.node);
                let confirming = async move {
                    withheld::wait(&of, &mut withheld, withheld::patience(&of)).await;
                    withheld
                };
                State::Confirming(call, key, Box::pin(confirming))
            }
            Progress::Through | Progress::Gone => {
                let wave = node.worker.links.remove(key).expect("nobody else ends it");
                let mut out = Vec::new();
                wave.assemble(&mut out);
                node.worker.links.give_back(wave);
                self.answer(history, &call, &out, now);
                State::Idle { until_ms: now.ms + PAUSE_MS }
            }
        }
    }

    fn answer(&mut self, history: &mut History, call: &Call, reply: &[u8], now: Now) {
        let reply = String::from_utf8_lossy(reply).into_owned();
        if let Some(error) = reply.strip_prefix('-') {
            let reply = format!("{:?} of slot {}: {}", call.ask, call.slot, error.trim_end());
            history.errors.push(SeenError { host: call.host, called_ms: call.called_ms, reply });
            if error.starts_with("UNKNOWN") {
                self.note_unknown(history, call);
            }
            return;
        }
        history.answered += 1;
        let number = |text: &str| text.trim_end().parse::<i64>().expect("a number");
        let action = match (call.ask, reply.as_bytes()[0]) {
            (Ask::Get, b'$') => {
                Action::Read(reply.split_once("\r\n").filter(|(len, _)| *len != "$-1").map(|(_, value)| number(value)))
            }
            (Ask::Set(value), b'+') => Action::Write(value),
            (Ask::Increment, b':') => Action::Increment(number(&reply[1..])),
            (Ask::Delete, b':') => Action::Delete(number(&reply[1..]) == 1),
            (Ask::SetFor(value, ttl_ms), b'+') => {
                return history.timed.push(Timed { slot: call.slot, value, ttl_ms, called_ms: call.called_ms });
            }
            (ask, _) => panic!("{ask:?} was answered {reply:?}"),
        };
        let (called, returned) = (Duration::from_millis(call.called_ms), Duration::from_millis(now.ms));
        history.note(call.slot, Operation { client: self.number, action, called, returned: Some(returned) });
    }

    /// Nobody knows whether it was executed, or will be.
    fn note_unknown(&mut self, history: &mut History, call: &Call) {
        let action = match call.ask {
            Ask::Get | Ask::SetFor(..) => return,
            Ask::Set(value) => Action::Write(value),
            Ask::Increment => Action::IncrementUnseen,
            // What there was to delete nobody knows; `false` would be no change.
            Ask::Delete => Action::Delete(true),
        };
        let called = Duration::from_millis(call.called_ms);
        history.note(call.slot, Operation { client: self.number, action, called, returned: None });
        self.number = history.next_client();
    }
}

impl History {
    fn next_client(&mut self) -> usize {
        self.clients += 1;
        self.clients
    }

    fn note(&mut self, slot: u16, operation: Operation) {
        self.operations.entry(slot).or_default().push(operation);
    }

    /// A command.
    fn draw(&mut self, random: &mut fastrand::Rng, slots: u16, host: usize, now: Now) -> Call {
        let slot = if random.bool() { random.u16(..HOT_KEYS) } else { random.u16(..slots) };
        self.values += 1000;
        let (tag, value) = (tag_of(slot), self.values);
        let (ask, line) = match random.u8(..20) {
            0..=8 => (Ask::Get, format!("GET {tag}")),
            9..=12 => (Ask::Set(value), format!("SET {tag} {value}")),
            13..=16 => (Ask::Increment, format!("INCR {tag}")),
            17 => (Ask::Delete, format!("DEL {tag}")),
            _ => {
                let ttl_ms = random.u64(TTL_MS);
                (Ask::SetFor(value, ttl_ms), format!("SET {tag}ttl {value} PX {ttl_ms}"))
            }
        };
        let words: Vec<&str> = line.split(' ').collect();
        let mut request = format!("*{}\r\n", words.len());
        words.iter().for_each(|word| request += &format!("${}\r\n{word}\r\n", word.len()));
        let request = request.into_bytes();
        Call { slot, ask, host, called_ms: now.ms, request }
    }

    /// Looks for a key of which somebody saw what cannot have been. A read does not wait for the copies of what it shows: right
    /// before a death, it may show a write that nobody was told of, and that dies with its owner.
    pub(super) fn violation(&self) -> Option<(u16, Violation, Vec<Operation>)> {
        let is_kept = |operation: &Operation| {
            let is_read = matches!(operation.action, Action::Read(_));
            let is_before = |death_ms: &u64| {
                let death = Duration::from_millis(*death_ms);
                operation.returned.is_some_and(|returned| returned <= death && returned + UNCONFIRMED_MAX > death)
            };
            !(is_read && self.deaths_ms.iter().any(is_before))
        };
        self.operations.iter().find_map(|(slot, operations)| {
            let operations: Vec<Operation> =
                operations.iter().filter(|operation| is_kept(operation)).cloned().collect();
            let history = with_small_numbers(&operations);
            check(&history).err().map(|violation| (*slot, violation, history))
        })
    }
}

/// The same operations by clients whose numbers are as small as can be: one is used again once its client is done.
fn with_small_numbers(operations: &[Operation]) -> Vec<Operation> {
    let mut history = operations.to_vec();
    history.sort_by_key(|operation| operation.called);
    let mut free_from: Vec<Option<Duration>> = Vec::new();
    for operation in &mut history {
        let is_free = |until: &Option<Duration>| until.is_some_and(|until| until < operation.called);
        let number = free_from.iter().position(is_free).unwrap_or_else(|| {
            free_from.push(None);
            free_from.len() - 1
        });
        free_from[number] = operation.returned;
        operation.client = number;
    }
    history
}
