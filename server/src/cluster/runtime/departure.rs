//! The node leaves: it gives its slots away, says farewell, and ends.

use std::time::{Duration, Instant};

use super::coordination::Coordination;

/// A node that could give nothing away for this long ends all the same.
const PATIENCE: Duration = Duration::from_secs(30);

/// A node on its way out.
#[derive(Debug)]
pub(super) struct Departure {
    /// Since when nothing has been given away.
    stuck_since: Instant,
    /// Slots that were left then.
    left: usize,
}

impl Coordination {
    /// Begins to leave: the others are told, and slots go to the copies that are in sync.
    pub(super) async fn begin_departure(&mut self) {
        if self.departure.is_some() {
            return;
        }
        let left = self.coordinator.owned();
        tracing::info!(slots = left, "leaving: slots are handed to the other nodes first");
        self.departure = Some(Departure { stuck_since: Instant::now(), left });
        self.net.change(|me| me.is_leaving = true).await;
        self.drive(|coordinator, io| coordinator.leave(io));
    }

    /// Ends the node once it has left, or nobody is there to take what it holds.
    pub(super) async fn tick_departure(&mut self) {
        // Counted only here, since it is a look at every slot.
        let Some(departure) = &self.departure else { return };
        let (owned, has_takers) = (self.coordinator.owned(), self.has_takers());
        let is_stuck = departure.stuck_since.elapsed() > PATIENCE;
        if owned < departure.left {
            self.departure = Some(Departure { stuck_since: Instant::now(), left: owned });
        }
        if !self.coordinator.has_left() && has_takers && !is_stuck {
            return;
        }
        if owned > 0 && has_takers {
            tracing::warn!(slots = owned, "leaving without having handed over everything: nobody took the rest");
        }
        self.coordinator.depart();
        self.net.depart().await;
        tracing::info!("left the cluster");
        self.node.shutdown.cancel();
    }

    /// Whether anybody is there who may be given slots.
    fn has_takers(&self) -> bool {
        let me = self.node.cluster.identity;
        self.net.view().live().any(|member| member.info.identity != me && !member.info.is_leaving)
    }
}
