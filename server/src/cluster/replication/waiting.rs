//! Acknowledgements that somebody waits for: WAIT, `write-acks`.

use std::{future::poll_fn, sync::Arc, task::Poll};

use super::Replication;
use crate::store::{keyspace::Written, replicate::outgoing::Outgoing};

/// What must be acknowledged for one slot: its copies' streams and places in them.
type Needed = Vec<(Arc<Outgoing>, u64)>;

impl Replication {
    /// How many copies a slot has that are sent everything.
    #[must_use]
    pub fn copies_in_sync(&self, slot: u16) -> usize {
        self.node.store.control(slot, |control| control.acks().len())
    }

    /// Waits until so many copies have applied all of these writes, and answers how many have: for ever where the slots
    /// have fewer copies, or have lost the writes with an owner. The caller sets the deadline, and asks
    /// [`Replication::acked`] when it has passed.
    ///
    /// A copy is counted once it has all of the slot's writes up to this call, which are no fewer.
    pub async fn wait_acked(&self, written: &[Written], wanted: usize) -> usize {
        let needed = self.needed(written);
        poll_fn(|cx| {
            let count = least(&needed);
            if count >= wanted {
                return Poll::Ready(count);
            }
            for (outgoing, position) in needed.iter().flatten() {
                let _ = outgoing.poll_acked(*position, cx);
            }
            // An acknowledgement may have come before there was a waker for it.
            let count = least(&needed);
            if count >= wanted { Poll::Ready(count) } else { Poll::Pending }
        })
        .await
    }

    /// How many copies have applied all of these writes.
    #[must_use]
    pub fn acked(&self, written: &[Written]) -> usize {
        least(&self.needed(written))
    }

    fn needed(&self, written: &[Written]) -> Vec<Needed> {
        let of =
            |written: &Written| {
                self.node.store.control(written.slot, |control| {
                    if control.holds(written.at) { control.acks() } else { Vec::new() }
                })
            };
        written.iter().map(of).collect()
    }
}

fn least(needed: &[Needed]) -> usize {
    let acked = |slot: &Needed| slot.iter().filter(|(outgoing, position)| outgoing.acked() >= *position).count();
    needed.iter().map(acked).min().unwrap_or(0)
}
