//! When what waits is tried again: after a pause, or as soon as its slot has another route.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::Notify;

use super::{LinkState, Links, WaveKey};
use crate::cluster::{
    forward::{PARKED_BYTES_MAX, error::ForwardFailure, wave::Wave},
    routing::{PeerIndex, Routing},
};

/// The pause before a refused request is tried again, where no change of routes comes earlier: doubled per try, up to
/// [`RETRY_PAUSE_MAX`]. A slot changes hands within a few milliseconds.
const RETRY_PAUSE_MIN: Duration = Duration::from_millis(2);
const RETRY_PAUSE_MAX: Duration = Duration::from_millis(160);

/// The keeper looks at the deadlines this often while requests wait …
const LOOK_BUSY: Duration = Duration::from_millis(10);
/// … and this often otherwise.
const LOOK_IDLE: Duration = Duration::from_millis(50);

/// Lets a wave pause; answers until when.
pub(super) fn put_off(wave: &mut Wave, now: Instant) -> Instant {
    let pause = RETRY_PAUSE_MIN * 2_u32.saturating_pow(wave.tries.min(8));
    let at = now + pause.min(RETRY_PAUSE_MAX);
    wave.retry_at = Some(at);
    wave.tries += 1;
    at
}

impl Links {
    /// Lets a wave wait before it tries again.
    pub(crate) fn pause(&mut self, key: WaveKey, now: Instant) {
        if let Some(mut wave) = self.borrow(key) {
            self.hold_up(&mut wave, now);
            self.put_back(key, wave);
        }
    }

    /// Lets a WAIT ask anew at that time: what it has asked is over. Answers its wave.
    pub(crate) fn ask_anew(&mut self, key: WaveKey, at: Instant) -> Option<&mut Wave> {
        self.look_by(at);
        let mut wave = self.borrow(key)?;
        if std::mem::take(&mut wave.is_parked) {
            self.parked_bytes -= wave.requests.len();
        }
        wave.items.clear();
        wave.gathers.clear();
        wave.requests.clear();
        wave.replies.clear();
        (wave.retry_at, wave.tries) = (Some(at), 0);
        self.put_back(key, wave);
        self.wave(key)
    }

    /// Lets what could not be sent wait for another route, or for a while.
    pub(super) fn hold_up(&mut self, wave: &mut Wave, now: Instant) {
        if !wave.is_parked {
            if self.parked_bytes + wave.requests.len() > PARKED_BYTES_MAX {
                return wave.give_up_waiting(ForwardFailure::TooManyWait);
            }
            wave.is_parked = true;
            self.parked_bytes += wave.requests.len();
        }
        let at = put_off(wave, now);
        self.look_by(at);
    }

    /// Makes sure that the keeper looks at that time.
    pub(super) fn look_by(&mut self, at: Instant) {
        if at < self.next_look {
            self.next_look = at;
            self.sooner.notify_one();
        }
    }

    /// Tells of times to look that come before those that [`Links::tick`] answered.
    pub(crate) fn sooner(&self) -> Arc<Notify> {
        self.sooner.clone()
    }

    /// When the keeper is to call [`Links::tick`] next.
    pub(crate) fn next_look(&self) -> Instant {
        self.next_look
    }

    /// Wakes the waves whose time has come, or whose slots have other routes, and ends links to the dead.
    pub(crate) fn tick(&mut self, routing: &Routing, now: Instant) {
        self.look_at_peers(routing);
        self.next_look = now + if self.waiting() > 0 { LOOK_BUSY } else { LOOK_IDLE };
        for wave in self.places.iter_mut().filter_map(|place| place.wave.as_deref_mut()) {
            let is_late =
                wave.deadline.is_some_and(|deadline| deadline <= now) && (wave.has_waiting() || !wave.is_blocking());
            match wave.retry_at {
                Some(at) if at > now => self.next_look = self.next_look.min(at),
                Some(_) if wave.has_waiting() => wave.wake(),
                _ => {}
            }
            if is_late || wave.has_new_route(routing) {
                wave.wake();
            }
        }
    }

    /// Ends the links to the dead, and connects to those who are new, before a request has to wait for that.
    fn look_at_peers(&mut self, routing: &Routing) {
        let version = routing.peers_version();
        if version == std::mem::replace(&mut self.peers_version, version) {
            return;
        }
        for (index, peer) in (0..).map(PeerIndex).zip(routing.peers().iter()) {
            let is_new = usize::from(index.0) >= self.links.len();
            let link = self.link(index);
            link.is_dead = peer.is_dead;
            if peer.is_dead {
                link.wake();
            } else if is_new {
                link.state = LinkState::Running;
                self.to_start.push(index);
            }
        }
    }
}
