//! The nodes of a simulated cluster, and what happens in which order.

mod acts;
mod verdict;

use std::{collections::BTreeMap, fmt::Debug, sync::Arc};

use rondache_protocol::bus::identity::{Identity, NodeId};
use xxhash_rust::xxh3::Xxh3;

use self::verdict::AGREED_MS;
use super::{
    checks::Checks,
    members::{Beliefs, Known, Truth},
    plane::{Frame, Plane, distinct},
};
use crate::cluster::{
    coordinator::{
        Coordinator, Io,
        message::{CoordinatorMessage, To},
        plan::Planner,
        settings::Settings,
        sticky::StickyPlanner,
    },
    plane::PlaneEvent,
    simulation::{
        favourites::Favourites,
        network::{Kind, Network},
        seeds::shows_steps,
    },
};

const STEP_MS: u64 = 10;

/// How a world differs from another.
#[derive(Clone, Debug)]
pub(super) struct Options {
    pub(super) slots: u16,
    pub(super) copies: usize,
    /// How many copies a node begins in a step, at most.
    pub(super) starts_max: usize,
    /// Plans as real nodes make them, which are for 16384 slots.
    pub(super) is_sticky: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { slots: 48, copies: 1, starts_max: 3, is_sticky: false }
    }
}

struct Node {
    identity: Identity,
    coordinator: Coordinator,
    plane: Plane,
    beliefs: Beliefs,
    is_up: bool,
    frozen_until_ms: u64,
    /// Behind a freeze a node asks whether it is still a member before it executes anything.
    guarded_until_ms: u64,
    is_leaving: bool,
    has_left: bool,
    backlog: Vec<Event>,
}

#[derive(Clone, Debug)]
enum What {
    Message(CoordinatorMessage),
    Frame(Frame),
}

#[derive(Clone, Debug)]
struct Event {
    from: Identity,
    to: Identity,
    what: What,
}

/// A simulated cluster.
pub(super) struct World {
    pub(super) random: fastrand::Rng,
    /// Whether nothing may be lost, as long as only one node dies at a time.
    pub(super) is_strict: bool,
    seed: u64,
    options: Options,
    now_ms: u64,
    nodes: Vec<Node>,
    network: Network,
    queue: BTreeMap<(u64, u64), Event>,
    sent: u64,
    writes: u32,
    checks: Checks,
    agreed_since_ms: u64,
    trace: Xxh3,
}

impl World {
    pub(super) fn new(seed: u64, options: Options) -> Self {
        Self {
            random: fastrand::Rng::with_seed(seed),
            is_strict: false,
            seed,
            options,
            now_ms: 1_000,
            nodes: Vec::new(),
            network: Network::default(),
            queue: BTreeMap::new(),
            sent: 0,
            writes: 0,
            checks: Checks::default(),
            agreed_since_ms: 0,
            trace: Xxh3::new(),
        }
    }

    /// Starts a cluster.
    pub(super) fn start(&mut self, nodes: usize) {
        let first = self.new_node(0);
        self.nodes.push(first);
        self.observe(0);
        self.input(0, |coordinator, io| coordinator.found(io));
        (1..nodes).for_each(|_| self.join());
    }

    fn new_node(&mut self, host: usize) -> Node {
        let identity = Identity { generation: self.now_ms, id: NodeId((host as u128 + 1) << 96) };
        let settings = Settings { slots: self.options.slots, copies: self.options.copies, ..Settings::default() };
        let planner: Box<dyn Planner> =
            if self.options.is_sticky { Box::new(StickyPlanner) } else { Box::new(Favourites) };
        Node {
            identity,
            coordinator: Coordinator::new(identity, settings, planner, self.random.u64(..)),
            plane: Plane::new(self.options.slots),
            beliefs: Beliefs::default(),
            is_up: true,
            frozen_until_ms: 0,
            guarded_until_ms: 0,
            is_leaving: false,
            has_left: false,
            backlog: Vec::new(),
        }
    }

    pub(super) fn hosts(&self) -> usize {
        self.nodes.len()
    }

    /// A host that runs a node, at random.
    pub(super) fn some_host(&self) -> usize {
        let up: Vec<usize> = (0..self.nodes.len()).filter(|host| self.nodes[*host].is_up).collect();
        up[self.random.clone().usize(..up.len())]
    }

    pub(super) fn run(&mut self, ms: u64) {
        let until_ms = self.now_ms + ms;
        while self.now_ms < until_ms {
            self.step();
        }
    }

    /// Runs until the cluster is as it should be, and fails if that takes longer than `max_ms`.
    pub(super) fn settle(&mut self, max_ms: u64) {
        let until_ms = self.now_ms + max_ms;
        loop {
            self.run(500);
            match self.unsettled() {
                None => return,
                Some(why) if self.now_ms >= until_ms => self.fail(&why),
                Some(_) => {}
            }
        }
    }

    /// How many copies among some hosts were lost so far.
    pub(super) fn copies_lost(&self, hosts: &[usize]) -> u64 {
        let among = |pair: &&(usize, usize)| hosts.contains(&pair.0) && hosts.contains(&pair.1);
        self.checks.copies_lost.iter().filter(|(pair, _)| among(pair)).map(|(_, count)| count).sum()
    }

    /// How many slots a host owns.
    pub(super) fn owned(&self, host: usize) -> u64 {
        self.nodes[host].coordinator.owned() as u64
    }

    /// How often slots have changed their owners, as a host knows it.
    pub(super) fn handovers(&self, host: usize) -> u64 {
        let table = self.nodes[host].coordinator.table();
        (0..self.options.slots).map(|slot| table.epoch(slot)).sum()
    }

    pub(super) fn trace(&self) -> u64 {
        self.trace.digest()
    }

    fn fail(&self, why: &str) -> ! {
        panic!("seed {} at {} ms: {why}", self.seed, self.now_ms)
    }

    fn note(&mut self, what: &impl Debug) {
        let text = format!("{} {what:?}", self.now_ms);
        if shows_steps() {
            eprintln!("{text}");
        }
        self.trace.update(text.as_bytes());
    }

    fn step(&mut self) {
        self.now_ms += STEP_MS;
        while let Some(entry) = self.queue.first_entry().filter(|entry| entry.key().0 <= self.now_ms) {
            let event = entry.remove();
            self.deliver(event);
        }
        for host in 0..self.nodes.len() {
            if !self.is_running(host) {
                continue;
            }
            for event in std::mem::take(&mut self.nodes[host].backlog) {
                self.deliver(event);
            }
            if (self.now_ms / STEP_MS).is_multiple_of(5) {
                self.observe(host);
            }
            let starts_max = self.random.usize(..self.options.starts_max);
            self.nodes[host].plane.tick(self.now_ms, starts_max);
            self.input(host, |coordinator, io| coordinator.tick(io));
            self.write_some(host);
            self.check_left(host);
        }
        self.check_step();
    }

    fn is_running(&self, host: usize) -> bool {
        self.nodes[host].is_up && self.now_ms >= self.nodes[host].frozen_until_ms
    }

    fn host_of(&self, identity: &Identity) -> Option<usize> {
        let host = (identity.id.0 >> 96) as usize - 1;
        (self.nodes[host].identity == *identity && self.nodes[host].is_up).then_some(host)
    }

    fn deliver(&mut self, event: Event) {
        let Some(host) = self.host_of(&event.to) else { return };
        if !self.is_running(host) {
            self.nodes[host].backlog.push(event);
            return;
        }
        self.note(&event);
        match event.what {
            What::Message(message) => {
                self.input(host, |coordinator, io| coordinator.message(io, event.from, message));
            }
            What::Frame(frame) => {
                self.nodes[host].plane.receive(event.from, frame);
                self.drain(host);
            }
        }
    }

    /// Hands something to a node's coordinator, and sends what comes of it.
    fn input(&mut self, host: usize, act: impl FnOnce(&mut Coordinator, &mut Io<'_>)) {
        let mut out = Vec::new();
        let node = &mut self.nodes[host];
        act(&mut node.coordinator, &mut Io { now_ms: self.now_ms, plane: &mut node.plane, out: &mut out });
        self.drain_owned(host);
        let (from, live) = (self.nodes[host].identity, self.nodes[host].beliefs.live());
        for outgoing in out {
            let receivers = match outgoing.to {
                To::One(to) => vec![to],
                To::All => live.iter().copied().filter(|to| *to != from).collect(),
            };
            for to in receivers {
                let what = What::Message(outgoing.message.clone());
                self.send(Kind::Control, Event { from, to, what });
            }
        }
        self.drain(host);
    }

    /// Sends the data plane's frames and hands its events to the coordinator.
    fn drain(&mut self, host: usize) {
        let from = self.nodes[host].identity;
        for (to, frame) in std::mem::take(&mut self.nodes[host].plane.frames) {
            if !self.nodes[host].plane.is_broken(&to) {
                self.send(Kind::Stream, Event { from, to, what: What::Frame(frame) });
            }
        }
        let acknowledged = distinct(std::mem::take(&mut self.nodes[host].plane.acknowledged));
        self.checks.acknowledged.extend(acknowledged);
        for event in std::mem::take(&mut self.nodes[host].plane.events) {
            self.note(&event);
            if let PlaneEvent::CopyLost { to, .. } = &event {
                *self.checks.copies_lost.entry((host, host_number(to))).or_default() += 1;
            }
            self.input(host, |coordinator, io| coordinator.plane_event(io, event));
        }
        if self.nodes[host].coordinator.has_new_owner() {
            self.input(host, |coordinator, io| coordinator.tell(io));
        }
    }

    fn drain_owned(&mut self, host: usize) {
        let node = &mut self.nodes[host];
        for (slot, epoch) in std::mem::take(&mut node.plane.owned) {
            let is_firm = node.coordinator.table().claim(slot).is_some_and(|claim| claim.provisional == 0);
            let must_agree = self.is_strict || self.now_ms - self.agreed_since_ms >= AGREED_MS;
            if is_firm
                && must_agree
                && let Err(why) = self.checks.owned(slot, epoch, node.identity)
            {
                self.fail(&why);
            }
        }
    }

    fn send(&mut self, kind: Kind, event: Event) {
        let (from, to) = (host_number(&event.from), host_number(&event.to));
        let arrival_ms = self.network.arrival_ms(&mut self.random, kind, (from, to), self.now_ms);
        let is_usable = kind == Kind::Control || self.network.is_joined(from, to);
        match arrival_ms.filter(|_| is_usable) {
            Some(at_ms) => {
                self.sent += 1;
                self.queue.insert((at_ms, self.sent), event);
            }
            None if kind == Kind::Stream => self.break_stream(event.from, event.to),
            None => {}
        }
    }

    /// A frame was lost between two nodes: streams in both directions are void.
    fn break_stream(&mut self, left: Identity, right: Identity) {
        for (node, peer) in [(left, right), (right, left)] {
            if let Some(host) = self.host_of(&node) {
                self.nodes[host].plane.broke(peer, self.now_ms);
            }
        }
    }

    /// Lets a node look at the others.
    fn observe(&mut self, host: usize) {
        let mut has_changed = false;
        for other in 0..self.nodes.len() {
            let node = &self.nodes[other];
            let truth = Truth {
                identity: node.identity,
                is_reachable: other == host || self.is_reachable(host, other),
                is_leaving: node.is_leaving,
                has_left: node.has_left,
            };
            let told = self.told_of(host, other).filter(|_| !truth.is_reachable);
            let beliefs = &mut self.nodes[host].beliefs;
            has_changed |= match told {
                Some(theirs) => beliefs.hear(&mut self.random, other, theirs),
                None => beliefs.observe(&mut self.random, self.now_ms, other, truth),
            };
            while other == host && !beliefs.live().contains(&truth.identity) {
                has_changed |= beliefs.observe(&mut self.random, self.now_ms, other, truth);
            }
        }
        if has_changed {
            let view = Arc::new(self.nodes[host].beliefs.view());
            self.note(&(
                "sees",
                host,
                &view.members.values().map(|member| (member.info.identity, member.health)).collect::<Vec<_>>(),
            ));
            self.input(host, |coordinator, io| coordinator.view_changed(io, view));
        }
    }

    /// What others tell a node of one that it has not heard of.
    fn told_of(&self, host: usize, other: usize) -> Option<Known> {
        let identity = &self.nodes[other].identity;
        let is_news = self.nodes[host].beliefs.of(other, identity).is_none();
        let in_reach = |via: &usize| self.network.is_joined(host, *via) && self.is_running(*via);
        let tellers = (0..self.nodes.len()).filter(|via| is_news && in_reach(via));
        tellers.into_iter().find_map(|via| self.nodes[via].beliefs.of(other, identity))
    }

    /// Whether a node answers another, itself or through a third.
    fn is_reachable(&self, from: usize, to: usize) -> bool {
        let is_joined = |left, right| self.network.is_joined(left, right) && self.is_running(right);
        is_joined(from, to) || (0..self.nodes.len()).any(|via| is_joined(from, via) && is_joined(via, to))
    }

    fn write_some(&mut self, host: usize) {
        let is_guarded = self.now_ms < self.nodes[host].guarded_until_ms;
        if is_guarded || !self.nodes[host].coordinator.may_write() {
            return;
        }
        for _ in 0..4 {
            self.writes += 1;
            let slot = self.random.u16(..self.options.slots);
            self.nodes[host].plane.write(slot, self.writes);
        }
        self.drain(host);
    }

    fn check_left(&mut self, host: usize) {
        if self.nodes[host].is_leaving && self.nodes[host].coordinator.has_left() {
            self.note(&("has left", host));
            self.nodes[host].is_up = false;
            self.nodes[host].has_left = true;
        }
    }
}

fn host_number(identity: &Identity) -> usize {
    (identity.id.0 >> 96) as usize - 1
}
