//! Clients of simulated nodes: each runs one command at a time at its node, through the real session and the real waves, and
//! notes what it saw.

mod ask;
mod history;
mod tags;

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use rondache_protocol::{
    bus::identity::Identity,
    resp::request::{RequestLimits, RequestParser},
};

use self::ask::Call;
pub(super) use self::{
    ask::Subject,
    history::{History, SeenError, Timed, Told},
    tags::tag_of,
};
use super::{
    node::{Now, SimNode, bus_addr},
    world::Options,
};
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
    connection: Option<Connection>,
    state: State,
}

impl Client {
    pub(super) fn new(now: Now) -> Self {
        Self { connection: None, state: State::Idle { until_ms: now.ms } }
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
            State::Waiting(call, _) | State::Confirming(call, ..) => history.note_lost(&call, now),
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
        options: &Options,
    ) {
        let Some(mut connection) = self.connection.take() else { return };
        assert_eq!(connection.life, node.identity, "clients of a life end with it");
        let state = std::mem::replace(&mut self.state, State::Idle { until_ms: now.ms });
        self.state = match state {
            State::Idle { until_ms } if now.ms < until_ms => State::Idle { until_ms },
            State::Idle { .. } => {
                self.ask(history.draw(random, options, connection.host, now), &mut connection, node, history, now)
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
        let (end, wave) = entry.collect(&mut parser, &call.request(), &mut 0, &mut out, || now.instant);
        assert!(end.is_some(), "a command panicked");
        match wave {
            None => {
                history.note_answer(&call, &out, now);
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
                history.note_answer(&call, &out, now);
                State::Idle { until_ms: now.ms + PAUSE_MS }
            }
        }
    }
}
