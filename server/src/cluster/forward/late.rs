//! Replies to requests of other nodes' clients that wait: for their keys, or for copies to confirm what they wrote.

use std::{
    sync::Arc,
    task::{Context, Waker},
    time::Duration,
};

use parking_lot::Mutex;
use rondache_protocol::bus::{
    forward::{self, ReplyEncoder, Status, kind},
    frame,
};
use tokio_util::sync::CancellationToken;

use super::FRAME_LEN_MAX;
use crate::{
    cluster::replication::withheld::{self, Withheld},
    node::Node,
    session::blocking::Blocked,
};

/// Frames for a link's socket from tasks beside the one that serves it.
///
/// Bound: one reply per client that waits, and one frame per wave of the other node.
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
        let waker = queue.waker.take();
        drop(queue);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// Sends a reply frame once copies have confirmed what its requests wrote, of which `nth` says which it was.
pub(super) async fn confirm(node: Arc<Node>, mut payload: Vec<u8>, mut withheld: Vec<Withheld>, late: Arc<Late>) {
    withheld::wait(&node, &mut withheld, withheld::patience(&node)).await;
    for write in &withheld {
        forward::set_reply_status(&mut payload, write.nth.unwrap_or(0), Status::Unconfirmed);
    }
    late.push_frame(|frames| {
        // It was measured when its requests had run.
        let _ = frame::encode(frames, kind::REPLY, 0, &payload, FRAME_LEN_MAX);
    });
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
                let status = if answer.withheld.is_empty() { Status::Done } else { Status::Unconfirmed };
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
