//! A worker's look at the clock, for all of its waves at once: no timer per request.

use std::{sync::Arc, time::Instant};

use super::link::start_tasks;
use crate::{net::worker::with_worker, node::Node};

/// Wakes waves at their deadlines, after their pauses, and when their slots have other routes. Runs for as long as its
/// worker.
pub(crate) async fn run(node: Arc<Node>) {
    let routing = &node.cluster.routing;
    let sooner = with_worker(|worker| worker.links.sooner());
    loop {
        let seen = routing.changes();
        let next_look = with_worker(|worker| {
            worker.links.tick(routing, Instant::now());
            start_tasks(&node, worker);
            worker.links.next_look()
        });
        tokio::select! {
            () = routing.wait_beyond(seen) => {}
            () = sooner.notified() => {}
            () = tokio::time::sleep_until(next_look.into()) => {}
        }
    }
}
