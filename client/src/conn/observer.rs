//! Who wants to know what happens on connections.

use rondache_protocol::resp::value::Value;

use crate::{Cmd, error::LinkError};

/// Follows the shared connections of a client: what a near cache needs, for instance, to be told of invalidations and of
/// the moments from which on they may have been missed. All methods are called on a connection's task: be quick.
pub trait ConnectionObserver: Send + Sync {
    /// Commands to send on each new connection, behind the greeting and before any request, such as CLIENT TRACKING. If
    /// one of them is answered with an error, connecting has failed.
    fn greeting(&self) -> Vec<Cmd> {
        Vec::new()
    }

    /// A connection to a node (its address) is usable.
    fn connected(&self, node: &str) {
        let _ = node;
    }

    /// A push message came: its kind, such as `invalidate`, and what follows. It comes in the order of the replies: those
    /// before it have been handed to their callers, though these may not have run yet.
    fn pushed(&self, node: &str, kind: &[u8], message: &[Value]) {
        let _ = (node, kind, message);
    }

    /// A connection that was usable is gone.
    fn disconnected(&self, node: &str, why: &LinkError) {
        let _ = (node, why);
    }
}
