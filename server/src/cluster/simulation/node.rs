//! One simulated node: the parts of a real one, and what `runtime/` and `thread/` do with them.

mod forwarding;
mod guarding;
mod streams;

use std::{net::SocketAddr, sync::Arc, time::Instant};

use rondache_protocol::bus::{hello::VERSIONS, identity::Identity, replicate::SlotPosition};

use self::{forwarding::Forwards, guarding::Guarding, streams::Streams};
use super::{favourites::Favourites, seeds::shows_steps, world::Options};
use crate::{
    cluster::{
        bus::control::Control,
        coordinator::{
            Coordinator, Io,
            message::{Outgoing, To},
            settings::Settings as CoordinatorSettings,
        },
        member::{Addrs, MemberInfo, View, WEIGHT_ONE},
        membership::{
            core::{Membership, Output},
            exchange::{Entry, Exchange},
            tuning::Tuning,
        },
        plane::{PlaneEvent, Row},
        read_routes::ChosenBy,
        replication::{Outlets, Replication, mover::Mover, plane::Plane},
        runtime::{coordination, peers},
    },
    config::{cluster::ClusterSettings, settings::Settings},
    net::worker::Worker,
    node::{Node, clock},
    store::replicate::Role,
};

/// The cluster's seed of hashes, as its founder would draw it.
const HASH_SEED: u64 = 7;
/// Streams to each peer: one per worker.
const STREAMS: u16 = 2;
/// As in `runtime/coordination.rs` …
const COORDINATOR_TICK_MS: u64 = 20;
const STREAMS_MS: u64 = 100;
const BEAT_MS: u64 = 1_000;
const COMPARED_SLOTS: u16 = 2;
/// … and in `thread/driver.rs`.
const FAREWELL_MS: u64 = 500;
/// Between two tries to join, and to reach a member whose address refuses.
const JOIN_PAUSE_MS: u64 = 300;

/// What a node wants carried to others, beside what its wires carry.
#[derive(Debug)]
pub(super) enum Parcel {
    Datagram(SocketAddr, Vec<u8>),
    Control(Identity, Control),
    /// Is anybody at that member's address?
    Probe(Identity),
    /// Is this node a member, as that one sees it? And in which round of such questions it asks.
    AskAlive(Identity, u64),
    /// To any member.
    Join(Box<MemberInfo>),
}

/// What time it is, by every clock that a node reads.
#[derive(Clone, Copy)]
pub(super) struct Now {
    /// Since the simulation began.
    pub(super) ms: u64,
    pub(super) instant: Instant,
}

pub(super) struct SimNode {
    pub(super) identity: Identity,
    pub(super) node: Arc<Node>,
    pub(super) replication: Arc<Replication>,
    pub(super) coordinator: Coordinator,
    pub(super) membership: Membership,
    pub(super) worker: Worker,
    pub(super) streams: Streams,
    pub(super) forwards: Forwards,
    pub(super) outbox: Vec<Parcel>,
    pub(super) view: Arc<View>,
    pub(super) is_joined: bool,
    pub(super) is_leaving: bool,
    /// When its process ends, once it has said farewell.
    pub(super) ends_ms: Option<u64>,
    guarding: Guarding,
    reads_chosen_by: ChosenBy,
    plane: Plane,
    mover: Mover,
    outlets: Outlets,
    /// When it began: its chores come round from then on.
    born_ms: u64,
    compared: u16,
    slots: u16,
}

/// Where a host's node listens.
pub(super) fn bus_addr(host: usize) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 1 + host as u8], 16379))
}

/// The host of an address.
pub(super) fn host_at(addr: &SocketAddr) -> usize {
    match addr {
        SocketAddr::V4(addr) => usize::from(addr.ip().octets()[3]) - 1,
        SocketAddr::V6(_) => unreachable!("simulated hosts have IPv4 addresses"),
    }
}

impl SimNode {
    /// A node that has yet to found a cluster or to join one. The thread's clocks show its time already.
    pub(super) fn new(options: &Options, host: usize, now: Now) -> Self {
        let cluster = ClusterSettings {
            replicas: options.copies,
            write_acks: options.write_acks,
            partition_policy: options.policy,
            read_from: options.read_from,
            node_name: format!("host-{host}"),
            ..ClusterSettings::default()
        };
        let settings = Settings { ttl_jitter_percent: 0, cluster, ..Settings::default() };
        let policy = coordination::policy_of(&settings);
        let node = Node::new(settings);
        let identity = node.cluster.identity;
        let (replication, outlets) = Replication::new(node.clone(), STREAMS);
        let addr = |port| SocketAddr::new(bus_addr(host).ip(), port);
        let me = MemberInfo {
            identity,
            version: 0,
            name: format!("host-{host}"),
            addrs: Addrs { client: addr(6379), redirect: addr(7379), bus: bus_addr(host), admin: addr(8379) },
            weight: WEIGHT_ONE,
            zone: String::new(),
            is_leaving: false,
            protocol: VERSIONS,
        };
        let (slots, copies) = (options.slots, options.copies);
        let settings = CoordinatorSettings { slots, copies, policy, ..CoordinatorSettings::default() };
        Self {
            identity,
            coordinator: Coordinator::new(identity, settings, Box::new(Favourites), fastrand::u64(..)),
            membership: Membership::new(me, Tuning::default(), fastrand::u64(..), now.ms),
            worker: Worker::without_sockets(&node),
            streams: Streams::default(),
            forwards: Forwards::default(),
            outbox: Vec::new(),
            view: Arc::default(),
            is_joined: false,
            is_leaving: false,
            ends_ms: None,
            guarding: Guarding::default(),
            reads_chosen_by: ChosenBy::default(),
            plane: Plane::new(replication.clone()),
            mover: Mover::new(replication.clone(), clock::unix_ms()),
            outlets,
            born_ms: now.ms,
            compared: 0,
            slots: options.slots,
            replication,
            node,
        }
    }

    /// Begins as the first of a cluster.
    pub(super) fn found(&mut self, now: Now) {
        self.enter(now, Vec::new());
        self.drive(now, |coordinator, io| coordinator.found(io));
    }

    /// Begins as one that looks for its cluster.
    pub(super) fn seek(&mut self, now: Now) {
        self.node.cluster.routing.set_clustered(true);
        self.drive(now, |coordinator, io| coordinator.join(io));
        self.plane.publish_routes();
    }

    /// It is in a cluster, of these members.
    pub(super) fn enter(&mut self, now: Now, members: Vec<Entry>) {
        if std::mem::replace(&mut self.is_joined, true) {
            return;
        }
        assert!(self.node.store.reseed(HASH_SEED), "nothing was served before");
        self.membership.on_welcome(now.ms, members);
        self.after_gossip(now);
    }

    pub(super) fn on_joiner(&mut self, now: Now, info: MemberInfo) -> Vec<Entry> {
        self.membership.on_joiner(now.ms, info);
        self.after_gossip(now);
        self.membership.entries()
    }

    pub(super) fn on_datagram(&mut self, now: Now, payload: &[u8]) {
        if self.is_joined {
            // It may be this node's own: a member that died may have had its address.
            let _ = self.membership.on_payload(now.ms, payload);
            self.after_gossip(now);
        }
    }

    pub(super) fn on_absent(&mut self, now: Now, of: Identity) {
        self.membership.on_absent(now.ms, of);
        self.after_gossip(now);
    }

    pub(super) fn on_control(&mut self, now: Now, from: Identity, message: Control) {
        match message {
            Control::Members(exchange) => self.on_exchange(now, from, exchange),
            Control::Coordinator(message) if self.is_joined => {
                self.drive(now, |coordinator, io| coordinator.message(io, from, message));
            }
            _ => {}
        }
    }

    fn on_exchange(&mut self, now: Now, from: Identity, exchange: Exchange) {
        self.membership.on_exchange(now.ms, from, exchange);
        self.after_gossip(now);
    }

    /// Its operator wants it to leave.
    pub(super) fn leave(&mut self, now: Now) {
        self.is_leaving = true;
        self.membership.change(now.ms, |me| me.is_leaving = true);
        self.after_gossip(now);
        self.drive(now, |coordinator, io| coordinator.leave(io));
    }

    /// Takes what the membership wants, and a new view, if there is one.
    fn after_gossip(&mut self, now: Now) {
        self.outbox.extend(self.membership.take_outputs().into_iter().map(|output| match output {
            Output::Datagram { to, payload } => Parcel::Datagram(to, payload),
            Output::Control { to, message } => Parcel::Control(to, Control::Members(message)),
            Output::Probe(of) => Parcel::Probe(of),
        }));
        let view = self.membership.view();
        if self.is_joined && !Arc::ptr_eq(&view, &self.view) {
            self.view = view.clone();
            peers::take_in(&view, &self.replication);
            self.drive(now, |coordinator, io| coordinator.view_changed(io, view));
            self.tell_workers();
        }
    }

    fn tell_workers(&self) {
        self.node.cluster.routing.set_refuses(!self.coordinator.may_write());
        self.node.cluster.awaited.set_possible(self.coordinator.copies_possible());
    }

    /// The live members but this one.
    pub(super) fn others(&self) -> Vec<Identity> {
        let me = self.identity;
        self.view.live().map(|member| member.info.identity).filter(|identity| *identity != me).collect()
    }

    /// Lets the coordinator do something, and takes what it has to say.
    fn drive(&mut self, now: Now, act: impl FnOnce(&mut Coordinator, &mut Io<'_>)) {
        let mut out = Vec::new();
        act(&mut self.coordinator, &mut Io { now_ms: now.ms, plane: &mut self.plane, out: &mut out });
        for Outgoing { to, message } in out {
            let receivers = match to {
                To::One(to) => vec![to],
                To::All => self.others(),
            };
            let parcel = |to| Parcel::Control(to, Control::Coordinator(message.clone()));
            self.outbox.extend(receivers.into_iter().map(parcel));
        }
    }

    /// Does what is due.
    pub(super) fn tick(&mut self, now: Now, random: &mut fastrand::Rng) {
        let age_ms = now.ms - self.born_ms;
        if now.ms >= self.membership.next_due_ms() {
            self.membership.tick(now.ms);
            self.after_gossip(now);
        }
        if !self.is_joined {
            if age_ms.is_multiple_of(JOIN_PAUSE_MS) {
                self.outbox.push(Parcel::Join(Box::new(self.membership.me().clone())));
            }
            return;
        }
        self.tick_guard(now, random);
        if age_ms.is_multiple_of(COORDINATOR_TICK_MS) {
            self.tick_coordinator(now);
        }
        if age_ms.is_multiple_of(STREAMS_MS) {
            self.replication.tick();
            let first = self.compared;
            let compared = (first..self.slots).take(usize::from(COMPARED_SLOTS));
            self.replication.compare(compared, clock::unix_ms());
            self.compared = if first + COMPARED_SLOTS < self.slots { first + COMPARED_SLOTS } else { 0 };
        }
        if age_ms.is_multiple_of(BEAT_MS) {
            self.replication.beat(clock::unix_ms());
        }
        if age_ms.is_multiple_of(JOIN_PAUSE_MS) {
            // Control links are dialled again and again while they are down.
            self.outbox.extend(self.others().into_iter().map(Parcel::Probe));
        }
        for _ in 0..random.u8(..4) {
            self.mover.step(0, clock::unix_ms());
        }
        self.take_events(now);
    }

    fn tick_coordinator(&mut self, now: Now) {
        let awaited = self.node.cluster.awaited.slots();
        self.drive(now, |coordinator, io| coordinator.hurry(io, &awaited));
        self.drive(now, Coordinator::tick);
        self.tell_workers();
        let read_from = self.node.settings.load().cluster.read_from;
        self.reads_chosen_by.look(&self.node.cluster, (self.coordinator.table(), self.view.as_ref()), read_from);
        let has_takers =
            self.view.live().any(|member| member.info.identity != self.identity && !member.info.is_leaving);
        if self.is_leaving && self.ends_ms.is_none() && (self.coordinator.has_left() || !has_takers) {
            self.coordinator.depart();
            self.membership.depart(now.ms);
            self.after_gossip(now);
            self.ends_ms = Some(now.ms + FAREWELL_MS);
        }
    }

    /// Hands what the data plane has to tell to the coordinator, and tells the others and the clients of what came of it.
    pub(super) fn take_events(&mut self, now: Now) {
        while let Ok(event) = self.outlets.events.try_recv() {
            self.on_event(now, event);
        }
        if self.coordinator.has_new_owner() {
            self.drive(now, Coordinator::tell);
        }
        self.plane.publish_routes();
        self.end_fence();
    }

    fn on_event(&mut self, now: Now, event: PlaneEvent) {
        if shows_steps() {
            eprintln!("{} {:?} {event:?}", now.ms, self.identity);
        }
        self.drive(now, |coordinator, io| coordinator.plane_event(io, event));
    }

    /// What it is still at.
    pub(super) fn work_left(&self) -> impl std::fmt::Debug + use<> {
        let lags: Vec<_> =
            self.replication.streams().iter().map(|stream| (stream.to, stream.stream, stream.lag(0).records)).collect();
        (self.coordinator.progress(), self.replication.fills_waiting(), lags)
    }

    /// What it is to a slot, and how far that has come here.
    pub(super) fn standing(&self, slot: u16) -> (Role, SlotPosition, Option<Row>) {
        let (role, at) = self.node.store.control(slot, |control| (control.role(), control.position()));
        (role, at, self.coordinator.table().row(slot))
    }

    /// Whether it executes a slot at this moment.
    pub(super) fn executes(&self, slot: u16) -> bool {
        self.is_joined && self.node.cluster.routing.is_mine(slot) && self.node.cluster.guard.would_run(clock::boot_ms())
    }
}
