//! One stream from the owner of slots to one of their copies: what waits to be sent, and what was sent and not yet
//! acknowledged.
//!
//! Whoever executes a write appends its effect under the shard's lock; the order is therefore that of execution, slot by
//! slot. A sender takes whole frames and keeps none of them: they stay here until the copy has applied them, so that a
//! connection that broke is resumed where the copy stands.
//!
//! While something is on its way, what is appended gathers until the copy has acknowledged that, or a frame is full: an
//! idle stream sends at once, and a busy one has few and large frames, as by Nagle's algorithm (RFC 896).
//!
//! Bound: [`UNACKED_BYTES_MAX`]. Beyond it everything that waits is thrown away and every copy that the stream feeds is
//! lost; a lost copy is made anew.

mod event;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
};

use parking_lot::Mutex;
use rondache_protocol::bus::{
    identity::Identity,
    replicate::{FRAME_HEAD_LEN, PART_LEN_MAX, put_heartbeat, put_part},
};

pub use self::event::StreamEvent;

/// A frame with this many bytes is closed, and the next one begun.
const FRAME_LEN_MAX: usize = 128 * 1024;

/// Bytes that may wait for their acknowledgement, per stream. One record more may always be added, so that there is no
/// value that is too large to be copied.
pub const UNACKED_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Frames' buffers that are kept for reuse.
const SPARE_MAX: usize = 8;

/// A closed frame.
#[derive(Debug)]
pub struct Frame {
    /// Its place in the stream, from 1.
    pub position: u64,
    /// The position and the records.
    pub bytes: Vec<u8>,
    /// The owner's time when its first record was appended (unix ms).
    began_ms: u64,
    /// How many records the stream held with this frame.
    records: u64,
}

/// Where something was appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Appended {
    /// The frame that holds it: acknowledged means applied.
    pub(crate) position: u64,
    /// Whether the sender sleeps, and [`Outgoing::wake`] is owed once the batch is done.
    pub(crate) owes_wake: bool,
}

/// The stream has overflowed since the copy began: the copy is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Overflowed;

/// How far a stream is behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamLag {
    /// Records without acknowledgement.
    pub records: u64,
    /// Their bytes.
    pub bytes: usize,
    /// The age of the oldest, in ms.
    pub ms: u64,
}

/// A stream; see the [module](self).
#[derive(Debug)]
pub struct Outgoing {
    /// The node with the copies.
    pub to: Identity,
    /// Which of the streams to it.
    pub stream: u16,
    /// Names this life of the stream: a copy that knew an earlier one begins anew.
    pub session: u64,
    acked: AtomicU64,
    /// A leaf: taken while a shard is held, and nothing is taken while it is held.
    buffer: Mutex<Buffer>,
}

#[derive(Debug)]
struct Buffer {
    /// The frame that is being filled: its head's room, then records. Empty where it has none.
    open: Vec<u8>,
    open_began_ms: u64,
    /// Closed and not acknowledged, by rising position without gaps.
    frames: VecDeque<Arc<Frame>>,
    /// The open frame's position.
    next: u64,
    /// The last position that the connection has.
    sent: u64,
    unacked_bytes: usize,
    unacked_bytes_max: usize,
    /// Counts overflows.
    generation: u64,
    records: u64,
    records_acked: u64,
    /// By slot: the last frame with something of it that the copy refused. At most one per slot.
    refused: BTreeMap<u16, u64>,
    /// Told once their position is acknowledged. At most two per slot.
    marks: VecDeque<(u64, StreamEvent)>,
    events: Vec<StreamEvent>,
    /// Who waits for acknowledgements; bounded by the connections.
    waiting: Vec<(u64, Waker)>,
    sender: Option<Waker>,
    is_asleep: bool,
    is_closed: bool,
    has_overflowed: bool,
    spare: Vec<Vec<u8>>,
}

impl Outgoing {
    /// A stream with nothing in it.
    #[must_use]
    pub fn new(to: Identity, stream: u16) -> Arc<Self> {
        Self::with_limit(to, stream, UNACKED_BYTES_MAX)
    }

    /// A stream that keeps at most about `unacked_bytes_max` bytes.
    #[must_use]
    pub fn with_limit(to: Identity, stream: u16, unacked_bytes_max: usize) -> Arc<Self> {
        let buffer = Buffer {
            open: Vec::new(),
            open_began_ms: 0,
            frames: VecDeque::new(),
            next: 1,
            sent: 0,
            unacked_bytes: 0,
            unacked_bytes_max,
            generation: 0,
            records: 0,
            records_acked: 0,
            refused: BTreeMap::new(),
            marks: VecDeque::new(),
            events: Vec::new(),
            waiting: Vec::new(),
            sender: None,
            is_asleep: false,
            is_closed: false,
            has_overflowed: false,
            spare: Vec::new(),
        };
        Arc::new(Self { to, stream, session: fastrand::u64(..), acked: AtomicU64::new(0), buffer: Mutex::new(buffer) })
    }

    /// Counts the overflows so far: a copy that begins now is lost when it changes.
    pub(crate) fn generation(&self) -> u64 {
        self.buffer.lock().generation
    }

    /// Appends a record. `generation` is that of the copy it is for.
    pub(crate) fn append(
        &self,
        generation: u64,
        now_ms: u64,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Result<Appended, Overflowed> {
        let mut buffer = self.buffer.lock();
        if buffer.generation != generation {
            return Err(Overflowed);
        }
        if buffer.unacked_bytes + buffer.open.len() > buffer.unacked_bytes_max {
            buffer.overflow();
            return Err(Overflowed);
        }
        let position = buffer.append(now_ms, write);
        Ok(Appended { position, owes_wake: buffer.is_asleep && buffer.is_due() })
    }

    /// Appends an event that follows once everything up to `position` is applied; at once where it is already.
    pub(crate) fn mark(&self, position: u64, event: StreamEvent) {
        let mut buffer = self.buffer.lock();
        if position <= self.acked() {
            buffer.events.push(event);
        } else {
            let at = buffer.marks.partition_point(|(of, _)| *of <= position);
            buffer.marks.insert(at, (position, event));
        }
    }

    /// Takes back what was to be told of a parked slot.
    pub(crate) fn unmark_caught_up(&self, slot: u16) {
        let mut buffer = self.buffer.lock();
        buffer.marks.retain(|(_, event)| !event.is_caught_up_of(slot));
        buffer.events.retain(|event| !event.is_caught_up_of(slot));
    }

    /// Takes back whatever was to be told of a slot's copy, which is none any more.
    pub(crate) fn unmark(&self, slot: u16) {
        let mut buffer = self.buffer.lock();
        buffer.marks.retain(|(_, event)| event.slot() != slot);
        buffer.events.retain(|event| event.slot() != slot);
    }

    pub(crate) fn tell(&self, event: StreamEvent) {
        self.buffer.lock().events.push(event);
        self.wake();
    }

    /// Throws away what waits: the copies that the stream feeds are lost.
    pub fn break_off(&self) {
        self.buffer.lock().overflow();
        self.wake();
    }

    /// Ends the stream: its peer is gone for good.
    pub fn close(&self) {
        self.buffer.lock().is_closed = true;
        self.break_off();
    }

    /// Whether the stream has ended.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.buffer.lock().is_closed
    }

    /// Whether the stream has overflowed since this was last asked.
    #[must_use]
    pub fn take_overflow(&self) -> bool {
        std::mem::take(&mut self.buffer.lock().has_overflowed)
    }

    /// Wakes the sender where it sleeps.
    pub fn wake(&self) {
        let waker = {
            let mut buffer = self.buffer.lock();
            buffer.is_asleep = false;
            buffer.sender.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Has the stream say that its owner is there, unless there is something that waits for its acknowledgement anyway.
    pub(crate) fn beat(&self, now_ms: u64) {
        {
            let mut buffer = self.buffer.lock();
            if buffer.is_closed || !buffer.frames.is_empty() || buffer.open.len() > FRAME_HEAD_LEN {
                return;
            }
            buffer.append(now_ms, |buf| put_heartbeat(buf, now_ms));
        }
        self.wake();
    }

    /// Ready when there is something to send now or to tell, or the stream has ended.
    pub fn poll_work(&self, cx: &Context<'_>) -> Poll<()> {
        let mut buffer = self.buffer.lock();
        if buffer.is_due() || !buffer.events.is_empty() || buffer.is_closed {
            buffer.is_asleep = false;
            return Poll::Ready(());
        }
        buffer.sender = Some(cx.waker().clone());
        buffer.is_asleep = true;
        Poll::Pending
    }

    /// Takes frames to send, oldest first: at least one where there is any, and about `bytes_max` bytes.
    pub fn take_frames(&self, frames: &mut Vec<Arc<Frame>>, bytes_max: usize) {
        let mut buffer = self.buffer.lock();
        let mut bytes = 0;
        while bytes < bytes_max {
            let Some(front) = buffer.frames.front().map(|frame| frame.position) else {
                if !buffer.close() {
                    return;
                }
                continue;
            };
            let at = (buffer.sent + 1).saturating_sub(front) as usize;
            let Some(frame) = buffer.frames.get(at).cloned() else {
                if !buffer.close() {
                    return;
                }
                continue;
            };
            bytes += frame.bytes.len();
            buffer.sent = frame.position;
            frames.push(frame);
        }
    }

    /// Takes what is to be told.
    #[must_use]
    pub fn take_events(&self) -> Vec<StreamEvent> {
        std::mem::take(&mut self.buffer.lock().events)
    }

    /// A connection begins, and the copy says how far it had come: the rest is sent again. A copy that has come less far
    /// than it said before is lost with all of its slots.
    pub fn resume(&self, applied: u64) {
        if applied < self.acked() {
            self.break_off();
        }
        self.acknowledge(applied);
        let mut buffer = self.buffer.lock();
        buffer.sent = buffer.frames.front().map_or(buffer.next - 1, |frame| frame.position - 1);
    }

    /// The copy has applied everything up to `position`.
    pub fn acknowledge(&self, position: u64) {
        let mut ready = Vec::new();
        {
            let mut buffer = self.buffer.lock();
            // What was never sent cannot have been applied.
            let position = position.min(buffer.sent);
            while buffer.frames.front().is_some_and(|frame| frame.position <= position) {
                buffer.drop_front();
            }
            self.acked.fetch_max(position, Ordering::AcqRel);
            while let Some((_, event)) = buffer.marks.pop_front_if(|(of, _)| *of <= position) {
                buffer.events.push(event);
            }
            let mut at = 0;
            while at < buffer.waiting.len() {
                if buffer.waiting[at].0 <= position {
                    ready.push(buffer.waiting.swap_remove(at).1);
                } else {
                    at += 1;
                }
            }
            if buffer.is_asleep && buffer.is_due() {
                buffer.is_asleep = false;
                ready.extend(buffer.sender.take());
            }
        }
        ready.into_iter().for_each(Waker::wake);
    }

    /// The copy has refused what the frame at `position` held of a slot, and dropped all that it had of it.
    pub fn note_refused(&self, slot: u16, position: u64) {
        let mut buffer = self.buffer.lock();
        let last = buffer.refused.entry(slot).or_default();
        *last = position.max(*last);
    }

    /// Whether the copy has what was appended of a slot up to `position`.
    #[must_use]
    pub fn is_applied(&self, slot: u16, position: u64) -> bool {
        let is_refused = || self.buffer.lock().refused.get(&slot).is_some_and(|refused| *refused >= position);
        self.acked() >= position && !is_refused()
    }

    /// The last position that the copy has applied, or refused to.
    #[must_use]
    pub fn acked(&self) -> u64 {
        self.acked.load(Ordering::Acquire)
    }

    /// Ready once everything up to `position` is applied.
    pub fn poll_acked(&self, position: u64, cx: &Context<'_>) -> Poll<()> {
        let mut buffer = self.buffer.lock();
        if position <= self.acked() {
            return Poll::Ready(());
        }
        if !buffer.waiting.iter().any(|(of, waker)| *of == position && waker.will_wake(cx.waker())) {
            buffer.waiting.push((position, cx.waker().clone()));
        }
        Poll::Pending
    }

    /// How far the copy is behind.
    #[must_use]
    pub fn lag(&self, now_ms: u64) -> StreamLag {
        let buffer = self.buffer.lock();
        let began_ms = match buffer.frames.front() {
            Some(frame) => Some(frame.began_ms),
            None => (!buffer.open.is_empty()).then_some(buffer.open_began_ms),
        };
        StreamLag {
            records: buffer.records - buffer.records_acked,
            bytes: buffer.unacked_bytes + buffer.open.len(),
            ms: began_ms.map_or(0, |began_ms| now_ms.saturating_sub(began_ms)),
        }
    }
}

impl Buffer {
    fn append(&mut self, now_ms: u64, write: impl FnOnce(&mut Vec<u8>)) -> u64 {
        if self.open.len() >= FRAME_LEN_MAX {
            self.close();
        }
        self.begin_frame(now_ms);
        let from = self.open.len();
        write(&mut self.open);
        self.records += u64::from(self.open.len() > from);
        if self.open.len() - from > PART_LEN_MAX {
            let large = self.open.split_off(from);
            self.append_parts(now_ms, &large);
        }
        self.next
    }

    /// A record that is too large for one frame, in pieces of one frame each.
    fn append_parts(&mut self, now_ms: u64, record: &[u8]) {
        let mut rest = record;
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at(rest.len().min(PART_LEN_MAX));
            rest = behind;
            if self.open.len() > FRAME_HEAD_LEN {
                self.close();
                self.begin_frame(now_ms);
            }
            put_part(&mut self.open, piece, rest.is_empty());
        }
    }

    fn begin_frame(&mut self, now_ms: u64) {
        if self.open.is_empty() {
            self.open_began_ms = now_ms;
            self.open.extend_from_slice(&self.next.to_le_bytes());
        }
    }

    /// Closes the open frame; `false`: it holds nothing.
    fn close(&mut self) -> bool {
        if self.open.len() <= FRAME_HEAD_LEN {
            return false;
        }
        let fresh = self.spare.pop().unwrap_or_default();
        let bytes = std::mem::replace(&mut self.open, fresh);
        self.unacked_bytes += bytes.len();
        let (position, began_ms, records) = (self.next, self.open_began_ms, self.records);
        self.frames.push_back(Arc::new(Frame { position, bytes, began_ms, records }));
        self.next += 1;
        true
    }

    /// Whether something is to be sent now: full frames, or what there is while nothing else is on its way.
    fn is_due(&self) -> bool {
        let has_unsent_frame = self.frames.back().is_some_and(|last| last.position > self.sent);
        let is_under_way = self.frames.front().is_some_and(|first| first.position <= self.sent);
        has_unsent_frame || (self.open.len() > FRAME_HEAD_LEN && !is_under_way)
    }

    fn drop_front(&mut self) {
        let Some(frame) = self.frames.pop_front() else { return };
        self.unacked_bytes -= frame.bytes.len();
        self.records_acked = frame.records;
        // The sender may hold it still.
        if let Some(frame) = Arc::into_inner(frame)
            && self.spare.len() < SPARE_MAX
            && frame.bytes.capacity() <= 2 * FRAME_LEN_MAX
        {
            let mut bytes = frame.bytes;
            bytes.clear();
            self.spare.push(bytes);
        }
    }

    fn overflow(&mut self) {
        self.generation += 1;
        self.has_overflowed = true;
        self.open = Vec::new();
        self.frames.clear();
        self.unacked_bytes = 0;
        self.marks.clear();
        self.records_acked = self.records;
        // The open frame's position stays unused, so that the copy sees a gap.
        self.sent = self.next;
        self.next += 1;
    }
}

#[cfg(test)]
mod tests;
