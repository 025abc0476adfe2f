//! A worker's look at the clock, for all of its waves at once: no timer per request.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{net::worker::with_worker, node::Node};

/// How often it looks while requests wait; a pause before a retry is as exact as this.
const TICK_BUSY: Duration = Duration::from_millis(10);
/// How often it looks otherwise.
const TICK_IDLE: Duration = Duration::from_millis(50);

/// Wakes waves at their deadlines, after their pauses, and when routes change. Runs for as long as its worker.
pub(crate) async fn run(node: Arc<Node>) {
    let routing = &node.cluster.routing;
    loop {
        let seen = routing.changes();
        let is_busy = with_worker(|worker| {
            worker.links.tick(routing, Instant::now());
            worker.links.waiting() > 0
        });
        let tick = if is_busy { TICK_BUSY } else { TICK_IDLE };
        tokio::select! {
            () = routing.wait_beyond(seen) => {}
            () = tokio::time::sleep(tick) => {}
        }
    }
}
