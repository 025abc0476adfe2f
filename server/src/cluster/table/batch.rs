//! Rows as they travel: nodes named once, and neighbours that differ only in their slot told in one go.

use std::collections::HashMap;

use rondache_protocol::bus::identity::Identity;
use serde::{Deserialize, Serialize};

use super::super::plane::{Claim, Row};

/// The most rows of one batch.
pub const BATCH_ROWS_MAX: usize = 2048;

/// Rows of some slots. What a peer sent may be anything: [`RowBatch::rows`] skips what is no row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowBatch {
    nodes: Vec<Identity>,
    runs: Vec<Run>,
}

/// Rows of neighbouring slots that are the same in all else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Run {
    slot: u16,
    len: u16,
    epoch: u64,
    version: u32,
    claim: Claim,
    owner: u16,
    copies: Vec<u16>,
}

impl RowBatch {
    /// The rows, in batches of at most [`BATCH_ROWS_MAX`]. Rows should come sorted by slot: it makes them smaller.
    #[must_use]
    pub fn of(rows: impl IntoIterator<Item = Row>) -> Vec<Self> {
        let mut batches = Vec::new();
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            batches.push(Self::one(rows.by_ref().take(BATCH_ROWS_MAX)));
        }
        batches
    }

    /// The rows that it holds, at most [`BATCH_ROWS_MAX`].
    pub fn rows(&self) -> impl Iterator<Item = Row> {
        self.runs.iter().flat_map(|run| self.expand(run)).take(BATCH_ROWS_MAX)
    }

    /// Whether it holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// In how many pieces the rows travel.
    #[cfg(test)]
    pub(super) fn runs_len(&self) -> usize {
        self.runs.len()
    }

    fn one(rows: impl Iterator<Item = Row>) -> Self {
        let mut batch = Self::default();
        let mut numbers = HashMap::new();
        for row in rows {
            let mut number = |node: Identity| {
                *numbers.entry(node).or_insert_with(|| {
                    batch.nodes.push(node);
                    (batch.nodes.len() - 1) as u16
                })
            };
            let owner = number(row.owner);
            let copies = row.copies.iter().map(|copy| number(*copy)).collect();
            let (slot, epoch, version, claim) = (row.slot, row.epoch, row.version, row.claim);
            batch.push(Run { slot, len: 1, epoch, version, claim, owner, copies });
        }
        batch
    }

    fn push(&mut self, run: Run) {
        if let Some(last) = self.runs.last_mut() {
            let next = Run { slot: last.slot, len: last.len, ..run.clone() };
            if last.slot.checked_add(last.len) == Some(run.slot) && *last == next {
                last.len += 1;
                return;
            }
        }
        self.runs.push(run);
    }

    fn expand(&self, run: &Run) -> impl Iterator<Item = Row> {
        let node = |number: &u16| self.nodes.get(usize::from(*number)).copied();
        let nodes = node(&run.owner).zip(run.copies.iter().map(node).collect::<Option<Vec<_>>>());
        let slots = run.slot..run.slot.saturating_add(run.len);
        let (epoch, version, claim) = (run.epoch, run.version, run.claim);
        nodes.into_iter().flat_map(move |(owner, copies)| {
            slots.clone().map(move |slot| Row { slot, epoch, version, claim, owner, copies: copies.clone() })
        })
    }
}
