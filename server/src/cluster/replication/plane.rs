//! The coordinator's orders, as changes of routes and slots: both change under the slot's shard lock.

use std::sync::Arc;

use rondache_protocol::bus::{identity::Identity, replicate};

use super::Replication;
use crate::{
    cluster::{
        plane::{Claim, DataPlane, Follow, PlaneEvent, Position, Row, Start},
        routing::Route,
    },
    node::clock,
    store::{
        keyspace::{Circumstances, Keyspace},
        replicate::{Role, outgoing::Outgoing},
    },
};

/// The data plane on the node's store.
pub struct Plane {
    replication: Arc<Replication>,
    /// Tells the time (unix ms).
    now_ms: fn() -> u64,
    /// Whether routes have changed that nobody was woken for yet.
    has_new_routes: bool,
}

impl Plane {
    /// The data plane of a node.
    #[must_use]
    pub fn new(replication: Arc<Replication>) -> Self {
        Self::with_clock(replication, clock::unix_ms)
    }

    /// The same with another clock.
    #[must_use]
    pub fn with_clock(replication: Arc<Replication>, now_ms: fn() -> u64) -> Self {
        Self { replication, now_ms, has_new_routes: false }
    }

    /// Wakes the requests that wait for the routes that the last orders changed. To be called behind every batch of
    /// orders: waking costs every worker a turn, so that it is not done for each slot of many.
    pub fn publish_routes(&mut self) {
        if std::mem::take(&mut self.has_new_routes) {
            self.replication.node.cluster.routing.publish();
        }
    }

    /// Effects are counted from the first order on that may give a slot copies.
    fn begin(&self) {
        let node = &self.replication.node;
        if node.cluster.routing.is_clustered() {
            node.store.record_effects(true);
        }
    }

    fn route_to(&self, owner: Option<Identity>, epoch: u64) -> Route {
        match owner {
            Some(owner) => self.replication.node.cluster.routing.index_of(&owner).map_or(Route::Parked, Route::Peer),
            // Nobody is known to have owned it.
            None if epoch == 0 => Route::Parked,
            None => Route::Down,
        }
    }
}

impl DataPlane for Plane {
    fn set_in_doubt(&mut self, slot: u16, is_in_doubt: bool) {
        let node = &self.replication.node;
        node.store.control(slot, |control| control.set_in_doubt(is_in_doubt));
        if !is_in_doubt {
            node.cluster.awaited.remove(slot);
        }
    }

    fn own(&mut self, slot: u16, epoch: u64, start: Start, copies: &[Identity]) {
        self.begin();
        let node = &self.replication.node;
        let streams: Vec<Arc<Outgoing>> = copies.iter().map(|copy| self.replication.outgoing(*copy, slot)).collect();
        if !streams.is_empty() {
            node.store.record_effects(true);
        }
        node.store.control(slot, |control| {
            control.own(epoch, start == Start::Warm, &streams, (self.now_ms)());
            node.cluster.routing.set(slot, Route::Mine, false);
        });
        node.cluster.awaited.remove(slot);
        self.has_new_routes = true;
    }

    fn follow(&mut self, slot: u16, epoch: u64, owner: Option<Identity>, follow: Follow) {
        self.begin();
        let node = &self.replication.node;
        let route = self.route_to(owner, epoch);
        node.store.control(slot, |control| {
            let is_copy = control.follow(epoch, follow == Follow::Copy, (self.now_ms)());
            node.cluster.routing.set(slot, route, is_copy && follow == Follow::Copy);
        });
        node.cluster.awaited.remove(slot);
        self.has_new_routes = true;
    }

    fn start_copy(&mut self, slot: u16, to: Identity) {
        self.replication.node.store.record_effects(true);
        self.replication.enqueue_fill(slot, to);
    }

    fn stop_copy(&mut self, slot: u16, to: Identity) {
        self.replication.cancel_fill(slot, &to);
        self.replication.node.store.control(slot, |control| control.stop_copy(to, (self.now_ms)()));
    }

    fn list_copy(&mut self, slot: u16, to: Identity) {
        let node = &self.replication.node;
        node.store.control(slot, |control| control.list_copy(to));
        node.cluster.awaited.remove(slot);
    }

    fn park(&mut self, slot: u16) {
        let node = &self.replication.node;
        let copies = node.store.control(slot, |control| {
            if control.role() == Role::Owner {
                control.park((self.now_ms)());
                node.cluster.routing.set(slot, Route::Parked, false);
            }
            control.streams()
        });
        // A copy that has everything already is told of at once.
        copies.iter().for_each(|outgoing| self.replication.forward_events(outgoing));
    }

    fn unpark(&mut self, slot: u16) {
        let node = &self.replication.node;
        node.store.control(slot, |control| {
            if control.unpark() {
                node.cluster.routing.set(slot, Route::Mine, false);
            }
        });
        self.has_new_routes = true;
    }

    fn grant(&mut self, row: &Row) {
        let granted = self
            .replication
            .node
            .store
            .control(row.slot, |control| control.grant(&row_to_wire(row), (self.now_ms)()).then_some(()));
        if granted.is_none() {
            // The stream to the taker broke in this very moment: the slot stays here, and the coordinator hears of it.
            let epoch = self.position(row.slot).epoch;
            self.replication.tell(PlaneEvent::CopyLost { slot: row.slot, epoch, to: row.owner });
        }
    }

    fn position(&self, slot: u16) -> Position {
        let held = self.replication.node.store.control(slot, |control| match control.role() {
            Role::Owner | Role::Parked | Role::Copy => Some(control.position()),
            Role::Filling | Role::Nothing => None,
        });
        held.map_or_else(Position::default, |at| Position { epoch: at.epoch, seq: at.seq })
    }
}

/// A row as a grant carries it.
fn row_to_wire(row: &Row) -> replicate::Row {
    replicate::Row {
        slot: row.slot,
        epoch: row.epoch,
        version: row.version,
        firm_epoch: row.claim.firm_epoch,
        provisional: row.claim.provisional,
        owner: row.owner,
        copies: row.copies.clone(),
    }
}

/// A row as the slot table holds it.
pub(super) fn row_from_wire(row: replicate::Row) -> Row {
    Row {
        slot: row.slot,
        epoch: row.epoch,
        version: row.version,
        claim: Claim { firm_epoch: row.firm_epoch, provisional: row.provisional },
        owner: row.owner,
        copies: row.copies,
    }
}

impl Replication {
    /// A copy that could not even be begun: this node does not own the slot, or the stream overflows.
    pub(super) fn lost_before_it_began(&self, slot: u16, to: Identity) {
        let epoch = self.node.store.control(slot, |control| control.position()).epoch;
        self.tell(PlaneEvent::CopyLost { slot, epoch, to });
    }

    /// A copy of a slot is short of memory: evicts about so many bytes of it.
    pub(super) fn shed(&self, slot: u16, bytes: u64) {
        let circumstances = Circumstances { db: 0, now_ms: clock::unix_ms(), client_id: 0, touch: false };
        let mut ks = Keyspace::new(&self.node.store, &self.node.hub, circumstances);
        let keys = ks.shed(slot, bytes, &mut fastrand::Rng::new());
        tracing::debug!(slot, bytes, keys, "evicted on behalf of a copy");
    }
}
