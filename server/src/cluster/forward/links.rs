//! A worker's links to the other nodes, and the waves of its connections that wait for them.
//!
//! Everything here belongs to one worker thread: nothing is locked, and no other thread is woken. Connections append
//! frames to a link's queue; the link's task runs after them in the same turn of the runtime and sends all with one
//! write. Deciding is apart from sockets: what comes and goes is bytes.

mod answers;
mod dispatch;
mod peer;
#[cfg(test)]
mod tests;
mod timing;
mod waves;

use std::{sync::Arc, time::Instant};

use hashbrown::HashMap;
use rondache_protocol::bus::{forward::kind, frame};
use tokio::sync::Notify;

pub(crate) use self::waves::WaveKey;
use self::{
    peer::{Link, LinkState},
    waves::Place,
};
use super::{FRAME_LEN_MAX, LINK_QUEUE_BYTES_MAX, decided::Decided, wave::Wave};
use crate::cluster::routing::PeerIndex;

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

    /// Who numbers this worker's requests.
    pub(crate) fn origin(&self) -> u64 {
        self.origin
    }

    /// The peers whose links have something to do and no task.
    pub(crate) fn take_to_start(&mut self) -> Vec<PeerIndex> {
        std::mem::take(&mut self.to_start)
    }

    fn link(&mut self, peer: PeerIndex) -> &mut Link {
        let index = usize::from(peer.0);
        if self.links.len() <= index {
            self.links.resize_with(index + 1, Link::default);
        }
        &mut self.links[index]
    }

    /// Tells the peers that keep state for a client to forget it.
    pub(crate) fn release(&mut self, client: u64) {
        let payload = client.to_le_bytes();
        for peer in self.holders.remove(&client).unwrap_or_default() {
            self.tell_holder(peer, kind::RELEASE, &payload);
        }
    }

    /// Ends a client's wait at the peers where it waits.
    pub(crate) fn unblock(&mut self, client: u64, with_error: bool) {
        let mut payload = client.to_le_bytes().to_vec();
        payload.push(u8::from(with_error));
        for peer in self.holders.get(&client).cloned().unwrap_or_default() {
            self.tell_holder(peer, kind::UNBLOCK, &payload);
        }
    }

    /// Says something of a client to a peer that keeps state for it. Where there is no connection, the state went with it.
    fn tell_holder(&mut self, peer: PeerIndex, kind: u8, payload: &[u8]) {
        let link = self.link(peer);
        if link.state == LinkState::Running {
            put_small_frame(&mut link.out, kind, payload);
            link.count_queued();
            link.wake();
        }
    }

    /// Wakes the link's task, or has it started.
    fn set_going(&mut self, peer: PeerIndex) {
        let link = self.link(peer);
        if link.state == LinkState::Running {
            link.wake();
        } else {
            link.state = LinkState::Running;
            self.to_start.push(peer);
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
        link.count_queued();
        self.set_going(peer);
        true
    }

    /// Asks a peer to tell of changes of its keys from here on, or no more; where it can't be asked now, it is to be asked
    /// again.
    pub(crate) fn follow(&mut self, peer: PeerIndex, wants: bool) {
        if self.link(peer).follows == wants {
            return;
        }
        let mut ask = Vec::new();
        put_small_frame(&mut ask, kind::TRACK, &[u8::from(wants)]);
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
}

/// Appends a frame of a few bytes, which is never too long.
fn put_small_frame(out: &mut Vec<u8>, kind: u8, payload: &[u8]) {
    let begun = frame::begin(out, kind, 0);
    out.extend_from_slice(payload);
    let _ = frame::finish(out, begun, FRAME_LEN_MAX);
}
