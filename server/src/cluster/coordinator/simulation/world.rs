//! The nodes of a simulated cluster, and what happens in which order.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    sync::Arc,
};

use rondache_protocol::bus::identity::{Identity, NodeId};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::{
    checks::Checks,
    members::{Beliefs, Truth},
    network::{Kind, Network},
    plane::{Frame, Plane, distinct},
};
use crate::cluster::{
    coordinator::{
        Coordinator, Io,
        message::{CoordinatorMessage, To},
        plan::{Plan, Planner},
        settings::Settings,
        sticky::StickyPlanner,
    },
    member::MemberInfo,
    plane::{DataPlane, PlaneEvent},
    table::SlotTable,
};

const STEP_MS: u64 = 10;
/// While nothing is wrong but one death, nobody may lack an owner for longer: 2.0 s to believe in a death, and the
/// takeover.
const IDLE_MAX_MS: u64 = 3_000;
/// For so long after all views agree, a fork may go on.
const AGREED_MS: u64 = 4_000;

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

/// The nodes that a slot likes best, by a hash: the least that moves when nodes come and go.
struct Favourites;

impl Planner for Favourites {
    fn plan(&self, members: &[&MemberInfo], table: &SlotTable, copies: usize) -> Vec<Vec<Identity>> {
        let nodes: Vec<Identity> =
            members.iter().filter(|member| !member.is_leaving).map(|member| member.identity).collect();
        let liking = |slot: u16, node: &Identity| xxh3_64(format!("{slot} {node:?}").as_bytes());
        let favourites = |slot| {
            let mut nodes = nodes.clone();
            nodes.sort_by_key(|node| liking(slot, node));
            nodes.truncate(copies + 1);
            nodes
        };
        (0..table.slots()).map(favourites).collect()
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

    pub(super) fn join(&mut self) {
        self.now_ms += 1;
        if self.nodes.len() < 9 {
            let host = self.nodes.len();
            let node = self.new_node(host);
            self.nodes.push(node);
            self.input(host, |coordinator, io| coordinator.join(io));
        }
    }

    /// Kills a node, unless too few were left to go on.
    pub(super) fn crash(&mut self, host: usize) {
        self.note(&("crash", host));
        let up = self.nodes.iter().filter(|node| node.is_up && !node.is_leaving).count();
        let known = self.nodes.iter().filter(|node| !node.has_left).count();
        if up >= 3 && (up - 1) * 2 > known {
            self.nodes[host].is_up = false;
        }
    }

    pub(super) fn restart(&mut self, host: usize) {
        if !self.nodes[host].is_up && !self.nodes[host].has_left {
            self.note(&("restart", host));
            self.nodes[host] = self.new_node(host);
            self.input(host, |coordinator, io| coordinator.join(io));
        }
    }

    pub(super) fn restart_all(&mut self) {
        (0..self.nodes.len()).for_each(|host| self.restart(host));
    }

    pub(super) fn leave(&mut self, host: usize) {
        let staying = self.nodes.iter().filter(|node| node.is_up && !node.is_leaving).count();
        if staying > 3 && self.nodes[host].is_up && !self.nodes[host].is_leaving {
            self.note(&("leave", host));
            self.nodes[host].is_leaving = true;
            self.input(host, |coordinator, io| coordinator.leave(io));
        }
    }

    pub(super) fn freeze(&mut self, host: usize, ms: u64) {
        self.note(&("freeze", host, ms));
        self.nodes[host].frozen_until_ms = self.now_ms + ms;
        self.nodes[host].guarded_until_ms = self.now_ms + ms + 500;
    }

    pub(super) fn cut_off(&mut self, side: &BTreeSet<usize>, is_one_way: bool) {
        self.note(&("cut off", side, is_one_way));
        self.network.cut_off(side, self.nodes.len(), is_one_way);
    }

    /// Makes some links slow and all of them lossy.
    pub(super) fn spoil_links(&mut self) {
        self.note(&"spoil links");
        self.network.loss = self.random.u8(0..20);
        for from in 0..self.nodes.len() {
            for to in 0..self.nodes.len() {
                if self.random.u8(..4) == 0 {
                    let ms = self.random.u64(10..400);
                    self.network.slow_ms.insert((from, to), ms);
                }
            }
        }
    }

    /// Ends all faults of the network.
    pub(super) fn heal(&mut self) {
        self.note(&"heal");
        self.network.heal();
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

    /// Checks what must hold at the end.
    pub(super) fn check_settled(&self, loses_nothing: bool) {
        if !loses_nothing {
            return;
        }
        let writes: Vec<BTreeSet<u32>> = (0..self.options.slots)
            .map(|slot| self.executor(slot).map(|node| node.plane.writes(slot).iter().copied().collect()))
            .map(Option::unwrap_or_default)
            .collect();
        for (slot, write) in &self.checks.acknowledged {
            if !writes[usize::from(*slot)].contains(write) {
                self.fail(&format!("write {write} to slot {slot} was acknowledged by a copy and is lost"));
            }
        }
        assert!(self.checks.acknowledged.len() > 100, "too little was written to show anything");
    }

    pub(super) fn trace(&self) -> u64 {
        self.trace.digest()
    }

    fn fail(&self, why: &str) -> ! {
        panic!("seed {} at {} ms: {why}", self.seed, self.now_ms)
    }

    fn note(&mut self, what: &impl Debug) {
        let text = format!("{} {what:?}", self.now_ms);
        if std::env::var_os("RONDACHE_SIM_TRACE").is_some() {
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
            let beliefs = &mut self.nodes[host].beliefs;
            has_changed |= beliefs.observe(&mut self.random, self.now_ms, other, truth);
            while other == host && !beliefs.live().contains(&truth.identity) {
                has_changed |= beliefs.observe(&mut self.random, self.now_ms, other, truth);
            }
        }
        if has_changed {
            let view = Arc::new(self.nodes[host].beliefs.view());
            self.input(host, |coordinator, io| coordinator.view_changed(io, view));
        }
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

    fn check_step(&mut self) {
        let running: Vec<usize> = (0..self.nodes.len()).filter(|host| self.is_running(*host)).collect();
        let mut views: Vec<Vec<Identity>> = running.iter().map(|host| self.nodes[*host].beliefs.live()).collect();
        views.dedup();
        if views.len() > 1 || !self.network.cut.is_empty() || self.network.loss > 0 || running.len() != views[0].len() {
            self.agreed_since_ms = self.now_ms;
        }
        let must_agree = self.is_strict || self.now_ms - self.agreed_since_ms >= AGREED_MS;
        for slot in 0..self.options.slots {
            let executors = running.iter().filter(|host| self.nodes[**host].plane.executes(slot)).count();
            if executors > 1 && must_agree {
                self.fail(&format!("slot {slot} is executed by {executors} nodes"));
            }
            self.checks.executed(self.now_ms, slot, executors > 0);
        }
        if self.is_strict && self.checks.longest_idle_ms > IDLE_MAX_MS {
            self.fail("a slot had no owner for too long");
        }
    }

    fn executor(&self, slot: u16) -> Option<&Node> {
        self.nodes.iter().find(|node| node.is_up && node.plane.executes(slot))
    }

    /// Why the cluster is not yet as it should be.
    fn unsettled(&self) -> Option<String> {
        let up: Vec<&Node> = self.nodes.iter().filter(|node| node.is_up).collect();
        let first = up.first()?;
        let identities: Vec<Identity> = up.iter().map(|node| node.identity).collect();
        for node in &up {
            let name = node.identity;
            if node.is_leaving {
                return Some(format!("{name:?} has not left: {:?}", node.coordinator.progress()));
            }
            if node.beliefs.live() != identities {
                return Some(format!("{name:?} sees {:?} of {identities:?}", node.beliefs.live()));
            }
            if !node.coordinator.table().is_complete()
                || node.coordinator.table().digest() != first.coordinator.table().digest()
            {
                return Some(format!("{name:?} has another table than {:?}", first.identity));
            }
            if node.coordinator.plan().map(Plan::rank) != first.coordinator.plan().map(Plan::rank) {
                return Some(format!("{name:?} has another plan than {:?}", first.identity));
            }
        }
        let plan = first.coordinator.plan()?;
        (0..self.options.slots).find_map(|slot| self.unsettled_slot(slot, &up, plan))
    }

    fn unsettled_slot(&self, slot: u16, up: &[&Node], plan: &Plan) -> Option<String> {
        let row = up[0].coordinator.table().row(slot)?;
        let planned: Vec<Identity> = plan.nodes(slot).collect();
        let are: Vec<Identity> = std::iter::once(row.owner).chain(row.copies.iter().copied()).collect();
        if planned != are || planned.len() != (self.options.copies + 1).min(up.len()) {
            return Some(format!("slot {slot} is on {are:?}, planned on {planned:?} ({row:?})"));
        }
        for node in up {
            let (name, position) = (node.identity, node.plane.position(slot));
            if node.plane.executes(slot) != (name == row.owner) {
                return Some(format!("slot {slot} of {:?}: {name:?} executes it or not", row.owner));
            }
            if are.contains(&name) != (position.epoch != 0) {
                return Some(format!("slot {slot} of {are:?}: {name:?} holds {position:?}"));
            }
        }
        let owner = up.iter().find(|node| node.identity == row.owner)?;
        let is_behind = |node: &&&Node| !owner.plane.writes(slot).starts_with(node.plane.writes(slot));
        let strayed = up.iter().filter(|node| row.copies.contains(&node.identity)).find(is_behind);
        strayed.map(|node| format!("slot {slot}: the copy {:?} holds other writes than its owner", node.identity))
    }
}

fn host_number(identity: &Identity) -> usize {
    (identity.id.0 >> 96) as usize - 1
}
