//! Replies to requests of other nodes' clients that wait for their keys.

use std::{
    sync::Arc,
    task::{Context, Waker},
    time::Duration,
};

use parking_lot::Mutex;
use rondache_protocol::bus::{
    forward::{ReplyEncoder, Status, kind},
    frame,
};
use tokio_util::sync::CancellationToken;

use super::FRAME_LEN_MAX;
use crate::{node::Node, session::blocking::Blocked};

/// Frames for a link's socket from tasks beside the one that serves it.
///
/// Bound: one reply per client that waits.
#[derive(Debug, Default)]
pub(super) struct Late(Mutex<Queue>);

#[derive(Debug, Default)]
struct Queue {
    frames: Vec<u8>,
    waker: Option<Waker>,
}

impl Late {
    /// Moves what waits to `out`, and asks to be woken for more.
    pub(super) fn take(&self, cx: &Context<'_>, out: &mut Vec<u8>) {
        let mut queue = self.0.lock();
        out.append(&mut queue.frames);
        match &mut queue.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
    }

    fn push(&self, id: u64, status: Status, reply: &[u8]) {
        let mut queue = self.0.lock();
        let begun = frame::begin(&mut queue.frames, kind::REPLY, 0);
        let mut encoder = ReplyEncoder::begin(&mut queue.frames, id, 1);
        queue.frames.extend_from_slice(reply);
        encoder.end_reply(&mut queue.frames, status);
        encoder.finish(&mut queue.frames, status);
        // What a blocked command gets was one request's value: it fits.
        let _ = frame::finish(&mut queue.frames, begun, FRAME_LEN_MAX);
        let waker = queue.waker.take();
        drop(queue);
        if let Some(waker) = waker {
            waker.wake();
        }
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
                return match reply {
                    Ok(reply) => late.push(id, Status::Done, &reply),
                    Err(_) => late.push(id, Status::Later, &[]),
                };
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
