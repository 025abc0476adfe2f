//! Commands that run here for no client of the node: the effects that a copy applies, and tests.

use super::Executor;
use crate::{
    cluster::{forward::slot_set::SlotSet, replication::withheld::Withheld},
    config::settings::Settings,
    node::{Node, stats::WorkerStats},
    session::timing::{BatchTimer, SharedRuns},
    store::keyspace::{Keyspace, Written},
};

/// What whoever runs such commands keeps between them.
pub(crate) struct Tools {
    rng: fastrand::Rng,
    /// They do not count as the node's commands.
    stats: WorkerStats,
    shared_runs: SharedRuns,
    refused: SlotSet,
    withheld: Vec<Withheld>,
    written: Vec<Written>,
}

impl Tools {
    /// `seed` makes the commands' random choices.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            rng: fastrand::Rng::with_seed(seed),
            stats: WorkerStats::default(),
            shared_runs: SharedRuns::new(),
            refused: SlotSet::default(),
            withheld: Vec::new(),
            written: Vec::new(),
        }
    }
}

impl<'e, 's> Executor<'e, 's> {
    /// Runs all commands here: none goes elsewhere, and none waits for copies.
    pub(crate) fn alone(
        node: &'s Node,
        settings: &'e Settings,
        ks: &'e mut Keyspace<'s>,
        tools: &'e mut Tools,
    ) -> Self {
        tools.refused.clear();
        tools.withheld.clear();
        tools.written.clear();
        Self {
            node,
            settings,
            ks,
            rng: &mut tools.rng,
            stats: &tools.stats,
            shards: Vec::new(),
            timer: BatchTimer::start(settings, &mut tools.shared_runs),
            is_clustered: false,
            is_serving: false,
            retry: None,
            refused: &mut tools.refused,
            guards_writes: false,
            withheld: &mut tools.withheld,
            reads_copies: false,
            reads_copy: false,
            lacks_copies: false,
            written: &mut tools.written,
            nth: None,
        }
    }
}
