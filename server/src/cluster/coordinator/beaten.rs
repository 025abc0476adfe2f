//! Rows of later epochs that lost against better claims. Whoever followed one refuses effects of earlier epochs, so that the
//! better claim's owner has to rise above it. It may never hear of the row from anybody else, since rows that have lost are
//! told no more; so it is told until it has risen.

use std::collections::BTreeMap;

use rondache_protocol::bus::identity::Identity;

use super::{Coordinator, Io, message::CoordinatorMessage};
use crate::cluster::{plane::Row, table::batch::RowBatch};

/// The rows that this node followed. At most one per slot.
#[derive(Debug, Default)]
pub(super) struct Beaten {
    rows: BTreeMap<u16, Row>,
    due_ms: u64,
}

impl Beaten {
    pub(super) fn note(&mut self, row: &Row) {
        let known = self.rows.entry(row.slot).or_insert_with(|| row.clone());
        if known.epoch < row.epoch {
            known.clone_from(row);
        }
        self.due_ms = 0;
    }
}

impl Coordinator {
    /// Tells owners of rows that they have yet to rise above.
    pub(super) fn tick_beaten(&mut self, io: &mut Io<'_>) {
        if self.beaten.rows.is_empty() || io.now_ms < self.beaten.due_ms {
            return;
        }
        self.beaten.due_ms = io.now_ms + self.settings.digest_ms;
        let (me, table) = (self.me, &self.table);
        self.beaten.rows.retain(|slot, row| table.epoch(*slot) <= row.epoch && table.owner(*slot) != Some(me));
        let mut told: BTreeMap<Identity, Vec<Row>> = BTreeMap::new();
        for (slot, row) in &self.beaten.rows {
            if let Some(owner) = table.owner(*slot).filter(|owner| *owner != row.owner) {
                told.entry(owner).or_default().push(row.clone());
            }
        }
        for (owner, rows) in told {
            for rows in RowBatch::of(rows) {
                io.send(owner, CoordinatorMessage::Rows(rows));
            }
        }
    }
}
