//! What comes of a frame that was sent: its replies, or the loss of the connection that carried it.

use std::time::{Duration, Instant};

use rondache_protocol::bus::forward::{self, Reply, Status};

use super::{Links, WaveKey, peer::LinkState, timing};
use crate::{
    cluster::{
        forward::{
            error::ForwardFailure,
            wave::{State, Wave},
        },
        routing::PeerIndex,
    },
    store::keyspace::Written,
};

/// How long a peer that could not be reached is left alone.
pub(super) const RECONNECT_PAUSE: Duration = Duration::from_millis(50);

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

/// What the replies of a frame amount to.
#[derive(Clone, Copy, Debug, Default)]
struct Answered {
    has_progress: bool,
    /// Something is to be asked of another owner.
    is_refused: bool,
    lacks_copies: bool,
}

/// Gives a frame's replies to the items that were sent in it. `None`: there are none any more.
fn take_items(wave: &mut Wave, reply: &Reply<'_>, peer: PeerIndex, frame: u16) -> Result<Option<Answered>, BadReply> {
    let mut from = wave.replies.len();
    wave.replies.extend_from_slice(reply.bytes());
    let mut items = reply.items();
    let (mut has_any, mut answered, mut lost) = (false, Answered::default(), Vec::new());
    for index in 0..wave.items.len() {
        let item = &mut wave.items[index];
        if !matches!(item.state, State::Sent { frame: of, peer: to } if of == frame && to == peer) {
            continue;
        }
        let (status, len) = items.next().ok_or(BadReply::WrongCount)?;
        has_any = true;
        match status {
            // What ran behind a write that is lost saw it, and is lost with it.
            Status::Done | Status::Unconfirmed if lost.contains(&item.slot) => wave.retry(index),
            Status::Done => {
                answered.has_progress = true;
                wave.resolve(index, State::Done { from, len });
            }
            Status::Unknown => wave.resolve(index, State::Failed(ForwardFailure::OutcomeUnknown)),
            Status::Unconfirmed => wave.resolve(index, State::Failed(ForwardFailure::Unconfirmed)),
            Status::Lost => {
                answered.is_refused = true;
                lost.push(item.slot);
                wave.retry(index);
            }
            Status::NotMine | Status::Moved => {
                answered.is_refused = true;
                item.lacks_copies = false;
                wave.send_to_owner(index);
                wave.resolve(index, State::Waiting);
            }
            Status::TooFewCopies => {
                answered.lacks_copies = true;
                item.lacks_copies = true;
                wave.resolve(index, State::Waiting);
            }
            Status::Later => wave.resolve(index, State::Waiting),
        }
        from += len;
    }
    match items.next() {
        None => Ok(Some(answered)),
        Some(_) if has_any => Err(BadReply::WrongCount),
        // An answer to a count that was given up: the wave has asked anew.
        Some(_) => Ok(None),
    }
}

impl Links {
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
        let Some(answered) = take_items(wave, &reply, peer, frame)? else { return Ok(()) };
        let Answered { has_progress, is_refused, lacks_copies } = answered;
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
}
