//! The hosts of a simulated cluster, and what happens in which order.

mod acts;
mod carrying;
mod verdict;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    time::{Duration, Instant},
};

use rondache_protocol::bus::{codec, identity::Identity};
use tokio::{runtime::Runtime, time::advance};
use xxhash_rust::xxh3::Xxh3;

use self::verdict::Checks;
use super::{
    clients::{Client, History},
    network::Network,
    node::{Now, SimNode},
    seeds::shows_steps,
    wires::{Signal, Wires},
};
use crate::{
    cluster::{bus::control::Control, member::MemberInfo, membership::exchange::Entry},
    config::cluster::{PartitionPolicy, ReadFrom},
    node::clock::simulated::{self, Times},
};

const STEP_MS: u64 = 10;
/// What is as it should be for so long stays so: no suspicion from before is left.
const SETTLED_MS: u64 = 1_500;
/// The unix time at which everything begins, by a clock that is right.
const BEGAN_UNIX_MS: u64 = 1_700_000_000_000;
/// For how long the machines ran before.
const BEGAN_BOOT_MS: u64 = 5_000_000;

/// What clients ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asks {
    /// One command on one key at a time.
    One,
    /// That, commands and transactions on several keys, and pipelines.
    Several,
}

/// How a world differs from another.
#[derive(Clone, Debug)]
pub(super) struct Options {
    pub(super) slots: u16,
    pub(super) copies: usize,
    pub(super) write_acks: usize,
    pub(super) clients: usize,
    /// How far apart the hosts' clocks may be.
    pub(super) skew_ms_max: i64,
    pub(super) policy: PartitionPolicy,
    pub(super) asks: Asks,
    pub(super) read_from: ReadFrom,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            slots: 24,
            copies: 1,
            write_acks: 1,
            clients: 6,
            skew_ms_max: 0,
            policy: PartitionPolicy::Available,
            asks: Asks::One,
            read_from: ReadFrom::Owner,
        }
    }
}

/// A machine: an address, clocks, and at most one node.
pub(super) struct Host {
    pub(super) node: Option<SimNode>,
    pub(super) frozen_until_ms: u64,
    /// What has come for the node and was not looked at.
    inbox: Vec<What>,
    /// How far its unix clock is ahead, since when. Rising times.
    skews_ms: Vec<(u64, i64)>,
}

/// What happens to a node.
#[derive(Clone, Debug)]
pub(super) enum What {
    Datagram(Vec<u8>),
    Control(Identity, Control),
    /// A node asks to join.
    Join(Box<MemberInfo>),
    Welcome(Vec<Entry>),
    /// Is the node a member that asks this, in its round of such questions?
    AskAlive(Identity, u64),
    Alive(u64, bool),
    /// That member's address refuses.
    Absent(Identity),
    Wire(u64, Signal),
}

#[derive(Clone, Debug)]
struct Event {
    host: usize,
    /// Which life of the host's node; `None`: any.
    life: Option<Identity>,
    what: What,
}

/// A simulated cluster.
pub(super) struct World {
    pub(super) random: fastrand::Rng,
    /// Whether one thing goes wrong at a time, so that nothing may be lost and nobody may see an error.
    pub(super) is_strict: bool,
    /// Whether more nodes were missing at a time than writes have copies: what clients were told may be gone.
    pub(super) is_lossy: bool,
    pub(super) history: History,
    pub(super) network: Network,
    pub(super) hosts: Vec<Host>,
    pub(super) options: Options,
    pub(super) now_ms: u64,
    seed: u64,
    began: Instant,
    runtime: Runtime,
    queue: BTreeMap<(u64, u64), Event>,
    sent: u64,
    wires: Wires,
    /// Where each life of a node was, or is.
    places: BTreeMap<Identity, usize>,
    clients: Vec<Client>,
    are_clients_on: bool,
    /// Hosts to which no client connects.
    pub(super) avoided: BTreeSet<usize>,
    checks: Checks,
    trace: Xxh3,
}

impl World {
    pub(super) fn new(seed: u64, options: Options) -> Self {
        // Whatever draws from the thread's own generator draws the same again.
        fastrand::seed(seed);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        Self {
            random: fastrand::Rng::with_seed(seed),
            is_strict: false,
            is_lossy: false,
            history: History::default(),
            network: Network::default(),
            hosts: Vec::new(),
            options,
            now_ms: 1_000,
            seed,
            began: Instant::now(),
            runtime: runtime.expect("a runtime"),
            queue: BTreeMap::new(),
            sent: 0,
            wires: Wires::default(),
            places: BTreeMap::new(),
            clients: Vec::new(),
            are_clients_on: true,
            avoided: BTreeSet::new(),
            checks: Checks::default(),
            trace: Xxh3::new(),
        }
    }

    /// Starts a cluster, and its clients.
    pub(super) fn start(&mut self, nodes: usize) {
        (0..nodes).for_each(|_| self.add_host());
        let now = self.now();
        self.clients = (0..self.options.clients).map(|_| Client::new(now)).collect();
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
        let mut since_ms = None;
        loop {
            self.run(250);
            match self.unsettled() {
                None if self.now_ms - *since_ms.get_or_insert(self.now_ms) >= SETTLED_MS => {
                    return self.note(&"settled");
                }
                None => {}
                Some(why) if self.now_ms >= until_ms => self.fail(&format!("{why}; {:?}", self.work_left())),
                Some(_) => since_ms = None,
            }
        }
    }

    /// What each node is still at.
    fn work_left(&self) -> Vec<impl Debug> {
        let nodes = self.hosts.iter().filter_map(|host| host.node.as_ref());
        nodes.map(|node| (node.identity, node.work_left())).collect()
    }

    /// Lets the clients finish what they have begun, and do nothing more; or lets them go on.
    pub(super) fn let_clients(&mut self, go_on: bool) {
        self.are_clients_on = go_on;
        let until_ms = self.now_ms + 20_000;
        while !go_on && self.clients.iter().any(|client| !client.is_idle()) {
            self.step();
            if self.now_ms > until_ms {
                self.fail("a client's command has no end");
            }
        }
    }

    pub(super) fn trace(&self) -> u64 {
        self.trace.digest()
    }

    pub(super) fn fail(&self, why: &str) -> ! {
        panic!("seed {} at {} ms: {why}", self.seed, self.now_ms)
    }

    pub(super) fn note(&mut self, what: &impl Debug) {
        let text = format!("{} {what:?}", self.now_ms);
        if shows_steps() {
            eprintln!("{text}");
        }
        self.trace.update(text.as_bytes());
    }

    pub(super) fn now(&self) -> Now {
        Now { ms: self.now_ms, instant: self.began + Duration::from_millis(self.now_ms) }
    }

    pub(super) fn is_running(&self, host: usize) -> bool {
        self.hosts[host].node.is_some() && self.now_ms >= self.hosts[host].frozen_until_ms
    }

    /// Sets this thread's clocks to a host's.
    pub(super) fn look_at_clocks_of(&self, host: usize) {
        let skew_ms = self.hosts[host].skews_ms.last().map_or(0, |(_, skew_ms)| *skew_ms);
        let unix_ms = (BEGAN_UNIX_MS + self.now_ms).saturating_add_signed(skew_ms);
        simulated::set(Some(Times { unix_ms, boot_ms: BEGAN_BOOT_MS + self.now_ms }));
    }

    fn step(&mut self) {
        self.now_ms += STEP_MS;
        self.runtime.block_on(async {
            advance(Duration::from_millis(STEP_MS)).await;
            // Those whom the time has woken have their turn.
            tokio::task::yield_now().await;
        });
        let handle = self.runtime.handle().clone();
        let _in_runtime = handle.enter();
        while let Some(entry) = self.queue.first_entry().filter(|entry| entry.key().0 <= self.now_ms) {
            let event = entry.remove();
            self.arrive(event);
        }
        for host in 0..self.hosts.len() {
            if self.is_running(host) {
                self.act(host);
            }
        }
        self.look_at_wires();
        self.place_clients();
        self.check_step();
    }

    fn arrive(&mut self, event: Event) {
        let Event { host, life, what } = event;
        let is_there = self.hosts[host].node.as_ref().is_some_and(|node| life.is_none_or(|life| node.identity == life));
        match what {
            _ if is_there => self.hosts[host].inbox.push(what),
            What::Wire(wire, Signal::Accept(..)) => self.break_wire(wire),
            _ => {}
        }
    }

    /// Lets a node do what it has to do now.
    fn act(&mut self, host: usize) {
        let Some(mut node) = self.hosts[host].node.take() else { return };
        self.look_at_clocks_of(host);
        let now = self.now();
        // Which of a real node's threads runs first is anybody's guess.
        let clients_first = self.random.bool();
        if clients_first {
            self.let_clients_of(host, &mut node);
        }
        for what in std::mem::take(&mut self.hosts[host].inbox) {
            self.note_event(host, &what);
            self.handle(host, &mut node, what);
            node.take_events(now);
        }
        node.tick(now, &mut self.random);
        if !clients_first {
            self.let_clients_of(host, &mut node);
        }
        self.dial(host, &mut node);
        self.send_frames(host, &mut node);
        node.take_events(now);
        self.send_parcels(host, &mut node);
        let has_ended = node.ends_ms.is_some_and(|ends_ms| now.ms >= ends_ms);
        self.hosts[host].node = Some(node);
        if has_ended {
            self.note(&("has left", host));
            self.end(host);
        }
    }

    fn let_clients_of(&mut self, host: usize, node: &mut SimNode) {
        if !node.is_joined || !node.node.cluster.routing.is_clustered() {
            return;
        }
        let now = self.now();
        for client in self.clients.iter_mut().filter(|client| client.host() == Some(host)) {
            if self.are_clients_on || !client.is_idle() {
                client.go_on(node, &mut self.history, now, &mut self.random, &self.options);
            }
        }
        for timed in std::mem::take(&mut self.history.timed) {
            self.note_deadline(timed);
        }
    }

    /// Connects clients that have no node, or one that is leaving, to others.
    fn place_clients(&mut self) {
        let is_good = |host: &usize| {
            let node = self.hosts[*host].node.as_ref().filter(|_| !self.avoided.contains(host));
            node.is_some_and(|node| node.is_joined && !node.is_leaving && node.node.cluster.routing.is_clustered())
        };
        let good: Vec<usize> = (0..self.hosts.len()).filter(is_good).collect();
        for at in 0..self.clients.len() {
            let client = &self.clients[at];
            if !client.is_idle() || client.host().is_some_and(|host| good.contains(&host)) {
                continue;
            }
            if let Some(host) = self.random.choice(&good) {
                self.look_at_clocks_of(*host);
                if let Some(node) = &self.hosts[*host].node {
                    self.clients[at].connect(*host, node);
                }
            }
        }
    }

    fn note_event(&mut self, host: usize, what: &What) {
        if shows_steps() && !matches!(what, What::Datagram(_) | What::Wire(_, Signal::Bytes(_))) {
            eprintln!("{} {host} {what:?}", self.now_ms);
        }
        self.trace.update(&self.now_ms.to_le_bytes());
        self.trace.update(&host.to_le_bytes());
        match what {
            What::Datagram(bytes) | What::Wire(_, Signal::Bytes(bytes)) => self.trace.update(bytes),
            What::Control(from, message) => {
                self.trace.update(&from.id.0.to_le_bytes());
                self.trace.update(&codec::encode(message).expect("a message"));
            }
            other => self.trace.update(format!("{other:?}").as_bytes()),
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        simulated::set(None);
    }
}
