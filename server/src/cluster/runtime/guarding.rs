//! The frozen-node guard's beats, and the questions after a freeze.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, oneshot},
    time::{MissedTickBehavior, interval, timeout},
};

use crate::{
    cluster::{
        guard::BEAT_INTERVAL_MS,
        thread::net::{ClusterNet, Standing},
    },
    node::{Node, clock},
};

/// Asks the coordinator to compare tables with everybody; the answer comes when all have answered.
pub(super) type Fence = oneshot::Sender<()>;

/// How long the others may take to say what they own. One that takes longer is as good as dead: its rows come later.
const FENCE_DEADLINE: Duration = Duration::from_millis(1_000);

/// Beats while the cluster's thread runs. After a gap, requests wait until another member has said that this node is still
/// one, and all have told which slots they took over meanwhile.
pub(super) async fn run(node: Arc<Node>, net: ClusterNet, fences: mpsc::Sender<Fence>) {
    let guard = &node.cluster.guard;
    let mut beats = interval(Duration::from_millis(BEAT_INTERVAL_MS));
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let me = node.cluster.identity;
    loop {
        beats.tick().await;
        if guard.beat(clock::boot_ms()) {
            continue;
        }
        let is_alone = || net.view().live().all(|member| member.info.identity == me);
        let standing = if is_alone() { Standing::Alone } else { net.confirm_membership().await };
        match standing {
            Standing::Alone => {}
            Standing::Member => {
                let (asked, answered) = oneshot::channel();
                if fences.send(asked).await.is_err() {
                    return;
                }
                // Whoever does not answer in time has its say later, as after any partition.
                let _ = timeout(FENCE_DEADLINE, answered).await;
            }
            // It comes back by itself, or becomes alone in its own view: then the next beat opens.
            Standing::Dead | Standing::Unknown => continue,
        }
        // A freeze between the answer and here is a gap that the next beat sees.
        tracing::warn!(?standing, "the node had stopped for a while; it is sure of its slots again, and goes on");
        guard.open();
    }
}
