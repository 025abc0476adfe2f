//! What a link's other end is sent apart from the replies at hand: replies to requests that waited, for their keys or for
//! copies to confirm what they wrote, and invalidations.

use std::{
    sync::Arc,
    task::{Context, Waker},
    time::Duration,
};

use parking_lot::{Mutex, MutexGuard};
use rondache_protocol::bus::{
    forward::{self, Invalidation, ReplyEncoder, Status, kind},
    frame,
};
use tokio_util::sync::CancellationToken;

use super::FRAME_LEN_MAX;
use crate::{
    cluster::replication::withheld::{self, Withheld},
    node::Node,
    session::blocking::Blocked,
    store::{keyspace::Written, observer::Observer},
};

/// Invalidations that wait for a link's socket: with more, the peer is told that everything is stale.
const INVALIDATIONS_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Frames for a link's socket from tasks beside the one that serves it.
///
/// Bound: one reply per client that waits, one frame per wave of the other node, and [`INVALIDATIONS_BYTES_MAX`]. The lock
/// is a leaf: shards may be held.
#[derive(Debug, Default)]
pub(crate) struct Late(Mutex<Queue>);

#[derive(Debug, Default)]
struct Queue {
    frames: Vec<u8>,
    invalidations: Vec<u8>,
    waker: Option<Waker>,
}

impl Late {
    /// Moves what waits to `out`, and asks to be woken for more.
    pub(in crate::cluster) fn take(&self, cx: &Context<'_>, out: &mut Vec<u8>) {
        let mut queue = self.0.lock();
        out.append(&mut queue.frames);
        out.append(&mut queue.invalidations);
        queue.invalidations.shrink_to(INVALIDATIONS_BYTES_MAX / 64);
        match &mut queue.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
    }

    fn push(&self, id: u64, status: Status, reply: &[u8]) {
        self.push_frame(|frames| {
            let begun = frame::begin(frames, kind::REPLY, 0);
            let mut encoder = ReplyEncoder::begin(frames, id, 1);
            frames.extend_from_slice(reply);
            encoder.end_reply(frames, status);
            encoder.finish(frames, status);
            // What a blocked command gets was one request's value: it fits.
            let _ = frame::finish(frames, begun, FRAME_LEN_MAX);
        });
    }

    fn push_frame(&self, write: impl FnOnce(&mut Vec<u8>)) {
        let mut queue = self.0.lock();
        write(&mut queue.frames);
        wake(queue);
    }

    /// Tells the peer that copies of its clients are stale.
    pub(crate) fn invalidate(&self, stale: Invalidation<'_>) {
        let mut queue = self.0.lock();
        let queue_len = queue.invalidations.len();
        let (stale, is_full) = match stale {
            Invalidation::Key(key) | Invalidation::KeyBy(_, key) if queue_len + key.len() > INVALIDATIONS_BYTES_MAX => {
                (Invalidation::All, true)
            }
            stale => (stale, stale == Invalidation::All),
        };
        if is_full {
            // It covers what was to be told before.
            queue.invalidations.clear();
        }
        write_invalidation(stale, &mut queue.invalidations);
        wake(queue);
    }
}

fn wake(mut queue: MutexGuard<'_, Queue>) {
    let waker = queue.waker.take();
    drop(queue);
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// Appends a frame.
pub(super) fn write_invalidation(stale: Invalidation<'_>, out: &mut Vec<u8>) {
    let begun = frame::begin(out, kind::INVALIDATE, 0);
    stale.encode(out);
    // A key was a part of a request: it fits.
    let _ = frame::finish(out, begun, FRAME_LEN_MAX);
}

/// Appends a frame that tells where slots stand with what a frame's requests wrote; none where they wrote nothing.
pub(super) fn write_written(id: u64, written: &[Written], out: &mut Vec<u8>) {
    if written.is_empty() {
        return;
    }
    let begun = frame::begin(out, kind::WRITTEN, 0);
    forward::encode_written(id, written.iter().map(|written| (written.slot, written.at)), out);
    // It has a few bytes for each request of a frame that was short enough.
    let _ = frame::finish(out, begun, FRAME_LEN_MAX);
}

/// Sends a reply frame once copies have confirmed what its requests wrote, of which `nth` says which it was. `count`: how
/// many requests there are.
pub(super) async fn confirm(
    node: Arc<Node>,
    mut payload: Vec<u8>,
    count: usize,
    mut withheld: Vec<Withheld>,
    late: Arc<Late>,
) {
    let mut writes: Vec<usize> = withheld.iter().filter_map(|write| write.nth).collect();
    writes.dedup();
    withheld::wait(&node, &mut withheld, withheld::patience(&node)).await;
    for write in &withheld {
        let status = if write.is_lost { Status::Lost } else { Status::Unconfirmed };
        forward::set_reply_status(&mut payload, write.nth.unwrap_or(0), status);
    }
    late.push_frame(|frames| {
        // It was measured when its requests had run.
        let _ = frame::encode(frames, kind::REPLY, 0, &payload, FRAME_LEN_MAX);
    });
    if writes.len() < count && node.hub.interest().tracking() {
        // What was read in the same frame may have changed since, and been told of before it was sent.
        late.invalidate(Invalidation::All);
    }
}

/// Waits for a blocked command's reply, its timeout, its client's end, or for its slot to go to another node.
pub(super) async fn wait(node: Arc<Node>, id: u64, mut blocked: Blocked, ended: CancellationToken, late: Arc<Late>) {
    let timeout = async {
        match blocked.timeout_ms {
            Some(timeout_ms) => tokio::time::sleep(Duration::from_millis(timeout_ms)).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(timeout);
    let mut has_timed_out = false;
    loop {
        let seen = node.cluster.routing.changes();
        if !blocked.is_here(&node) && blocked.withdraw(&node) {
            return late.push(id, Status::Moved, &[]);
        }
        tokio::select! {
            biased;
            reply = &mut blocked.reply => {
                blocked.leave(&node);
                let Ok(mut answer) = reply else { return late.push(id, Status::Later, &[]) };
                withheld::wait(&node, &mut answer.withheld, withheld::patience(&node)).await;
                let status = match answer.withheld.first() {
                    None => Status::Done,
                    // Whoever served it has given it no id by which the next owner could tell.
                    Some(write) if write.is_lost => Status::Unknown,
                    Some(_) => Status::Unconfirmed,
                };
                late.push_frame(|frames| write_written(id, &answer.written, frames));
                return late.push(id, status, &answer.reply);
            }
            () = ended.cancelled() => return blocked.abandon(&node),
            () = &mut timeout, if !has_timed_out => {
                has_timed_out = true;
                blocked.time_out(&node);
            }
            () = node.cluster.routing.wait_beyond(seen) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(late: &Late) -> Vec<Vec<u8>> {
        let mut bytes = Vec::new();
        late.take(&Context::from_waker(Waker::noop()), &mut bytes);
        let (mut from, mut payloads) = (0, Vec::new());
        while let Ok(Some((frame, len))) = frame::decode(&bytes[from..], FRAME_LEN_MAX) {
            payloads.push(frame.payload.to_vec());
            from += len;
        }
        payloads
    }

    #[test]
    fn a_peer_that_falls_too_far_behind_is_told_that_everything_is_stale() {
        let late = Late::default();
        let key = vec![b'k'; INVALIDATIONS_BYTES_MAX / 4];
        (0..5).for_each(|_| late.invalidate(Invalidation::Key(&key)));
        late.invalidate(Invalidation::Key(b"last"));
        let told = told(&late);
        let told: Vec<_> = told.iter().map(|payload| Invalidation::decode(payload).unwrap()).collect();
        assert_eq!(told[0], Invalidation::All);
        assert_eq!(told.last(), Some(&Invalidation::Key(b"last")));
        assert!(told.len() <= 3, "{}", told.len());
    }
}
