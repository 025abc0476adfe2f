//! Hears what the nodes report on the connections.

use std::sync::Arc;

use rondache_protocol::resp::value::Value;

use super::{config::Tracking, store::NearStore};
use crate::{Cmd, ConnectionObserver, LinkError};

/// Asks each new connection to report changes, and hands the reports to the store.
pub(super) struct TrackingObserver {
    store: Arc<NearStore>,
}

impl TrackingObserver {
    pub(super) fn new(store: Arc<NearStore>) -> Self {
        Self { store }
    }
}

impl ConnectionObserver for TrackingObserver {
    fn greeting(&self) -> Vec<Cmd> {
        vec![tracking_command(&self.store.config.tracking)]
    }

    /// Between the end of the last connection and the beginning of this one nothing was reported.
    fn connected(&self, node: &str) {
        self.store.drop_node(node);
    }

    fn pushed(&self, node: &str, kind: &[u8], message: &[Value]) {
        if kind != b"invalidate" {
            return;
        }
        match message.first() {
            Some(Value::Array(keys)) => {
                for key in keys.iter().filter_map(Value::as_bytes) {
                    self.store.counters.invalidations.increment();
                    self.store.invalidate(key);
                }
            }
            // Null stands for all keys: the database was flushed, or the node's table overflowed. Whatever else may come
            // one day is not understood, and so casts doubt on everything too.
            _ => self.store.drop_node(node),
        }
    }

    fn disconnected(&self, node: &str, _: &LinkError) {
        self.store.drop_node(node);
    }
}

fn tracking_command(tracking: &Tracking) -> Cmd {
    let cmd = Cmd::new("CLIENT").arg("TRACKING").arg("ON");
    match tracking {
        Tracking::Reads => cmd,
        Tracking::Prefixes(prefixes) => {
            prefixes.iter().fold(cmd.arg("BCAST"), |cmd, prefix| cmd.arg("PREFIX").arg(&prefix[..]))
        }
    }
}
