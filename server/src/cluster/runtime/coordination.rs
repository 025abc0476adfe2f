//! The coordinator's thread: hands it what happens, and carries out what it says.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use rondache_protocol::{bus::identity::Identity, slot::SLOTS};
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};

use super::{departure::Departure, guarding::Fence, peers, reports::Reports, snapshot::Snapshots};
use crate::{
    cluster::{
        bus::control::Control,
        coordinator::{
            Coordinator, Io,
            message::{Outgoing, To},
            settings::{PartitionPolicy, Settings},
            sticky::StickyPlanner,
        },
        member::View,
        plane::PlaneEvent,
        read_routes::ChosenBy,
        replication::{Replication, plane::Plane},
        thread::net::{ClusterNet, Joined},
    },
    config::{cluster as config, settings::Settings as NodeSettings},
    node::{Node, clock},
};

/// Time between two of the coordinator's ticks.
const TICK: Duration = Duration::from_millis(20);
/// The streams are looked after every so many ticks.
const STREAMS_TICKS: u64 = 5;
/// Idle streams show that they live every so many ticks.
const BEAT_TICKS: u64 = 50;
/// Which copies answer reads is looked at every so many ticks.
const READS_TICKS: u64 = 10;
/// Slots whose copies are compared with their owner at a time: with [`STREAMS_TICKS`], a round over all slots takes about
/// a quarter of an hour.
const COMPARED_SLOTS: u16 = 2;
/// The settings are compared with another member's every so many ticks.
const SETTINGS_TICKS: u64 = 100;
/// Slots of the whole cluster that may be parked at once, on a node that has nothing else to do …
const HANDOFFS_IDLE_MAX: usize = 64;
/// … how many commands a second lower it by one …
const COMMANDS_PER_HANDOFF: usize = 20;
/// … and where that ends. Every request of a pipeline waits for the one whose slot is parked.
const HANDOFFS_BUSY_MAX: usize = 12;
/// Messages or events that are taken in before anything else gets its turn.
const TAKEN_AT_ONCE: usize = 64;

/// Where the coordinator hears from others.
pub(super) struct Ends {
    pub(super) control: mpsc::Receiver<(Identity, Control)>,
    pub(super) events: mpsc::UnboundedReceiver<PlaneEvent>,
    pub(super) fences: mpsc::Receiver<Fence>,
}

/// The coordinator and all that it works on.
pub(crate) struct Coordination {
    pub(super) node: Arc<Node>,
    pub(super) net: ClusterNet,
    pub(super) replication: Arc<Replication>,
    pub(super) coordinator: Coordinator,
    pub(super) departure: Option<Departure>,
    snapshots: Snapshots,
    reports: Reports,
    /// Digest of the table, version of the view and the setting by which the copies that answer reads were chosen.
    reads_chosen_by: ChosenBy,
    plane: Plane,
    out: Vec<Outgoing>,
    /// The coordinator's zero of time.
    started: Instant,
    view: Arc<View>,
    ticks: u64,
    /// The next slot whose copies are compared.
    compared: u16,
    fences: Vec<Fence>,
    weight: u32,
}

impl Coordination {
    /// A coordinator for the node, which has yet to hear of a cluster. A node that joins none begins at once.
    pub(super) fn new(node: Arc<Node>, net: ClusterNet, replication: Arc<Replication>) -> Self {
        let settings = node.settings.load();
        let coordinator = Coordinator::new(
            node.cluster.identity,
            Settings { copies: settings.cluster.replicas, policy: policy_of(&settings), ..Settings::default() },
            Box::new(StickyPlanner),
            fastrand::u64(..),
        );
        let mut this = Self {
            weight: settings.cluster.weight,
            snapshots: Snapshots::default(),
            reports: Reports::default(),
            reads_chosen_by: ChosenBy::default(),
            plane: Plane::new(replication.clone()),
            node,
            net,
            replication,
            coordinator,
            departure: None,
            out: Vec::new(),
            started: Instant::now(),
            view: Arc::default(),
            ticks: 0,
            compared: 0,
            fences: Vec::new(),
        };
        // A copy: nothing may hold on to the watch while slots change.
        let joined = *this.net.joined.borrow();
        match joined {
            Some(joined) => this.enter(joined),
            None => {
                this.node.cluster.routing.set_clustered(true);
                this.drive(|coordinator, io| coordinator.join(io));
                this.plane.publish_routes();
                this.publish();
            }
        }
        this
    }

    /// The node is in a cluster, its own or another's.
    fn enter(&mut self, joined: Joined) {
        if !self.node.store.reseed(joined.facts.hash_seed) {
            // Every slot is parked until now, and nothing was served before.
            tracing::error!("the node held keys before it was in a cluster; a SCAN may miss some of them");
        }
        if joined.is_founder {
            self.node.cluster.desk.found();
            self.drive(|coordinator, io| coordinator.found(io));
        }
        self.view_changed();
        self.plane.publish_routes();
    }

    /// Runs until the node shuts down.
    pub(super) async fn run(mut self, mut ends: Ends) {
        let shutdown = self.node.shutdown.clone();
        let joined = self.net.joined.borrow().is_some();
        if !joined {
            let mut joined = self.net.joined.clone();
            let node = self.node.clone();
            let joined = tokio::select! {
                () = shutdown.cancelled() => return,
                () = ordered_to_leave(&node) => {
                    // Nobody knows of it yet.
                    shutdown.cancel();
                    return;
                }
                joined = joined.wait_for(Option::is_some) => joined.ok().and_then(|joined| *joined),
            };
            let Some(joined) = joined else { return };
            self.enter(joined);
        }
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let node = self.node.clone();
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                Ok(()) = self.net.view.changed() => self.view_changed(),
                Some(event) = ends.events.recv() => {
                    self.plane_event(event);
                    for _ in 1..TAKEN_AT_ONCE {
                        let Ok(event) = ends.events.try_recv() else { break };
                        self.plane_event(event);
                    }
                }
                Some((from, message)) = ends.control.recv() => {
                    self.message(from, message).await;
                    for _ in 1..TAKEN_AT_ONCE {
                        let Ok((from, message)) = ends.control.try_recv() else { break };
                        self.message(from, message).await;
                    }
                }
                Some(fence) = ends.fences.recv() => {
                    self.fences.push(fence);
                    self.drive(|coordinator, io| coordinator.fence(io));
                }
                () = node.cluster.desk.changed() => self.look_at_desk().await,
                _ = tick.tick() => self.tick().await,
            }
            self.plane.publish_routes();
            if self.coordinator.has_new_owner() {
                // Requests wait for this: they are not to wait for the next tick as well.
                self.drive(|coordinator, io| coordinator.tell(io));
            }
            if !self.fences.is_empty() && self.coordinator.unfenced() == 0 {
                // Who asked may have given up.
                self.fences.drain(..).for_each(|fence| _ = fence.send(()));
            }
        }
    }

    /// Lets the coordinator do something, and sends what it has to say.
    pub(super) fn drive(&mut self, act: impl FnOnce(&mut Coordinator, &mut Io<'_>)) {
        let now_ms = self.started.elapsed().as_millis() as u64;
        act(&mut self.coordinator, &mut Io { now_ms, plane: &mut self.plane, out: &mut self.out });
        for Outgoing { to, message } in self.out.drain(..) {
            let message = Control::Coordinator(message);
            match to {
                // What is not taken is told again.
                To::One(to) => _ = self.net.links.send(to, &message),
                To::All => _ = self.net.links.send_all(others(&self.view, &self.node), &message),
            }
        }
    }

    /// Routes first: what the coordinator orders names peers.
    fn view_changed(&mut self) {
        let view = self.net.view.borrow_and_update().clone();
        let before = std::mem::replace(&mut self.view, view.clone());
        peers::take_in(&view, &self.replication);
        let agreed = Control::Settings(self.node.cluster.desk.agreed());
        let new = others(&view, &self.node).filter(|identity| !before.is_alive(identity));
        self.net.links.send_all(new, &agreed);
        self.drive(|coordinator, io| coordinator.view_changed(io, view));
        self.tell_workers();
    }

    /// Lets writes be executed where `partition-policy` allows it, and wait for copies where those can be made.
    fn tell_workers(&self) {
        self.node.cluster.routing.set_refuses(!self.coordinator.may_write());
        self.node.cluster.awaited.set_possible(self.coordinator.copies_possible());
    }

    fn plane_event(&mut self, event: PlaneEvent) {
        self.drive(|coordinator, io| coordinator.plane_event(io, event));
    }

    async fn message(&mut self, from: Identity, message: Control) {
        let desk = &self.node.cluster.desk;
        match message {
            Control::Coordinator(message) => self.drive(|coordinator, io| coordinator.message(io, from, message)),
            Control::Settings(message) => {
                if desk.hear(message, &self.node.settings) {
                    self.node.apply_settings();
                    self.apply_settings().await;
                }
            }
            Control::SettingsDigest(theirs) => {
                if desk.digest() != theirs {
                    self.net.links.send(from, &Control::Settings(desk.agreed()));
                }
            }
            Control::Report(report) => self.reports.note(from, report, &self.view),
            // The membership's own.
            Control::Members(_) => {}
        }
    }

    async fn look_at_desk(&mut self) {
        if let Some(untold) = self.node.cluster.desk.take_untold() {
            self.net.links.send_all(others(&self.view, &self.node), &Control::Settings(untold));
        }
        self.apply_settings().await;
        if self.node.cluster.desk.is_leaving() {
            self.begin_departure().await;
        }
    }

    async fn apply_settings(&mut self) {
        let settings = self.node.settings.load();
        let (copies, policy) = (settings.cluster.replicas, policy_of(&settings));
        self.drive(|coordinator, io| {
            coordinator.set_copies(io.now_ms, copies);
            coordinator.set_policy(policy);
        });
        let weight = settings.cluster.weight;
        if weight != self.weight {
            self.weight = weight;
            self.net.change(move |me| me.weight = weight).await;
        }
    }

    async fn tick(&mut self) {
        self.ticks += 1;
        let commands_per_s = usize::try_from(self.node.rates.commands.load(Relaxed)).unwrap_or(usize::MAX);
        let handoffs_max =
            HANDOFFS_IDLE_MAX.saturating_sub(commands_per_s / COMMANDS_PER_HANDOFF).max(HANDOFFS_BUSY_MAX);
        self.coordinator.set_handoffs_max(handoffs_max);
        let awaited = self.node.cluster.awaited.slots();
        self.drive(|coordinator, io| coordinator.hurry(io, &awaited));
        self.drive(|coordinator, io| coordinator.tick(io));
        if self.ticks.is_multiple_of(STREAMS_TICKS) {
            self.replication.tick();
            let first = self.compared;
            self.replication.compare((first..SLOTS).take(usize::from(COMPARED_SLOTS)), clock::unix_ms());
            self.compared = if first + COMPARED_SLOTS < SLOTS { first + COMPARED_SLOTS } else { 0 };
        }
        if self.ticks.is_multiple_of(BEAT_TICKS) {
            self.replication.beat(clock::unix_ms());
        }
        if self.ticks.is_multiple_of(SETTINGS_TICKS)
            && let Some(peer) = fastrand::choice(others(&self.view, &self.node).collect::<Vec<_>>())
        {
            self.net.links.send(peer, &Control::SettingsDigest(self.node.cluster.desk.digest()));
        }
        if let Some(report) = self.reports.due(&self.node, &self.replication, &self.view) {
            self.net.links.send_all(others(&self.view, &self.node), &Control::Report(report));
        }
        self.tell_workers();
        if self.ticks.is_multiple_of(READS_TICKS) {
            self.choose_reads();
        }
        self.tick_departure().await;
        self.publish();
    }

    /// Looks which copies are to answer reads, where that may have changed.
    fn choose_reads(&mut self) {
        let read_from = self.node.settings.load().cluster.read_from;
        let sources = (self.coordinator.table(), self.view.as_ref());
        self.reads_chosen_by.look(&self.node.cluster, sources, read_from);
    }

    fn publish(&mut self) {
        let cluster_id = self.net.credentials.facts().map(|facts| facts.id.to_string()).unwrap_or_default();
        let sources = (self.replication.as_ref(), &self.reports);
        self.snapshots.publish(&self.node, &self.view, &self.coordinator, sources, cluster_id);
    }
}

/// The live members but this node.
fn others<'a>(view: &'a View, node: &Node) -> impl Iterator<Item = Identity> + use<'a> {
    let me = node.cluster.identity;
    view.live().map(|member| member.info.identity).filter(move |identity| *identity != me)
}

async fn ordered_to_leave(node: &Node) {
    while !node.cluster.desk.is_leaving() {
        node.cluster.desk.changed().await;
    }
}

pub(in crate::cluster) fn policy_of(settings: &NodeSettings) -> PartitionPolicy {
    match settings.cluster.partition_policy {
        config::PartitionPolicy::Available => PartitionPolicy::Available,
        config::PartitionPolicy::Majority => PartitionPolicy::Majority,
    }
}
