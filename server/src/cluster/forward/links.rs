//! A worker's links to the other nodes, and the waves of its connections that wait for them.
//!
//! Everything here belongs to one worker thread: nothing is locked, and no other thread is woken. Connections append
//! frames to a link's queue; the link's task runs after them in the same turn of the runtime and sends all with one
//! write. Deciding is apart from sockets: what comes and goes is bytes.

mod timing;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use hashbrown::HashMap;
use rondache_protocol::bus::{
    forward::{self, ForwardEncoder, Reply, Status, kind},
    frame::{self, Begun},
};
use tokio::sync::Notify;

use super::{
    FRAME_LEN_MAX, LINK_QUEUE_BYTES_MAX,
    decided::{Decided, Decision},
    error::ForwardFailure,
    wave::{Item, State, Target, Wave},
};
use crate::{
    cluster::routing::{PeerIndex, Route, Routing},
    store::keyspace::Written,
};

/// How long a peer that could not be reached is left alone.
const RECONNECT_PAUSE: Duration = Duration::from_millis(50);

/// Names a wave among a worker's, for as long as it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WaveKey {
    index: u32,
    generation: u32,
}

const INDEX_BITS: u32 = 24;
const FRAME_BITS: u32 = 16;

impl WaveKey {
    /// The id of one of its frames.
    fn frame_id(self, frame: u16) -> u64 {
        u64::from(self.generation) << (INDEX_BITS + FRAME_BITS) | u64::from(frame) << INDEX_BITS | u64::from(self.index)
    }

    fn of_frame(id: u64) -> (Self, u16) {
        let index = (id & ((1 << INDEX_BITS) - 1)) as u32;
        (Self { index, generation: (id >> (INDEX_BITS + FRAME_BITS)) as u32 }, (id >> INDEX_BITS) as u16)
    }

    fn next_generation(self) -> u32 {
        (self.generation + 1) & ((1 << (64 - INDEX_BITS - FRAME_BITS)) - 1)
    }
}

#[derive(Debug, Default)]
struct Place {
    generation: u32,
    wave: Option<Box<Wave>>,
}

/// How a link is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum LinkState {
    /// Nothing has been asked of it, or it has recovered from a failure.
    #[default]
    Idle,
    /// Its task runs: it connects, or is connected.
    Running,
    /// The peer could not be reached, or went away: it is left alone until then.
    Down(Instant),
}

/// The queue to one peer.
///
/// Bound: [`LINK_QUEUE_BYTES_MAX`] in `out`; while it is full, the connections that want it wait and read no further.
#[derive(Debug, Default)]
struct Link {
    state: LinkState,
    /// Frames that the socket has not taken.
    out: Vec<u8>,
    /// Bytes that were ever queued.
    queued: u64,
    /// Bytes that the socket has taken, of those.
    written: u64,
    /// Frames without a reply, and where in the stream each ends.
    in_flight: HashMap<u64, u64>,
    waker: Option<std::task::Waker>,
    /// Waves that wait for room in `out`.
    wants_room: Vec<WaveKey>,
    is_dead: bool,
    /// Whether the peer was asked, over the connection that is up, to tell of changes of its keys.
    follows: bool,
}

impl Link {
    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// A frame that is being written.
struct OpenFrame {
    peer: PeerIndex,
    number: u16,
    begun: Begun,
    encoder: ForwardEncoder,
    /// The number of the next request that has none yet.
    next: u64,
    id: u64,
}

/// What a worker needs to reach the other nodes.
#[derive(Debug)]
pub(crate) struct Links {
    origin: u64,
    next_number: u64,
    links: Vec<Link>,
    places: Vec<Place>,
    free: Vec<u32>,
    #[expect(clippy::vec_box, reason = "the boxes themselves are what is reused")]
    spare: Vec<Box<Wave>>,
    decided: Decided,
    /// Bytes of waves that wait for owners.
    parked_bytes: usize,
    /// Peers whose links need a task.
    to_start: Vec<PeerIndex>,
    /// Clients that have state at peers, and at which.
    holders: HashMap<u64, Vec<PeerIndex>>,
    /// Whether the worker's keeper runs.
    pub(crate) is_kept: bool,
    /// When the keeper looks next, as far as it knows.
    next_look: Instant,
    /// Tells the keeper to look sooner.
    sooner: Arc<Notify>,
    peers_version: u64,
}

/// How many idle waves are kept for later batches.
const SPARE_MAX: usize = 64;

impl Links {
    /// `origin` is a random word that no other worker in the cluster has.
    pub(crate) fn new(origin: u64) -> Self {
        Self {
            origin,
            next_number: 1,
            links: Vec::new(),
            places: Vec::new(),
            free: Vec::new(),
            spare: Vec::new(),
            decided: Decided::default(),
            parked_bytes: 0,
            to_start: Vec::new(),
            holders: HashMap::new(),
            is_kept: false,
            next_look: Instant::now(),
            sooner: Arc::default(),
            peers_version: u64::MAX,
        }
    }

    /// An empty wave for a batch.
    #[inline]
    pub(crate) fn lend(&mut self) -> Box<Wave> {
        self.spare.pop().unwrap_or_default()
    }

    /// Takes back a wave that nothing joined, or that has ended.
    #[inline]
    pub(crate) fn give_back(&mut self, mut wave: Box<Wave>) {
        if !wave.is_empty() || !wave.requests.is_empty() || !wave.local.is_empty() {
            wave.reset();
        }
        if self.spare.len() < SPARE_MAX {
            self.spare.push(wave);
        }
    }

    /// Registers a wave, so that replies find it.
    pub(crate) fn insert(&mut self, wave: Box<Wave>) -> WaveKey {
        let index = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place::default());
            (self.places.len() - 1) as u32
        });
        let place = &mut self.places[index as usize];
        place.wave = Some(wave);
        WaveKey { index, generation: place.generation }
    }

    /// The wave of that name, if it still waits.
    pub(crate) fn wave(&mut self, key: WaveKey) -> Option<&mut Wave> {
        let place = self.places.get_mut(key.index as usize)?;
        if place.generation == key.generation { place.wave.as_deref_mut() } else { None }
    }

    /// Takes a wave out; replies that come for it are ignored from now on.
    pub(crate) fn remove(&mut self, key: WaveKey) -> Option<Box<Wave>> {
        let place = self.places.get_mut(key.index as usize)?;
        if place.generation != key.generation {
            return None;
        }
        let mut wave = place.wave.take()?;
        place.generation = key.next_generation();
        self.free.push(key.index);
        // The wave is used again: what it owes is paid once.
        if std::mem::take(&mut wave.is_parked) {
            self.parked_bytes -= wave.requests.len();
        }
        Some(wave)
    }

    /// Takes a wave to work on; [`Links::put_back`] must follow.
    pub(crate) fn borrow(&mut self, key: WaveKey) -> Option<Box<Wave>> {
        let place = self.places.get_mut(key.index as usize)?;
        if place.generation == key.generation { place.wave.take() } else { None }
    }

    /// Puts a borrowed wave back.
    pub(crate) fn put_back(&mut self, key: WaveKey, wave: Box<Wave>) {
        if let Some(place) = self.places.get_mut(key.index as usize) {
            place.wave = Some(wave);
        }
    }

    /// Who numbers this worker's requests.
    pub(crate) fn origin(&self) -> u64 {
        self.origin
    }

    /// The peers whose links have something to do and no task.
    pub(crate) fn take_to_start(&mut self) -> Vec<PeerIndex> {
        std::mem::take(&mut self.to_start)
    }

    /// Sends what waits to where the routes lead. What this node is to run itself is left in [`Wave::here`]; what has
    /// nowhere to go waits on.
    ///
    /// Requests for one slot never overtake each other: the first that has to wait holds up the others.
    pub(crate) fn dispatch(&mut self, key: WaveKey, routing: &Routing, now: Instant) {
        let Some(mut wave) = self.places.get_mut(key.index as usize).and_then(|place| place.wave.take()) else {
            return;
        };
        wave.here.clear();
        wave.retry_at = None;
        // Before the routes are read: a change in between is one that was not seen.
        wave.seen_changes = routing.changes();
        self.decided.clear();
        let mut frames: Vec<OpenFrame> = Vec::new();
        let mut is_held_up = false;
        for index in 0..wave.items.len() {
            let item = &mut wave.items[index];
            item.seen = (item.target == Target::Owner).then(|| routing.route(item.slot));
            match item.state {
                State::Done { .. } | State::Failed(_) => continue,
                State::Sent { .. } => {
                    self.decided.set(item.slot, Decision::Hold);
                    continue;
                }
                State::Waiting => {}
            }
            let mut decision = self.decide(key, &wave.items[index], routing, now);
            if decision == Decision::Unreachable {
                wave.send_to_owner(index);
                decision = self.decide(key, &wave.items[index], routing, now);
            }
            match decision {
                Decision::Hold | Decision::Unreachable => is_held_up = true,
                Decision::Here => {
                    // Retries elsewhere are told apart by the number, wherever it was run first.
                    let item = &mut wave.items[index];
                    if item.number == 0 {
                        item.number = self.next_number;
                        self.next_number += 1;
                    }
                    wave.here.push(index);
                }
                Decision::Peer(peer) => self.append(key, &mut wave, index, peer, &mut frames, now),
            }
        }
        self.finish_frames(&mut wave, frames);
        if is_held_up {
            self.hold_up(&mut wave, now);
        }
        self.places[key.index as usize].wave = Some(wave);
    }

    /// Where an item goes now. All of one slot get the same answer in one dispatch.
    fn decide(&mut self, key: WaveKey, item: &Item, routing: &Routing, now: Instant) -> Decision {
        let is_for = |decision: Decision, peer: PeerIndex| decision == Decision::Peer(peer);
        match (item.target, self.decided.get(item.slot)) {
            (Target::Here, _) => return Decision::Here,
            (Target::Node(peer), _) => return self.decide_peer(key, peer, now),
            (Target::Copy(peer), None) => {
                let decision = self.decide_peer(key, peer, now);
                if decision == Decision::Hold {
                    return Decision::Unreachable;
                }
                self.decided.set(item.slot, decision);
                return decision;
            }
            // What went elsewhere, to the owner or to a copy, must have been answered first.
            (Target::Copy(peer), Some(decision)) => {
                return if is_for(decision, peer) { decision } else { Decision::Hold };
            }
            (Target::Owner, Some(decision @ Decision::Peer(peer))) => {
                return if routing.route(item.slot) == Route::Peer(peer) { decision } else { Decision::Hold };
            }
            (Target::Owner, Some(decision)) => return decision,
            (Target::Owner, None) => {}
        }
        let decision = match routing.route(item.slot) {
            Route::Mine => Decision::Here,
            Route::Parked => Decision::Hold,
            Route::Peer(peer) => self.decide_peer(key, peer, now),
        };
        self.decided.set(item.slot, decision);
        decision
    }

    fn decide_peer(&mut self, key: WaveKey, peer: PeerIndex, now: Instant) -> Decision {
        let link = self.link(peer);
        let is_full = link.out.len() >= LINK_QUEUE_BYTES_MAX;
        if is_full && !link.wants_room.contains(&key) {
            link.wants_room.push(key);
        }
        match link.state {
            _ if is_full || link.is_dead => Decision::Hold,
            LinkState::Down(until) if now < until => Decision::Hold,
            _ => Decision::Peer(peer),
        }
    }

    fn link(&mut self, peer: PeerIndex) -> &mut Link {
        let index = usize::from(peer.0);
        if self.links.len() <= index {
            self.links.resize_with(index + 1, Link::default);
        }
        &mut self.links[index]
    }

    fn append(
        &mut self,
        key: WaveKey,
        wave: &mut Wave,
        index: usize,
        peer: PeerIndex,
        frames: &mut Vec<OpenFrame>,
        now: Instant,
    ) {
        let at = match frames.iter().position(|frame| frame.peer == peer) {
            Some(at) => at,
            None => {
                frames.push(self.open_frame(key, wave, peer));
                frames.len() - 1
            }
        };
        let frame = &mut frames[at];
        let item = &mut wave.items[index];
        if item.number == 0 {
            item.number = frame.next;
            frame.next += 1;
        }
        if item.manner.client != 0 {
            let holders = self.holders.entry(item.manner.client).or_default();
            if !holders.contains(&peer) {
                holders.push(peer);
            }
        }
        item.manner.is_retry = item.may_have_run;
        if item.may_have_run {
            let age_ms = now.saturating_duration_since(wave.began).as_millis();
            item.manner.age_ms = u32::try_from(age_ms).unwrap_or(u32::MAX);
        }
        item.state = State::Sent { peer, frame: frame.number };
        let request = wave.requests.get(item.request.clone()).unwrap_or_default();
        frame.encoder.request(&mut self.links[usize::from(peer.0)].out, item.manner, item.number, request);
    }

    fn open_frame(&mut self, key: WaveKey, wave: &mut Wave, peer: PeerIndex) -> OpenFrame {
        let (origin, next) = (self.origin, self.next_number);
        // Room for all of the wave's requests, so that those of one frame are numbered without gaps.
        self.next_number += wave.items.len() as u64;
        let number = wave.frames;
        wave.frames = wave.frames.wrapping_add(1);
        wave.open += 1;
        let id = key.frame_id(number);
        let link = self.link(peer);
        let begun = frame::begin(&mut link.out, kind::FORWARD, 0);
        let encoder = ForwardEncoder::begin(&mut link.out, id, origin);
        OpenFrame { peer, number, begun, encoder, next, id }
    }

    fn finish_frames(&mut self, wave: &mut Wave, frames: Vec<OpenFrame>) {
        for OpenFrame { peer, number, begun, encoder, id, .. } in frames {
            let link = self.link(peer);
            encoder.finish(&mut link.out);
            if frame::finish(&mut link.out, begun, FRAME_LEN_MAX).is_err() {
                wave.lose(number, false);
                (0..wave.items.len()).for_each(|index| wave.resolve(index, State::Failed(ForwardFailure::TooLong)));
                continue;
            }
            link.queued = link.written + link.out.len() as u64;
            link.in_flight.insert(id, link.queued);
            if link.state == LinkState::Running {
                link.wake();
            } else {
                link.state = LinkState::Running;
                self.to_start.push(peer);
            }
        }
    }

    /// Takes a reply frame from a peer.
    ///
    /// # Errors
    /// It does not fit what was asked: the link can't be trusted any more.
    pub(crate) fn take_reply(&mut self, peer: PeerIndex, payload: &[u8], now: Instant) -> Result<(), BadReply> {
        let reply = Reply::decode(payload)?;
        let link = self.link(peer);
        if link.in_flight.remove(&reply.id).is_none() {
            return Err(BadReply::Unasked);
        }
        let (key, frame) = WaveKey::of_frame(reply.id);
        // The client may have gone, or have been answered at its deadline.
        let Some(wave) = self.wave(key) else { return Ok(()) };
        wave.open = wave.open.saturating_sub(1);
        let mut from = wave.replies.len();
        wave.replies.extend_from_slice(reply.bytes());
        let mut items = reply.items();
        let (mut has_any, mut has_progress, mut is_refused, mut lacks_copies) = (false, false, false, false);
        for index in 0..wave.items.len() {
            if !matches!(wave.items[index].state, State::Sent { frame: of, peer: to } if of == frame && to == peer) {
                continue;
            }
            let (status, len) = items.next().ok_or(BadReply::WrongCount)?;
            has_any = true;
            match status {
                Status::Done => {
                    has_progress = true;
                    wave.resolve(index, State::Done { from, len });
                }
                Status::Unknown => wave.resolve(index, State::Failed(ForwardFailure::OutcomeUnknown)),
                Status::Unconfirmed => wave.resolve(index, State::Failed(ForwardFailure::Unconfirmed)),
                Status::NotMine | Status::Moved => {
                    is_refused = true;
                    wave.items[index].lacks_copies = false;
                    wave.send_to_owner(index);
                    wave.resolve(index, State::Waiting);
                }
                Status::TooFewCopies => {
                    lacks_copies = true;
                    wave.items[index].lacks_copies = true;
                    wave.resolve(index, State::Waiting);
                }
                Status::Later => wave.resolve(index, State::Waiting),
            }
            from += len;
        }
        if items.next().is_some() {
            // An answer to a count that was given up: the wave has asked anew.
            return if has_any { Err(BadReply::WrongCount) } else { Ok(()) };
        }
        if lacks_copies {
            // It may take as long as a copy does: its bytes count among those that wait.
            self.pause(key, now);
            self.wave(key).into_iter().for_each(Wave::wake);
        } else if wave.has_waiting() {
            if is_refused || !has_progress {
                let at = timing::put_off(wave, now);
                wave.wake();
                self.look_by(at);
            } else {
                wave.retry_at = None;
                wave.wake();
            }
        } else if wave.unresolved == 0 {
            wave.wake();
        }
        Ok(())
    }

    /// Takes word from a peer of where slots stand with what a frame has written.
    ///
    /// # Errors
    /// It makes no sense.
    pub(crate) fn take_written(&mut self, payload: &[u8]) -> Result<(), BadReply> {
        let (id, written) = forward::decode_written(payload)?;
        if let Some(wave) = self.wave(WaveKey::of_frame(id).0) {
            wave.written.extend(written.map(|(slot, at)| Written { slot, at }));
        }
        Ok(())
    }

    /// Lets a WAIT ask anew at that time: what it has asked is over. Answers its wave.
    pub(crate) fn ask_anew(&mut self, key: WaveKey, at: Instant) -> Option<&mut Wave> {
        self.look_by(at);
        let place = self.places.get_mut(key.index as usize)?;
        let wave = place.wave.as_deref_mut()?;
        if std::mem::take(&mut wave.is_parked) {
            self.parked_bytes -= wave.requests.len();
        }
        wave.items.clear();
        wave.gathers.clear();
        wave.requests.clear();
        wave.replies.clear();
        (wave.retry_at, wave.tries) = (Some(at), 0);
        Some(wave)
    }

    /// Tells the peers that keep state for a client to forget it.
    pub(crate) fn release(&mut self, client: u64) {
        for peer in self.holders.remove(&client).unwrap_or_default() {
            let link = self.link(peer);
            // Where there is no connection, the state went with it.
            if link.state == LinkState::Running {
                let begun = frame::begin(&mut link.out, kind::RELEASE, 0);
                link.out.extend_from_slice(&client.to_le_bytes());
                // A frame of eight bytes is never too long.
                let _ = frame::finish(&mut link.out, begun, FRAME_LEN_MAX);
                link.queued = link.written + link.out.len() as u64;
                link.wake();
            }
        }
    }

    /// Ends a client's wait at the peers where it waits.
    pub(crate) fn unblock(&mut self, client: u64, with_error: bool) {
        for peer in self.holders.get(&client).cloned().unwrap_or_default() {
            let link = self.link(peer);
            if link.state == LinkState::Running {
                let begun = frame::begin(&mut link.out, kind::UNBLOCK, 0);
                link.out.extend_from_slice(&client.to_le_bytes());
                link.out.push(u8::from(with_error));
                // A frame of nine bytes is never too long.
                let _ = frame::finish(&mut link.out, begun, FRAME_LEN_MAX);
                link.queued = link.written + link.out.len() as u64;
                link.wake();
            }
        }
    }

    /// Queues frames that have no reply; `false`: the link is full, or its peer is away, and they are lost.
    pub(crate) fn send(&mut self, peer: PeerIndex, frames: &[u8]) -> bool {
        let link = self.link(peer);
        let is_down = link.is_dead || matches!(link.state, LinkState::Down(until) if Instant::now() < until);
        if is_down || link.out.len() + frames.len() > LINK_QUEUE_BYTES_MAX {
            return false;
        }
        link.out.extend_from_slice(frames);
        link.queued = link.written + link.out.len() as u64;
        if link.state == LinkState::Running {
            link.wake();
        } else {
            link.state = LinkState::Running;
            self.to_start.push(peer);
        }
        true
    }

    /// Asks a peer to tell of changes of its keys from here on, or no more; where it can't be asked now, it is to be asked
    /// again.
    pub(crate) fn follow(&mut self, peer: PeerIndex, wants: bool) {
        if self.link(peer).follows == wants {
            return;
        }
        let mut ask = Vec::new();
        let begun = frame::begin(&mut ask, kind::TRACK, 0);
        ask.push(u8::from(wants));
        // A frame of one byte is never too long.
        let _ = frame::finish(&mut ask, begun, FRAME_LEN_MAX);
        if self.send(peer, &ask) {
            self.link(peer).follows = wants;
        }
    }

    /// What is to be sent to a peer.
    pub(crate) fn queued(&mut self, peer: PeerIndex) -> &[u8] {
        &self.link(peer).out
    }

    /// The socket has taken so many bytes.
    pub(crate) fn sent(&mut self, peer: PeerIndex, len: usize) {
        let link = self.link(peer);
        link.written += len as u64;
        if len == link.out.len() {
            link.out.clear();
            link.out.shrink_to(LINK_QUEUE_BYTES_MAX);
        } else {
            link.out.drain(..len);
        }
        if link.out.len() < LINK_QUEUE_BYTES_MAX / 2 && !link.wants_room.is_empty() {
            for key in std::mem::take(&mut link.wants_room) {
                if let Some(wave) = self.wave(key) {
                    wave.retry_at = None;
                    wave.wake();
                }
            }
        }
    }

    /// The link's task waits for something to send; `false`: the link is to end.
    pub(crate) fn wait(&mut self, peer: PeerIndex, waker: &std::task::Waker) -> bool {
        let link = self.link(peer);
        match &mut link.waker {
            Some(current) => current.clone_from(waker),
            empty => *empty = Some(waker.clone()),
        }
        !link.is_dead
    }

    /// The connection to a peer is gone, or never was: what it left unanswered goes back to its waves. Answers whether it
    /// would have told of changes of the peer's keys.
    pub(crate) fn lose(&mut self, peer: PeerIndex, now: Instant) -> bool {
        let link = self.link(peer);
        let followed = std::mem::take(&mut link.follows);
        link.state = LinkState::Down(now + RECONNECT_PAUSE);
        link.out.clear();
        link.waker = None;
        let written = link.written;
        let lost: Vec<_> = link.in_flight.drain().collect();
        let wants_room = std::mem::take(&mut link.wants_room);
        link.queued = written;
        for (id, end) in lost {
            let (key, frame) = WaveKey::of_frame(id);
            if let Some(wave) = self.wave(key) {
                wave.lose(frame, end <= written);
                wave.retry_at = None;
                wave.wake();
            }
        }
        for key in wants_room {
            self.wave(key).into_iter().for_each(Wave::wake);
        }
        followed
    }

    /// How many waves wait.
    pub(crate) fn waiting(&self) -> usize {
        self.places.len() - self.free.len()
    }
}

/// A peer's reply makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadReply {
    #[error(transparent)]
    Malformed(#[from] forward::ForwardError),
    #[error("a reply to nothing that was asked")]
    Unasked,
    #[error("another number of replies than of requests")]
    WrongCount,
}

#[cfg(test)]
mod tests;
