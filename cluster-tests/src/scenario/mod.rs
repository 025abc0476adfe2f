//! What happens to a cluster, and what must hold then. Each returns what was seen; the caller judges it.

pub mod change;
pub mod death;
pub mod hammer;
pub mod isolation;
pub mod minority;
pub mod registers;
pub mod renumbering;
pub mod restart;
pub mod saturation;
pub mod seed_name;
pub mod survivor;
pub mod waiters;

use std::time::Duration;

/// Waits where the time itself is what matters: how old a write is, how long a cable is out. Where something is to have
/// happened, that is waited for instead.
async fn let_pass(time: Duration) {
    tokio::time::sleep(time).await;
}
