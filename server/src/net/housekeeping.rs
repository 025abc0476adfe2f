//! What no connection does by itself: closing the idle and the hopelessly slow, and tidying up behind those that left.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use crate::{
    config::settings::Settings,
    node::{Node, clock},
    session::{client::Client, mailbox::CloseReason},
};

/// How often tracked keys are tidied up.
const TICK: Duration = Duration::from_millis(100);

/// Ticks between two looks at all clients.
const TICKS_PER_SWEEP: u32 = 5;

/// Runs until the node shuts down.
pub(crate) async fn run(node: Arc<Node>) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut count = 0_u32;
    loop {
        tokio::select! {
            biased;
            () = node.shutdown.cancelled() => return,
            _ = ticks.tick() => {}
        }
        node.cluster.grace.sweep(clock::unix_ms());
        node.hub.tracking.tidy();
        count = count.wrapping_add(1);
        if count.is_multiple_of(TICKS_PER_SWEEP) {
            sweep(&node, clock::unix_ms());
        }
    }
}

/// Closes clients that have been idle for longer than `timeout`, or behind for longer than their soft limit allows.
fn sweep(node: &Node, now_ms: u64) {
    let settings = node.settings.load();
    for client in node.clients.all() {
        if client.mailbox.waiting_bytes() > 0 && client.mailbox.enforce(client.output_limit(&settings.output_limits)) {
            tracing::warn!(client = client.id, "closing a client that fell too far behind with its output");
        }
        if is_idle(&client, &settings, now_ms) {
            client.mailbox.close(CloseReason::Idle);
        }
    }
}

fn is_idle(client: &Client, settings: &Settings, now_ms: u64) -> bool {
    let idle_ms = now_ms.saturating_sub(client.active_ms.load(Ordering::Relaxed));
    if settings.idle_timeout_s == 0 || idle_ms <= settings.idle_timeout_s.saturating_mul(1000) {
        return false;
    }
    // Those that wait for something are not idle.
    let facts = client.facts.lock();
    !client.is_subscribed() && !facts.is_blocked && !facts.is_monitor
}
