//! The copy's side: a stream's records into the store.
//!
//! Effects run as commands do, at the owner's time, without events, eviction or expiry of their own. Whatever does not
//! fit (a gap, another epoch, a command that fails) ends the slot's copy: it is dropped, the owner is told, and makes it
//! anew. Data that may be wrong is worse than none. Only what an earlier owner still had to say, before it knew of a later
//! one, is refused and no more.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, atomic::Ordering::Relaxed},
};

use parking_lot::Mutex;
use rondache_protocol::{
    bus::{
        identity::Identity,
        replicate::{Ack, Entry, Record, Records, Refusal, ReplicateError, put_ack, split_frame},
    },
    command::{self, Flags, keys_of},
    slot::slot_of,
};

use super::{
    Replication,
    ahead::{Ahead, Planned, Window},
    inbound::{Inbound, Refused},
    plane::row_from_wire,
};
use crate::{
    cluster::{plane::PlaneEvent, routing::Route},
    command::{
        args::Args,
        ctx::{HashedKey, Waiting},
    },
    config::settings::{EvictionPolicy, Settings},
    node::Node,
    rdb::{self, Restored},
    session::{
        Session,
        execute::{Executor, Tools},
    },
    store::{
        DATABASES, SHARDS,
        keyspace::{Circumstances, ExpiryRole, Keyspace, Ttl},
        observer::NoObserver,
        replicate::control::SlotControl,
    },
};

/// A record that comes in parts may be this long.
const RECORD_LEN_MAX: usize = 1 << 30;

/// The replies of effects are thrown away; a buffer that grew beyond this with them.
const OUT_KEPT_MAX: usize = 64 * 1024;

/// Applies one stream. Several connections may carry it, one after the other.
pub struct Applier {
    replication: Arc<Replication>,
    from: Identity,
    inbound: Arc<Mutex<Inbound>>,
    session: Session,
    tools: Tools,
    scratch: Scratch,
}

#[derive(Default)]
struct Scratch {
    out: Vec<u8>,
    /// Slots of the present frame that were refused already.
    refused: Vec<u16>,
    /// Whether the node is short of memory and may ask owners to evict.
    is_short: bool,
    /// Where it is: the slots that grow with the present frame, and by how many bytes, about.
    grown: Vec<(u16, u64)>,
}

impl Scratch {
    fn note_growth(&mut self, slot: u16, bytes: usize) {
        match self.grown.last_mut() {
            Some((last, grown)) if *last == slot => *grown += bytes as u64,
            _ => self.grown.push((slot, bytes as u64)),
        }
    }
}

/// Whether the policy lets any key go: an owner that sheds does not look at deadlines.
fn evicts_any_key(settings: &Settings) -> bool {
    use EvictionPolicy::{AllKeysLfu, AllKeysLru, AllKeysRandom, AllKeysS3Fifo};
    matches!(settings.maxmemory_policy, AllKeysS3Fifo | AllKeysLru | AllKeysLfu | AllKeysRandom)
}

impl Drop for Applier {
    fn drop(&mut self) {
        self.inbound.lock().disconnected();
    }
}

/// What applies the records of one frame.
struct Frame<'f, 'e, 's> {
    replication: &'f Replication,
    executor: &'f mut Executor<'e, 's>,
    session: &'f mut Session,
    scratch: &'f mut Scratch,
    position: u64,
    from: Identity,
    inbound: &'f mut Inbound,
    acks: &'f mut Vec<u8>,
}

impl Applier {
    /// The applier of a stream of `from`. A stream whose `session` is new is one that nothing has come of.
    #[must_use]
    pub fn new(replication: &Arc<Replication>, from: Identity, stream: u16, session: u64) -> Self {
        let inbound = {
            let mut streams = replication.inbound.lock();
            let inbound = streams.entry((from, stream)).or_default();
            if inbound.lock().session != session {
                let renewed = inbound.lock().renew(session);
                *inbound = Arc::new(Mutex::new(renewed));
            }
            inbound.lock().connected();
            inbound.clone()
        };
        let clients = &replication.node.clients;
        let nowhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        let client = clients.admit(nowhere, nowhere, -1, 0);
        // Nobody lists or kills it.
        clients.remove(client.id);
        Self {
            replication: replication.clone(),
            from,
            inbound,
            session: Session::new(client, true),
            // What is random was decided by the owner.
            tools: Tools::new(0),
            scratch: Scratch::default(),
        }
    }

    /// The last frame that was applied.
    #[must_use]
    pub fn applied(&self) -> u64 {
        self.inbound.lock().applied
    }

    /// Appends what the copy says first on a connection, before how far it has come: what it refused before. The owner
    /// knows refusals of copies that it has made anew since, and passes over them.
    pub fn put_refusals(&self, acks: &mut Vec<u8>) {
        for (slot, Refused { position, at, reason }) in &self.inbound.lock().refusals {
            put_ack(acks, &Ack::Refused { slot: *slot, position: *position, at: *at, reason: *reason });
        }
    }

    /// Applies a frame, and appends refusals to `acks`. The acknowledgement itself is for the caller to write, once for
    /// several frames. A frame that came before is passed over.
    ///
    /// # Errors
    /// It is no frame of records: the connection is to be closed.
    pub fn apply(&mut self, frame: &[u8], acks: &mut Vec<u8>) -> Result<(), ReplicateError> {
        let (position, records) = split_frame(frame)?;
        let inbound = self.inbound.clone();
        let mut inbound = inbound.lock();
        if position <= inbound.applied {
            return Ok(());
        }
        if position != inbound.applied + 1 {
            inbound.skips();
        }
        self.apply_records(position, records, &mut inbound, acks)?;
        inbound.applied = position;
        Ok(())
    }

    fn apply_records(
        &mut self,
        position: u64,
        records: &[u8],
        inbound: &mut Inbound,
        acks: &mut Vec<u8>,
    ) -> Result<(), ReplicateError> {
        let node: &Node = &self.replication.node;
        let settings = node.settings.load();
        let circumstances = Circumstances { db: 0, now_ms: 0, client_id: 0, touch: true };
        let mut ks = Keyspace::new(&node.store, &NoObserver, circumstances);
        ks.expiry_role = ExpiryRole::Copy;
        ks.access_policy = settings.access_policy();
        let mut executor = Executor::alone(node, &settings, &mut ks, &mut self.tools);
        self.scratch.refused.clear();
        self.scratch.is_short = evicts_any_key(&settings) && !node.memory.has_room();
        let mut frame = Frame {
            replication: &self.replication,
            executor: &mut executor,
            session: &mut self.session,
            scratch: &mut self.scratch,
            position,
            from: self.from,
            inbound,
            acks,
        };
        let mut parts = std::mem::take(&mut frame.inbound.parts);
        let applied = frame.apply_all(Records::new(records), Some(&mut parts));
        frame.inbound.parts = parts;
        applied?;
        // As much as these records brought is to go: the copy stays as large as it is.
        for (slot, bytes) in self.scratch.grown.drain(..) {
            put_ack(acks, &Ack::Shed { slot, bytes });
        }
        if self.scratch.out.capacity() > OUT_KEPT_MAX {
            self.scratch.out = Vec::new();
        }
        ks.release();
        Ok(())
    }
}

impl Frame<'_, '_, '_> {
    /// Applies records. `parts` is what came of one that is cut into parts; `None`: a part would be nothing.
    fn apply_all(&mut self, mut coming: Records<'_>, mut parts: Option<&mut Vec<u8>>) -> Result<(), ReplicateError> {
        let mut window = Window::default();
        while window.fill(&mut coming, &self.replication.node.store)? {
            for ahead in window.records.drain(..) {
                match (ahead, &mut parts) {
                    (Ahead::Effect(planned), _) => self.apply_effect(&planned, &planned.args(&window.words)),
                    (Ahead::Other(Record::Part { is_last, bytes }), Some(parts)) => {
                        self.apply_part(is_last, bytes, parts)?;
                    }
                    (Ahead::Other(record), _) => self.apply_other(record),
                }
            }
        }
        Ok(())
    }

    fn apply_part(&mut self, is_last: bool, bytes: &[u8], parts: &mut Vec<u8>) -> Result<(), ReplicateError> {
        if parts.len() + bytes.len() > RECORD_LEN_MAX {
            return Err(ReplicateError::CutShort);
        }
        parts.extend_from_slice(bytes);
        if is_last {
            let whole = std::mem::take(parts);
            self.apply_all(Records::new(&whole), None)?;
        }
        Ok(())
    }

    fn apply_other(&mut self, record: Record<'_>) {
        match record {
            // Its words cannot be read.
            Record::Effect(effect) => self.refuse(effect.head.slot, effect.head.at.epoch, Refusal::Diverged),
            Record::Entry(entry) => {
                let result = self.put_entry(&entry);
                self.refuse_on_error(entry.slot, entry.epoch, result);
            }
            Record::Wrote { slot, epoch, now_ms, write } => {
                self.control(slot, |control| control.note_write(epoch, now_ms, &write));
            }
            Record::FillBegin { slot, at } => {
                let begun = self.control(slot, |control| control.fill_begins(at));
                if begun.is_ok() {
                    self.inbound.begins(slot, at.epoch);
                    self.scratch.refused.retain(|refused| *refused != slot);
                }
                self.refuse_on_error(slot, at.epoch, begun);
            }
            Record::FillEnd { slot, at } => self.try_control(slot, at.epoch, |control| control.fill_ends(at)),
            Record::Lead { slot, epoch, before } => {
                self.try_control(slot, epoch, |control| control.lead(epoch, before));
            }
            Record::Digest { slot, at, digest } => {
                self.try_control(slot, at.epoch, |control| control.matches(at, digest));
            }
            Record::Grant(row) => {
                let (slot, epoch) = (row.slot, row.epoch);
                let accepted = self.control(slot, |control| control.accept_grant(epoch));
                if accepted.is_ok() {
                    self.replication.tell(PlaneEvent::Granted { row: row_from_wire(row) });
                }
                self.refuse_on_error(slot, epoch, accepted);
            }
            Record::Drop { slot, epoch } => {
                // One who is not the slot's owner any more drops what only he knows of.
                let is_owners = self.is_owners(slot);
                let routing = &self.replication.node.cluster.routing;
                self.control(slot, |control| {
                    if control.drop_copy(epoch, is_owners) {
                        routing.set(slot, routing.route(slot), false);
                    }
                });
            }
            // Their acknowledgement says it all. A part within a part is nothing.
            Record::Heartbeat { .. } | Record::CaughtUp { .. } | Record::Part { .. } => {}
        }
    }

    fn control<R>(&mut self, slot: u16, change: impl FnOnce(&mut SlotControl<'_>) -> R) -> R {
        self.executor.ks.release();
        self.replication.node.store.control(slot, change)
    }

    /// Whether the stream is that of the slot's owner, as far as this node knows.
    fn is_owners(&self, slot: u16) -> bool {
        let routing = &self.replication.node.cluster.routing;
        routing.index_of(&self.from).is_some_and(|from| routing.route(slot) == Route::Peer(from))
    }

    fn try_control(&mut self, slot: u16, epoch: u64, change: impl FnOnce(&mut SlotControl<'_>) -> Result<(), Refusal>) {
        let result = self.control(slot, change);
        self.refuse_on_error(slot, epoch, result);
    }

    fn refuse_on_error(&mut self, slot: u16, epoch: u64, result: Result<(), Refusal>) {
        if let Err(reason) = result {
            self.refuse(slot, epoch, reason);
        }
    }

    /// Drops the copy and tells whoever sent a record of that epoch, once per frame. What an earlier owner had still to say does
    /// no harm to the copy of a later one.
    #[cold]
    fn refuse(&mut self, slot: u16, epoch: u64, reason: Refusal) {
        if self.scratch.refused.contains(&slot) {
            return;
        }
        self.scratch.refused.push(slot);
        let is_owners = self.is_owners(slot);
        let routing = &self.replication.node.cluster.routing;
        let at = self.control(slot, |control| {
            if !is_owners && control.is_past(epoch) {
                return control.position();
            }
            let (at, was_copy) = control.abandon();
            if was_copy {
                routing.set(slot, routing.route(slot), false);
            }
            at
        });
        self.replication.stats.refused.fetch_add(1, Relaxed);
        if reason == Refusal::Diverged {
            self.replication.stats.diverged.fetch_add(1, Relaxed);
            tracing::warn!(slot, ?at, "a copy differs from its owner; it is made anew");
        }
        let position = self.position;
        self.inbound.refusals.insert(slot, Refused { position, at, reason });
        put_ack(self.acks, &Ack::Refused { slot, position, at, reason });
    }

    fn apply_effect(&mut self, planned: &Planned<'_>, args: &Args<'_>) {
        let result = self.run_effect(planned, args);
        let head = &planned.effect.head;
        self.refuse_on_error(head.slot, head.at.epoch, result);
    }

    #[inline]
    fn run_effect(&mut self, planned: &Planned<'_>, args: &Args<'_>) -> Result<(), Refusal> {
        let head = &planned.effect.head;
        if args.is(0, "flushall") || args.is(0, "flushdb") {
            let db = args.is(0, "flushdb").then_some(usize::from(head.db));
            return self.control(head.slot, |control| control.flushed(head.at, db));
        }
        let command = planned.command.ok_or(Refusal::Diverged)?;
        let spec = command.spec;
        let is_write = spec.flags.contains(Flags::WRITE) && spec.accepts(args.len());
        if !is_write || usize::from(head.db) >= DATABASES || !keys_are_of(head.slot, spec, args, planned.key) {
            return Err(Refusal::Diverged);
        }
        let shard = usize::from(head.slot) % SHARDS;
        let ks = &mut *self.executor.ks;
        ks.hold_one(shard);
        ks.shard_mut(shard).accept_effect(head.slot, head.at, head.now_ms, head.write.as_ref())?;
        ks.circumstances.now_ms = head.now_ms;
        if self.scratch.is_short && spec.flags.contains(Flags::DENYOOM) {
            self.scratch.note_growth(head.slot, args.from(0).map(<[u8]>::len).sum());
        }
        self.session.db = usize::from(head.db);
        let out = &mut self.scratch.out;
        out.clear();
        let (result, _) = self.executor.call(self.session, command, args, planned.hashed(), Waiting::Never, out);
        self.replication.stats.applied.fetch_add(1, Relaxed);
        result.map_err(|error| {
            tracing::error!(slot = head.slot, command = spec.name, %error, "an owner's effect failed here");
            Refusal::Diverged
        })
    }

    /// Puts in a key of a copy under way, whatever its deadline: its owner says when it goes.
    fn put_entry(&mut self, entry: &Entry<'_>) -> Result<(), Refusal> {
        if usize::from(entry.db) >= DATABASES || slot_of(entry.key) != entry.slot {
            return Err(Refusal::Diverged);
        }
        let limits = &self.executor.settings.encoding;
        let value = rdb::restore(entry.payload, limits, 0).map_err(|error| {
            tracing::error!(slot = entry.slot, %error, "a value of a copy can't be read");
            Refusal::Diverged
        })?;
        if self.scratch.is_short {
            self.scratch.note_growth(entry.slot, entry.key.len() + entry.payload.len());
        }
        let ks = &mut *self.executor.ks;
        let key = ks.key(entry.key);
        ks.hold_one(key.shard());
        ks.shard_mut(key.shard()).accept_entry(entry.slot, entry.epoch)?;
        (ks.circumstances.now_ms, ks.circumstances.db) = (0, usize::from(entry.db));
        let ttl = entry.deadline_ms.map_or(Ttl::Clear, Ttl::At);
        match value {
            Restored::String(bytes) => ks.put_shared(&key, Arc::new(bytes), ttl),
            Restored::Object(object) => ks.put_object(&key, object, ttl),
        }
        ks.set_access(&key, entry.access);
        Ok(())
    }
}

/// Whether all keys of an effect belong to its slot: only its shard is held.
#[inline]
fn keys_are_of(slot: u16, spec: &command::CommandSpec, args: &Args<'_>, first: Option<HashedKey>) -> bool {
    if spec.single_key {
        return first.is_some_and(|key| key.slot == slot);
    }
    let found = keys_of(spec, args.len(), |index| args.get(index)).unwrap_or_default();
    !found.is_empty() && found.iter().all(|key| slot_of(args.get(key.index)) == slot)
}
