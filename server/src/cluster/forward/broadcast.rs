//! Messages for the subscribers of other nodes: PUBLISH, SPUBLISH and keyspace events.
//!
//! Whoever publishes only appends to a queue, from any thread and with shards held. One task sends it to all live peers
//! over the links of its worker. Nobody waits for a peer: what a full or broken link can't take is lost to it, since
//! messages of channels are delivered at most once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use rondache_protocol::bus::{
    forward::{ChannelKind, Publish, kind},
    frame,
};
use tokio::sync::Notify;

use super::{FRAME_LEN_MAX, link::start_tasks};
use crate::{cluster::routing::PeerIndex, net::worker::with_worker, node::Node};

/// Bytes of messages that wait to be sent; beyond it messages are lost to other nodes.
pub const BROADCAST_BYTES_MAX: usize = 8 * 1024 * 1024;

/// How soon a node that meets its first other begins to tell it of messages.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// Messages on their way to other nodes.
///
/// Bound: [`BROADCAST_BYTES_MAX`].
#[derive(Debug, Default)]
pub struct Broadcasts {
    /// Whether there are other nodes.
    is_on: AtomicBool,
    /// Frames. A leaf: nothing else is locked meanwhile.
    frames: Mutex<Vec<u8>>,
    filled: Notify,
    lost: AtomicU64,
}

impl Broadcasts {
    /// Whether there are other nodes.
    #[inline]
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.is_on.load(Ordering::Relaxed)
    }

    /// Sends a message to the subscribers of all other nodes.
    pub fn publish(&self, kind: ChannelKind, channel: &[u8], message: &[u8]) {
        if !self.is_on() {
            return;
        }
        let mut frames = self.frames.lock();
        if frames.len() + channel.len() + message.len() > BROADCAST_BYTES_MAX {
            self.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let was_empty = frames.is_empty();
        let begun = frame::begin(&mut frames, kind::PUBLISH, 0);
        Publish { kind, channel, message }.encode(&mut frames);
        // The queue's bound is below a frame's.
        let _ = frame::finish(&mut frames, begun, FRAME_LEN_MAX);
        drop(frames);
        if was_empty {
            self.filled.notify_one();
        }
    }

    /// How many messages were lost because too much waited.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

/// Sends what is published to all live peers, and asks them to tell of changes while clients track, for as long as its
/// worker runs.
pub(crate) async fn run(node: Arc<Node>) {
    let (broadcasts, tracking) = (&node.hub.broadcasts, &node.hub.tracking);
    let mut was_tracking = false;
    loop {
        tokio::select! {
            () = broadcasts.filled.notified() => {}
            () = tracking.wait_begun() => {}
            () = tokio::time::sleep(LOOK_INTERVAL) => {}
        }
        broadcasts.is_on.store(node.cluster.routing.is_clustered(), Ordering::Relaxed);
        let frames = std::mem::take(&mut *broadcasts.frames.lock());
        let tracks = tracking.clients() > 0;
        if frames.is_empty() && !tracks && !was_tracking {
            continue;
        }
        was_tracking = tracks;
        let peers = node.cluster.routing.peers();
        with_worker(|worker| {
            for (index, _) in peers.iter().enumerate().filter(|(_, peer)| !peer.is_dead) {
                worker.links.follow(PeerIndex(index as u16), tracks);
                if frames.is_empty() {
                    continue;
                }
                if !worker.links.send(PeerIndex(index as u16), &frames) {
                    broadcasts.lost.fetch_add(1, Ordering::Relaxed);
                }
            }
            start_tasks(&node, worker);
        });
    }
}
