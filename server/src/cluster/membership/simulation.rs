//! A network of members in virtual time: one seed makes one trace.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use rondache_protocol::bus::{
    codec,
    identity::{Identity, NodeId},
};

use super::{
    core::{Membership, Output},
    exchange::{Entry, Exchange},
    seal::SEAL_LEN,
    tuning::Tuning,
};
use crate::cluster::member::{Addrs, MemberInfo, View, WEIGHT_ONE};

/// What IP and UDP add to a datagram (bytes).
const UDP_HEADERS: u64 = 28;
/// What a control message costs beside its payload, generously: frame, TCP, IP, acknowledgement.
const TCP_HEADERS: u64 = 12 + 2 * 52;
const FORGET: Duration = Duration::from_secs(60);
/// The `id`s of simulated nodes are these and their places …
const ID_BASE: u128 = 1 << 64;
/// … and so much more for each that was started again in the same place.
const ID_STEP: u128 = 1 << 32;

pub(in crate::cluster) fn info(id: u128, generation: u64) -> MemberInfo {
    let ip = Ipv4Addr::from_bits(0x0a00_0000 + id as u32);
    let addr = |port| SocketAddr::from((ip, port));
    MemberInfo {
        identity: Identity { generation, id: NodeId(id) },
        version: 1,
        name: format!("node-{id}"),
        addrs: Addrs { client: addr(6379), redirect: addr(7379), bus: addr(16379), admin: addr(8379) },
        weight: WEIGHT_ONE,
        zone: "zone-a".to_owned(),
        is_leaving: false,
        protocol: (1, 1),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Condition {
    Running,
    Frozen,
    Crashed,
}

struct Node {
    membership: Membership,
    condition: Condition,
    /// On which side of a partition.
    side: u8,
    /// What arrived while it was frozen.
    backlog: Vec<Parcel>,
    bytes_sent: u64,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Parcel {
    Datagram(Vec<u8>),
    Control(u128, u64, Vec<u8>),
    Absent(u128, u64),
    Tick,
}

pub(super) struct Network {
    nodes: Vec<Node>,
    by_ip: HashMap<IpAddr, usize>,
    events: BinaryHeap<Reverse<(u64, u64, usize, Parcel)>>,
    events_made: u64,
    now_ms: u64,
    rng: fastrand::Rng,
    /// The share of datagrams that get lost.
    pub(super) loss: f64,
    /// How long a parcel travels at most (ms).
    pub(super) delay_ms_max: u64,
}

impl Network {
    /// `count` nodes that know each other.
    pub(super) fn new(seed: u64, count: usize) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let infos: Vec<MemberInfo> = (0..count).map(|at| info(ID_BASE + at as u128, 1000 + at as u64)).collect();
        let entries: Vec<Entry> =
            infos.iter().map(|info| Entry { info: info.clone(), renewal: 0, dead_for_ms: None }).collect();
        let mut net = Self {
            nodes: Vec::new(),
            by_ip: infos.iter().enumerate().map(|(at, info)| (info.addrs.bus.ip(), at)).collect(),
            events: BinaryHeap::new(),
            events_made: 0,
            now_ms: 0,
            rng: rng.fork(),
            loss: 0.0,
            delay_ms_max: 2,
        };
        for (at, info) in infos.into_iter().enumerate() {
            let mut membership = new_membership(info, rng.u64(..), 0);
            membership.on_welcome(0, entries.clone());
            // Everybody knows everybody already: that costs nothing here.
            membership.take_outputs();
            net.nodes.push(Node { membership, condition: Condition::Running, side: 0, backlog: vec![], bytes_sent: 0 });
            let due_ms = rng.u64(..100);
            net.post(due_ms, at, Parcel::Tick);
        }
        net
    }

    pub(super) fn now_ms(&self) -> u64 {
        self.now_ms
    }

    pub(super) fn identity(&self, at: usize) -> Identity {
        self.nodes[at].membership.me().identity
    }

    pub(super) fn view(&mut self, at: usize) -> Arc<View> {
        self.nodes[at].membership.view()
    }

    pub(super) fn refuted_deaths(&self, at: usize) -> u64 {
        self.nodes[at].membership.refuted_deaths()
    }

    /// Bytes that each node has sent, headers included.
    pub(super) fn bytes_sent(&self) -> Vec<u64> {
        self.nodes.iter().map(|node| node.bytes_sent).collect()
    }

    /// The process ends without a word; its address refuses from now on.
    pub(super) fn crash(&mut self, at: usize) {
        self.nodes[at].condition = Condition::Crashed;
    }

    /// Another process begins where one has crashed: at the same address, but another member. It joins through `via`.
    pub(super) fn restart(&mut self, at: usize, via: usize) {
        let before = self.identity(at);
        let info = info(before.id.0 + ID_STEP, before.generation + 1);
        self.nodes[via].membership.on_joiner(self.now_ms, info.clone());
        let mut membership = new_membership(info, self.rng.u64(..), self.now_ms);
        membership.on_welcome(self.now_ms, self.nodes[via].membership.entries());
        self.nodes[at].membership = membership;
        self.nodes[at].condition = Condition::Running;
        self.collect(via);
        self.collect(at);
        self.post(self.now_ms, at, Parcel::Tick);
    }

    /// The process stops (SIGSTOP): what is sent to it waits.
    pub(super) fn freeze(&mut self, at: usize) {
        self.nodes[at].condition = Condition::Frozen;
    }

    /// The process goes on.
    pub(super) fn thaw(&mut self, at: usize) {
        self.nodes[at].condition = Condition::Running;
        for parcel in std::mem::take(&mut self.nodes[at].backlog) {
            self.deliver(at, parcel);
        }
        self.post(self.now_ms, at, Parcel::Tick);
    }

    /// Those nodes and the others do not reach each other.
    pub(super) fn partition(&mut self, side: &[usize]) {
        for at in side {
            self.nodes[*at].side = 1;
        }
    }

    pub(super) fn heal(&mut self) {
        self.nodes.iter_mut().for_each(|node| node.side = 0);
    }

    pub(super) fn change(&mut self, at: usize, change: impl FnOnce(&mut MemberInfo)) {
        self.nodes[at].membership.change(self.now_ms, change);
        self.collect(at);
    }

    pub(super) fn change_address(&mut self, at: usize, ip: Ipv4Addr) {
        self.by_ip.retain(|_, known| *known != at);
        self.by_ip.insert(IpAddr::V4(ip), at);
        self.change(at, |info| info.addrs.bus.set_ip(IpAddr::V4(ip)));
    }

    pub(super) fn depart(&mut self, at: usize) {
        self.nodes[at].membership.depart(self.now_ms);
        self.collect(at);
    }

    /// Node `at` finds the address of `of` refusing.
    pub(super) fn tell_absent(&mut self, at: usize, of: usize) {
        let of = self.identity(of);
        self.deliver(at, Parcel::Absent(of.id.0, of.generation));
    }

    pub(super) fn run_ms(&mut self, for_ms: u64) {
        let until_ms = self.now_ms + for_ms;
        while self.events.peek().is_some_and(|Reverse((at_ms, ..))| *at_ms <= until_ms) {
            let Some(Reverse((at_ms, _, to, parcel))) = self.events.pop() else { break };
            self.now_ms = at_ms;
            match self.nodes[to].condition {
                Condition::Running => self.deliver(to, parcel),
                Condition::Frozen if parcel != Parcel::Tick => self.nodes[to].backlog.push(parcel),
                Condition::Frozen | Condition::Crashed => {}
            }
        }
        self.now_ms = until_ms;
    }

    fn deliver(&mut self, to: usize, parcel: Parcel) {
        let now_ms = self.now_ms;
        let membership = &mut self.nodes[to].membership;
        match parcel {
            Parcel::Datagram(payload) => membership.on_payload(now_ms, &payload).expect("members make sense"),
            Parcel::Control(id, generation, bytes) => {
                let message: Exchange = codec::decode(&bytes).expect("members make sense");
                membership.on_exchange(now_ms, Identity { generation, id: NodeId(id) }, message);
            }
            Parcel::Absent(id, generation) => membership.on_absent(now_ms, Identity { generation, id: NodeId(id) }),
            Parcel::Tick => {
                membership.tick(now_ms);
                let due_ms = membership.next_due_ms().max(now_ms + 1);
                self.post(due_ms, to, Parcel::Tick);
            }
        }
        self.collect(to);
    }

    /// Sends what a node wants sent.
    fn collect(&mut self, from: usize) {
        for output in self.nodes[from].membership.take_outputs() {
            match output {
                Output::Datagram { to, payload } => {
                    assert!(payload.len() + SEAL_LEN <= 1400, "a datagram of {} bytes", payload.len());
                    self.nodes[from].bytes_sent += payload.len() as u64 + SEAL_LEN as u64 + UDP_HEADERS;
                    let is_lost = self.rng.f64() < self.loss;
                    // Who took a dead member's place hears itself when it calls that member, and makes nothing of it.
                    let to = self.by_ip.get(&to.ip()).copied().filter(|to| *to != from);
                    if let (Some(to), false) = (to, is_lost) {
                        self.carry(from, to, Parcel::Datagram(payload));
                    }
                }
                Output::Control { to, message } => {
                    let bytes = codec::encode(&message).expect("a short message");
                    self.nodes[from].bytes_sent += bytes.len() as u64 + TCP_HEADERS;
                    let me = self.identity(from);
                    self.carry(from, place(&to), Parcel::Control(me.id.0, me.generation, bytes));
                }
                Output::Probe(of) => {
                    if self.nodes[place(&of)].condition == Condition::Crashed {
                        self.post(self.now_ms + 1, from, Parcel::Absent(of.id.0, of.generation));
                    }
                }
            }
        }
    }

    fn carry(&mut self, from: usize, to: usize, parcel: Parcel) {
        if self.nodes[from].side == self.nodes[to].side {
            let delay_ms = self.rng.u64(..=self.delay_ms_max);
            self.post(self.now_ms + delay_ms, to, parcel);
        }
    }

    fn post(&mut self, at_ms: u64, to: usize, parcel: Parcel) {
        self.events_made += 1;
        self.events.push(Reverse((at_ms, self.events_made, to, parcel)));
    }
}

fn new_membership(info: MemberInfo, seed: u64, now_ms: u64) -> Membership {
    Membership::new(info, Tuning { forget_after: FORGET, ..Tuning::default() }, seed, now_ms)
}

fn place(identity: &Identity) -> usize {
    ((identity.id.0 - ID_BASE) % ID_STEP) as usize
}
