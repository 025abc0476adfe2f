//! A data plane that keeps of each slot the list of its writes. Copies go in one frame, after a while.

use std::collections::{BTreeMap, BTreeSet};

use rondache_protocol::bus::identity::Identity;

use crate::cluster::plane::{DataPlane, Follow, PlaneEvent, Position, Row, Start};

/// What owners and copies send each other, in order.
#[derive(Clone, Debug)]
pub(super) enum Frame {
    /// All that the slot holds.
    Whole {
        slot: u16,
        epoch: u64,
        writes: Vec<u32>,
    },
    /// Where an owner begins.
    Begin {
        slot: u16,
        epoch: u64,
        seq: usize,
    },
    Effect {
        slot: u16,
        epoch: u64,
        seq: usize,
        write: u32,
    },
    Grant {
        row: Row,
        seq: usize,
    },
    /// The copy, if none yet by any row, is not wanted any more.
    Stop {
        slot: u16,
        epoch: u64,
    },
    Ack {
        slot: u16,
        epoch: u64,
        seq: usize,
    },
    Nack {
        slot: u16,
        epoch: u64,
    },
}

/// One of a slot's copies, as its owner sees it.
#[derive(Debug, Default)]
struct Stream {
    is_begun: bool,
    is_synced: bool,
    acked: usize,
    has_caught_up: bool,
}

#[derive(Debug, Default)]
enum Held {
    #[default]
    Nothing,
    Owned {
        is_parked: bool,
        streams: BTreeMap<Identity, Stream>,
    },
    Copy {
        from: Identity,
        is_listed: bool,
    },
}

#[derive(Debug, Default)]
struct Slot {
    epoch: u64,
    held: Held,
    writes: Vec<u32>,
    owner: Option<Identity>,
}

/// One node's model.
#[derive(Debug, Default)]
pub(super) struct Plane {
    slots: Vec<Slot>,
    pub(super) frames: Vec<(Identity, Frame)>,
    pub(super) events: Vec<PlaneEvent>,
    /// Slots that this node began to own.
    pub(super) owned: Vec<(u16, u64)>,
    /// Copies that wait for their turn.
    pub(super) waiting: Vec<(u16, Identity)>,
    /// Streams that lost frames, and since when.
    broken: BTreeMap<Identity, u64>,
    /// Writes that a copy in sync has.
    pub(super) acknowledged: Vec<(u16, u32)>,
}

impl Plane {
    pub(super) fn new(slots: u16) -> Self {
        Self { slots: (0..slots).map(|_| Slot::default()).collect(), ..Self::default() }
    }

    fn slot(&mut self, slot: u16) -> &mut Slot {
        &mut self.slots[usize::from(slot)]
    }

    pub(super) fn executes(&self, slot: u16) -> bool {
        matches!(self.slots[usize::from(slot)].held, Held::Owned { is_parked: false, .. })
    }

    pub(super) fn writes(&self, slot: u16) -> &[u32] {
        &self.slots[usize::from(slot)].writes
    }

    /// Executes a write, if the slot is this node's.
    pub(super) fn write(&mut self, slot: u16, write: u32) {
        let Slot { epoch, held, writes, .. } = &mut self.slots[usize::from(slot)];
        if let Held::Owned { is_parked: false, streams } = held {
            writes.push(write);
            for (to, _) in streams.iter().filter(|(_, stream)| stream.is_begun) {
                self.frames.push((*to, Frame::Effect { slot, epoch: *epoch, seq: writes.len(), write }));
            }
        }
    }

    /// A frame to or from the peer was lost: what was streamed to it is void after a while.
    pub(super) fn broke(&mut self, peer: Identity, now_ms: u64) {
        self.broken.entry(peer).or_insert(now_ms);
    }

    pub(super) fn is_broken(&self, peer: &Identity) -> bool {
        self.broken.contains_key(peer)
    }

    /// Starts waiting copies, and gives up streams that broke.
    pub(super) fn tick(&mut self, now_ms: u64, starts_max: usize) {
        let over: Vec<Identity> =
            self.broken.iter().filter(|(_, since_ms)| now_ms >= *since_ms + 300).map(|(peer, _)| *peer).collect();
        for peer in over {
            self.broken.remove(&peer);
            for slot in 0..self.slots.len() as u16 {
                self.lose(slot, peer);
                let epoch = self.slot(slot).epoch;
                self.drop_unlisted(peer, slot, epoch);
            }
        }
        for _ in 0..starts_max.min(self.waiting.len()) {
            let (slot, to) = self.waiting.remove(0);
            let Slot { epoch, held, writes, .. } = &mut self.slots[usize::from(slot)];
            if let Held::Owned { streams, .. } = held
                && let Some(stream) = streams.get_mut(&to).filter(|stream| !stream.is_begun)
            {
                stream.is_begun = true;
                self.frames.push((to, Frame::Whole { slot, epoch: *epoch, writes: writes.clone() }));
            }
        }
    }

    fn lose(&mut self, slot: u16, to: Identity) {
        let epoch = self.slot(slot).epoch;
        if let Held::Owned { streams, .. } = &mut self.slot(slot).held
            && streams.remove(&to).is_some()
        {
            self.events.push(PlaneEvent::CopyLost { slot, epoch, to });
        }
    }

    pub(super) fn receive(&mut self, from: Identity, frame: Frame) {
        match frame {
            Frame::Whole { slot, epoch, writes } => self.receive_whole(from, slot, epoch, writes),
            Frame::Begin { slot, epoch, seq } => self.receive_effect(from, slot, epoch, seq, None),
            Frame::Effect { slot, epoch, seq, write } => self.receive_effect(from, slot, epoch, seq, Some(write)),
            Frame::Grant { row, seq } => {
                let place = self.slot(row.slot);
                if matches!(place.held, Held::Copy { .. }) && place.writes.len() == seq && place.epoch < row.epoch {
                    self.events.push(PlaneEvent::Granted { row });
                }
            }
            Frame::Stop { slot, epoch } => self.drop_unlisted(from, slot, epoch),
            Frame::Ack { slot, epoch, seq } => self.receive_ack(from, slot, epoch, seq),
            Frame::Nack { slot, epoch } => {
                if self.slot(slot).epoch == epoch {
                    self.lose(slot, from);
                }
            }
        }
    }

    fn drop_unlisted(&mut self, from: Identity, slot: u16, epoch: u64) {
        let place = self.slot(slot);
        if matches!(place.held, Held::Copy { from: known, is_listed: false } if known == from) && place.epoch == epoch {
            place.held = Held::Nothing;
            place.writes.clear();
        }
    }

    fn receive_whole(&mut self, from: Identity, slot: u16, epoch: u64, writes: Vec<u32>) {
        let place = self.slot(slot);
        if matches!(place.held, Held::Owned { .. }) || epoch < place.epoch {
            self.frames.push((from, Frame::Nack { slot, epoch }));
            return;
        }
        let seq = writes.len();
        *place = Slot { epoch, held: Held::Copy { from, is_listed: false }, writes, owner: place.owner };
        self.frames.push((from, Frame::Ack { slot, epoch, seq }));
    }

    fn receive_effect(&mut self, from: Identity, slot: u16, epoch: u64, seq: usize, write: Option<u32>) {
        let place = self.slot(slot);
        let is_next = seq == place.writes.len() + usize::from(write.is_some());
        let is_gone = epoch == place.epoch && place.owner.is_none();
        let is_right = match &place.held {
            Held::Copy { from: known, .. } => epoch > place.epoch || (epoch == place.epoch && *known == from),
            _ => false,
        };
        if !is_right || !is_next || is_gone {
            self.frames.push((from, Frame::Nack { slot, epoch }));
            return;
        }
        place.epoch = epoch;
        if let Held::Copy { from: known, .. } = &mut place.held {
            *known = from;
        }
        place.writes.extend(write);
        self.frames.push((from, Frame::Ack { slot, epoch, seq }));
    }

    fn receive_ack(&mut self, from: Identity, slot: u16, epoch: u64, seq: usize) {
        let Slot { epoch: mine, held, writes, .. } = &mut self.slots[usize::from(slot)];
        let Held::Owned { is_parked, streams, .. } = held else { return };
        let Some(stream) = streams.get_mut(&from).filter(|_| *mine == epoch) else { return };
        if !stream.is_begun {
            return;
        }
        if !stream.is_synced {
            stream.is_synced = true;
            self.events.push(PlaneEvent::CopySynced { slot, epoch, to: from });
        }
        let news = writes.iter().take(seq).skip(stream.acked).map(|write| (slot, *write));
        self.acknowledged.extend(news);
        stream.acked = stream.acked.max(seq);
        if *is_parked && stream.acked == writes.len() && !stream.has_caught_up {
            stream.has_caught_up = true;
            self.events.push(PlaneEvent::CaughtUp { slot, epoch, copy: from });
        }
    }
}

impl DataPlane for Plane {
    fn own(&mut self, slot: u16, epoch: u64, start: Start, copies: &[Identity]) {
        let place = &mut self.slots[usize::from(slot)];
        if start == Start::Cold {
            place.writes.clear();
        }
        let seq = place.writes.len();
        let stream = || Stream { is_begun: true, is_synced: true, acked: seq, has_caught_up: false };
        let streams = copies.iter().map(|copy| (*copy, stream())).collect();
        place.held = Held::Owned { is_parked: false, streams };
        place.epoch = epoch;
        self.frames.extend(copies.iter().map(|copy| (*copy, Frame::Begin { slot, epoch, seq })));
        self.waiting.retain(|(waiting, _)| *waiting != slot);
        self.owned.push((slot, epoch));
    }

    fn follow(&mut self, slot: u16, epoch: u64, owner: Option<Identity>, follow: Follow) {
        let place = self.slot(slot);
        place.owner = owner;
        let was_owned = matches!(place.held, Held::Owned { .. });
        match (&mut place.held, follow) {
            (Held::Owned { .. }, Follow::Copy) => {
                place.held = Held::Copy { from: owner.expect("a giver knows its taker"), is_listed: true };
                place.epoch = epoch;
            }
            (Held::Copy { is_listed, from }, Follow::Copy) => {
                *is_listed = true;
                if epoch > place.epoch {
                    *from = owner.unwrap_or(*from);
                }
                place.epoch = place.epoch.max(epoch);
            }
            (Held::Nothing, Follow::Copy) => place.epoch = epoch,
            (held, Follow::Forward) => {
                let is_coming = match held {
                    Held::Copy { is_listed, from } => {
                        let is_same = place.epoch == epoch && Some(*from) == owner.or(Some(*from));
                        place.epoch > epoch || (is_same && !*is_listed)
                    }
                    _ => false,
                };
                if !is_coming {
                    place.held = Held::Nothing;
                    place.writes.clear();
                    place.epoch = epoch;
                }
            }
        }
        if was_owned {
            self.waiting.retain(|(waiting, _)| *waiting != slot);
        }
    }

    fn start_copy(&mut self, slot: u16, to: Identity) {
        if let Held::Owned { streams, .. } = &mut self.slot(slot).held {
            streams.insert(to, Stream::default());
            self.waiting.push((slot, to));
        }
    }

    fn stop_copy(&mut self, slot: u16, to: Identity) {
        if let Held::Owned { streams, .. } = &mut self.slot(slot).held {
            streams.remove(&to);
        }
        let epoch = self.slot(slot).epoch;
        self.frames.push((to, Frame::Stop { slot, epoch }));
        self.waiting.retain(|waiting| *waiting != (slot, to));
    }

    fn park(&mut self, slot: u16) {
        let Slot { epoch, held, writes, .. } = &mut self.slots[usize::from(slot)];
        let Held::Owned { is_parked, streams } = held else { panic!("slot {slot} is not owned") };
        *is_parked = true;
        for (copy, stream) in streams {
            stream.has_caught_up = stream.is_synced && stream.acked == writes.len();
            if stream.has_caught_up {
                self.events.push(PlaneEvent::CaughtUp { slot, epoch: *epoch, copy: *copy });
            }
        }
    }

    fn unpark(&mut self, slot: u16) {
        if let Held::Owned { is_parked, .. } = &mut self.slot(slot).held {
            *is_parked = false;
        }
    }

    fn grant(&mut self, row: &Row) {
        let place = self.slot(row.slot);
        assert!(matches!(place.held, Held::Owned { is_parked: true, .. }), "slot {} is not parked", row.slot);
        let seq = place.writes.len();
        self.frames.push((row.owner, Frame::Grant { row: row.clone(), seq }));
    }

    fn position(&self, slot: u16) -> Position {
        let slot = &self.slots[usize::from(slot)];
        match slot.held {
            Held::Nothing => Position::default(),
            _ => Position { epoch: slot.epoch, seq: slot.writes.len() as u64 },
        }
    }
}

/// Who acknowledged what is told to the world once.
pub(super) fn distinct(acknowledged: Vec<(u16, u32)>) -> BTreeSet<(u16, u32)> {
    acknowledged.into_iter().collect()
}
