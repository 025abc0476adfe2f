//! What happens to a cluster, and what must hold then. Each returns what was seen; the caller judges it.

pub mod change;
pub mod death;
pub mod hammer;
pub mod isolation;
pub mod minority;

use std::time::Duration;

/// Waits while clients work: there is no event to wait for, only time to pass.
pub(crate) async fn let_work(time: Duration) {
    tokio::time::sleep(time).await;
}
