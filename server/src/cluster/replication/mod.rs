//! Copies of slots: how an owner's writes reach them, how they are made, and how slots change hands.
//!
//! | module | holds |
//! |---|---|
//! | [`plane`] | the coordinator's orders, as changes of routes and slots |
//! | [`apply`] | the copy's side: a stream's records into the store |
//! | `inbound` | what is remembered of a peer's stream between its connections |
//! | `ahead` | whose memory is fetched before they run |
//! | [`mover`] | slots that are being copied, paced |
//! | [`pace`] | how many bytes a second |
//! | [`link`] | a stream over a connection |
//! | `withheld` | replies that wait for copies: `write-acks` |
//!
//! What is sent stands in [`Outgoing`] streams; see [`crate::store::replicate`]. Only [`link`] and the mover's thread do
//! I/O or look at a clock.

mod ahead;
pub mod apply;
mod inbound;
pub mod link;
pub mod mover;
pub mod pace;
pub mod plane;
#[cfg(test)]
mod tests;
pub(crate) mod withheld;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use parking_lot::{Condvar, Mutex, RwLock};
use rondache_protocol::{
    bus::{
        identity::Identity,
        replicate::{Ack, Acks, Refusal, ReplicateError, SlotPosition},
    },
    slot::SLOTS,
};
use tokio::sync::mpsc;

use self::inbound::Inbound;
use super::plane::PlaneEvent;
use crate::{
    node::{Node, clock},
    store::{
        SHARDS,
        replicate::outgoing::{Outgoing, StreamEvent, StreamLag},
    },
};

/// Counters, for metrics.
#[derive(Debug, Default)]
pub struct ReplicationStats {
    /// Copies that were begun.
    pub copies_begun: AtomicU64,
    /// Copies that came to hold all.
    pub copies_synced: AtomicU64,
    /// Copies that were lost, for whatever reason.
    pub copies_lost: AtomicU64,
    /// Bytes of slots that were copied.
    pub copied_bytes: AtomicU64,
    /// Records of others that were refused here.
    pub refused: AtomicU64,
    /// Copies that were found to differ from their owner.
    pub diverged: AtomicU64,
    /// Effects applied here.
    pub applied: AtomicU64,
}

/// What came over each stream, by its owner and its number.
type InboundStreams = BTreeMap<(Identity, u16), Arc<Mutex<Inbound>>>;

/// A node's copies: those that it feeds, and those that it holds.
pub struct Replication {
    pub(crate) node: Arc<Node>,
    /// Streams to one peer: slot *s* travels in number (shard of *s*) mod this.
    stream_count: u16,
    /// One list of streams per peer that holds a copy, in an order that a simulation can repeat. Bounded by the peers.
    outgoing: RwLock<BTreeMap<Identity, Arc<[Arc<Outgoing>]>>>,
    /// Streams that were opened, for whoever dials. One message per stream and peer.
    opened: mpsc::UnboundedSender<Arc<Outgoing>>,
    /// A few messages per slot and copy.
    events: mpsc::UnboundedSender<PlaneEvent>,
    /// What came over streams of others. Bounded by the peers and their streams.
    inbound: Mutex<InboundStreams>,
    /// Copies to be made, in order. At most one per slot and peer.
    fills: Mutex<VecDeque<(u16, Identity)>>,
    fills_changed: Condvar,
    /// The node's counters.
    pub stats: Arc<ReplicationStats>,
}

/// What a [`Replication`] says to those who drive it.
pub struct Outlets {
    /// For the coordinator.
    pub events: mpsc::UnboundedReceiver<PlaneEvent>,
    /// Streams that want a connection: see [`link::send`].
    pub opened: mpsc::UnboundedReceiver<Arc<Outgoing>>,
}

impl Replication {
    /// A node without copies. `stream_count`: how many streams it opens to each peer; its number of workers.
    #[must_use]
    pub fn new(node: Arc<Node>, stream_count: u16) -> (Arc<Self>, Outlets) {
        let (events, events_out) = mpsc::unbounded_channel();
        let (opened, opened_out) = mpsc::unbounded_channel();
        let stats = node.cluster.replication_stats.clone();
        let replication = Self {
            node,
            stream_count: stream_count.max(1),
            outgoing: RwLock::default(),
            opened,
            events,
            inbound: Mutex::default(),
            fills: Mutex::default(),
            fills_changed: Condvar::new(),
            stats,
        };
        (Arc::new(replication), Outlets { events: events_out, opened: opened_out })
    }

    /// The stream to a peer that carries a slot; made when it is first asked for.
    pub(crate) fn outgoing(&self, to: Identity, slot: u16) -> Arc<Outgoing> {
        let index = usize::from(slot) % SHARDS % usize::from(self.stream_count);
        if let Some(streams) = self.outgoing.read().get(&to) {
            return streams[index].clone();
        }
        let mut outgoing = self.outgoing.write();
        let streams = outgoing.entry(to).or_insert_with(|| {
            let streams: Arc<[Arc<Outgoing>]> =
                (0..self.stream_count).map(|stream| Outgoing::new(to, stream)).collect();
            for stream in streams.iter() {
                // Nobody dials where the node is being taken down.
                let _ = self.opened.send(stream.clone());
            }
            streams
        });
        streams[index].clone()
    }

    /// How many streams this node opens to each peer.
    #[must_use]
    pub fn stream_count(&self) -> u16 {
        self.stream_count
    }

    /// Every stream that this node feeds.
    #[must_use]
    pub fn streams(&self) -> Vec<Arc<Outgoing>> {
        self.outgoing.read().values().flat_map(|streams| streams.iter().cloned()).collect()
    }

    /// How far the furthest stream is behind.
    #[must_use]
    pub fn lag(&self, now_ms: u64) -> StreamLag {
        let lags = self.streams().into_iter().map(|stream| stream.lag(now_ms));
        lags.fold(StreamLag::default(), |worst, lag| StreamLag {
            records: worst.records + lag.records,
            bytes: worst.bytes + lag.bytes,
            ms: worst.ms.max(lag.ms),
        })
    }

    /// Forgets a peer that is dead: its copies are lost, and what it sent is not awaited any more.
    pub fn close_peer(&self, peer: &Identity) {
        let streams = self.outgoing.write().remove(peer);
        for (_, inbound) in self.inbound.lock().iter_mut().filter(|((from, _), _)| from == peer) {
            let gone = inbound.lock().renew(0);
            *inbound = Arc::new(Mutex::new(gone));
        }
        for stream in streams.iter().flat_map(|streams| streams.iter()) {
            stream.close();
        }
        if streams.is_some() {
            self.forget_lost(|identity| identity == peer);
        }
    }

    /// Passes on what a stream has to tell.
    pub(crate) fn forward_events(&self, outgoing: &Outgoing) {
        let to = outgoing.to;
        for event in outgoing.take_events() {
            self.tell(match event {
                StreamEvent::Synced { slot, epoch } => PlaneEvent::CopySynced { slot, epoch, to },
                StreamEvent::CaughtUp { slot, epoch } => PlaneEvent::CaughtUp { slot, epoch, copy: to },
                StreamEvent::Lost { slot, epoch } => PlaneEvent::CopyLost { slot, epoch, to },
            });
        }
    }

    pub(crate) fn tell(&self, event: PlaneEvent) {
        match event {
            PlaneEvent::CopySynced { .. } => self.stats.copies_synced.fetch_add(1, Relaxed),
            PlaneEvent::CopyLost { .. } => self.stats.copies_lost.fetch_add(1, Relaxed),
            _ => 0,
        };
        // Nobody listens where the node is being taken down.
        let _ = self.events.send(event);
    }

    /// Housekeeping, some times a second: passes on what streams without a connection have to tell, and finds the copies
    /// that were lost with a stream's overflow.
    pub fn tick(&self) {
        let mut has_overflowed = false;
        for stream in self.streams() {
            has_overflowed |= stream.take_overflow();
            self.forward_events(&stream);
        }
        if has_overflowed {
            self.forget_lost(|_| false);
        }
    }

    /// Lets idle streams show that both of their ends are there, and drops copies that their owners have lost sight of: about
    /// once a second.
    pub fn beat(&self, now_ms: u64) {
        self.streams().iter().for_each(|stream| stream.beat(now_ms));
        self.drop_forsaken();
    }

    /// Drops the copies that were begun, that no row has named, and whose owners do not come back to them.
    fn drop_forsaken(&self) {
        let mut forsaken = Vec::new();
        self.inbound.lock().retain(|_, stream| {
            // A stream that is being applied is connected.
            let Some(mut stream) = stream.try_lock() else { return true };
            forsaken.append(&mut stream.look());
            !stream.is_over()
        });
        let routing = &self.node.cluster.routing;
        for (slot, epoch) in forsaken {
            self.node.store.control(slot, |control| {
                if control.drop_copy(epoch, false) {
                    routing.set(slot, routing.route(slot), false);
                    tracing::debug!(
                        slot,
                        epoch,
                        "a copy that was begun and never listed is dropped: its owner did not come back"
                    );
                }
            });
        }
    }

    fn forget_lost(&self, is_gone: impl Fn(&Identity) -> bool) {
        let mut lost = Vec::new();
        for slot in 0..SLOTS {
            self.node.store.control(slot, |control| control.forget_lost(&is_gone, &mut lost));
            for (epoch, to) in lost.drain(..) {
                self.tell(PlaneEvent::CopyLost { slot, epoch, to });
            }
        }
    }

    /// Takes in what a copy has answered.
    ///
    /// # Errors
    /// It is no list of answers: the connection is to be closed.
    pub fn on_acks(&self, outgoing: &Outgoing, frame: &[u8]) -> Result<(), ReplicateError> {
        for ack in Acks::new(frame) {
            match ack? {
                Ack::Applied { position } => outgoing.acknowledge(position),
                Ack::Refused { slot, position, at, reason } => self.on_refused(outgoing, slot, position, (at, reason)),
                Ack::Shed { slot, bytes } => self.shed(slot, bytes),
            }
        }
        self.forward_events(outgoing);
        Ok(())
    }

    /// Takes in what a copy says first on a connection: what it refused before, and how far it has come. Answers whether it
    /// has said how far: then the rest is sent again.
    ///
    /// # Errors
    /// As [`Self::on_acks`].
    pub fn on_first_acks(&self, outgoing: &Outgoing, frame: &[u8]) -> Result<bool, ReplicateError> {
        let mut has_resumed = false;
        for ack in Acks::new(frame) {
            match ack? {
                Ack::Applied { position } => {
                    outgoing.resume(position);
                    has_resumed = true;
                }
                Ack::Refused { slot, position, at, reason } => self.on_refused(outgoing, slot, position, (at, reason)),
                // It tells of frames that it has applied just now, and has none yet.
                Ack::Shed { .. } => {}
            }
        }
        self.forward_events(outgoing);
        Ok(has_resumed)
    }

    /// Before the frame is acknowledged: nobody is to take that for the confirmation of what was refused.
    fn on_refused(&self, outgoing: &Outgoing, slot: u16, position: u64, (at, reason): (SlotPosition, Refusal)) {
        outgoing.note_refused(slot, position);
        let lost = self.node.store.control(slot, |control| control.refused(outgoing.to, position, clock::unix_ms()));
        if let Some((epoch, to)) = lost {
            tracing::info!(slot, epoch, ?to, ?reason, ?at, "a copy refused what it was sent");
            self.tell(PlaneEvent::CopyLost { slot, epoch, to });
        }
    }

    /// Compares the copies of some slots with what is here. The walk over all slots is the caller's: some a second.
    pub fn compare(&self, slots: impl IntoIterator<Item = u16>, now_ms: u64) {
        for slot in slots {
            self.node.store.control(slot, |control| control.compare(now_ms));
        }
    }
}
