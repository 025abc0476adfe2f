//! Sends what waits: decides where each request goes, and puts those for one peer into one frame.

use std::time::Instant;

use rondache_protocol::bus::{
    forward::{ForwardEncoder, kind},
    frame::{self, Begun},
};

use super::{Links, WaveKey, peer::LinkState};
use crate::cluster::{
    forward::{
        FRAME_LEN_MAX, LINK_QUEUE_BYTES_MAX,
        decided::Decision,
        error::ForwardFailure,
        wave::{Item, State, Target, Wave},
    },
    routing::{PeerIndex, Route, Routing},
};

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

impl Links {
    /// Sends what waits to where the routes lead. What this node is to run itself is left in [`Wave::here`]; what has
    /// nowhere to go waits on, or fails where nobody is about to take its slot over.
    ///
    /// Requests for one slot never overtake each other: the first that has to wait holds up the others.
    pub(crate) fn dispatch(&mut self, key: WaveKey, routing: &Routing, now: Instant) {
        let Some(mut wave) = self.borrow(key) else { return };
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
                Decision::Down => wave.fail_waiting(index, ForwardFailure::Down),
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
        self.put_back(key, wave);
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
            Route::Down => Decision::Down,
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
                wave.fail_frame(number, ForwardFailure::TooLong);
                continue;
            }
            link.count_queued();
            let end = link.queued;
            link.in_flight.insert(id, end);
            self.set_going(peer);
        }
    }
}
