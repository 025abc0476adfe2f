//! What is counted of each node: its commands, by family.

use std::{sync::Arc, time::Duration};

use rondache_protocol::command::Group;

use super::{
    counters::Counter,
    histogram::{Histogram, HistogramSnapshot},
};

/// The families of the command table, and one for commands that it does not know.
const FAMILIES: usize = Group::Stream as usize + 2;
const OTHER: usize = FAMILIES - 1;

/// The commands sent to one node. Recording one is three additions to memory that all who send to the node share.
#[derive(Debug)]
pub(crate) struct NodeMetrics {
    families: Box<[Family; FAMILIES]>,
    hedges: Counter,
}

#[derive(Debug, Default)]
struct Family {
    errors: Counter,
    latency: Histogram,
}

impl Default for NodeMetrics {
    fn default() -> Self {
        Self { families: Box::new(std::array::from_fn(|_| Family::default())), hedges: Counter::default() }
    }
}

impl NodeMetrics {
    /// A request, of this family if the command table knows it, has ended after so long.
    #[inline]
    pub(crate) fn record(&self, group: Option<Group>, latency: Duration, is_ok: bool) {
        let family = &self.families[group.map_or(OTHER, |group| group as usize)];
        family.latency.record(latency);
        if !is_ok {
            family.errors.increment();
        }
    }

    /// A read that another node was slow to answer is sent to this one too.
    pub(crate) fn hedged(&self) {
        self.hedges.increment();
    }

    /// The families that were used.
    pub(crate) fn snapshot(&self, node: Arc<str>) -> NodeSnapshot {
        let named = GROUPS.into_iter().map(Group::name).chain(["other"]).zip(self.families.iter());
        let families = named.map(|(family, metrics)| FamilySnapshot {
            family,
            errors: metrics.errors.get(),
            latency: metrics.latency.snapshot(),
        });
        NodeSnapshot {
            node,
            hedges: self.hedges.get(),
            families: families.filter(|family| family.requests() > 0).collect(),
        }
    }
}

/// All groups in the order of their numbers.
const GROUPS: [Group; OTHER] = [
    Group::String,
    Group::Bitmap,
    Group::Generic,
    Group::Hash,
    Group::List,
    Group::Set,
    Group::SortedSet,
    Group::HyperLogLog,
    Group::Geo,
    Group::Transactions,
    Group::PubSub,
    Group::Connection,
    Group::Server,
    Group::Cluster,
    Group::Scripting,
    Group::Stream,
];

/// What a client has counted, at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientSnapshot {
    /// The nodes that were sent something, by address.
    pub nodes: Vec<NodeSnapshot>,
}

/// What was counted of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodeSnapshot {
    /// The node's address.
    pub node: Arc<str>,
    /// Reads that were sent to it because another copy was slow to answer.
    pub hedges: u64,
    /// The families of commands that were sent to it.
    pub families: Vec<FamilySnapshot>,
}

/// What was counted of one family of commands on one node.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FamilySnapshot {
    /// The family's name, as `COMMAND DOCS` has it; `other` for commands that the client's command table does not know.
    pub family: &'static str,
    /// Requests that failed, redirections included: error replies, lost connections, timeouts.
    pub errors: u64,
    /// How long requests took, those that failed included.
    pub latency: HistogramSnapshot,
}

impl FamilySnapshot {
    /// Requests sent: attempts, so that a call that was repeated counts each time.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.latency.count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_group_stands_at_its_number() {
        for (number, group) in GROUPS.into_iter().enumerate() {
            assert_eq!(group as usize, number, "{}", group.name());
        }
    }

    #[test]
    fn a_snapshot_names_the_families_that_were_used() {
        let metrics = NodeMetrics::default();
        metrics.record(Some(Group::Hash), Duration::from_micros(80), true);
        metrics.record(Some(Group::Hash), Duration::from_micros(80), false);
        metrics.record(None, Duration::from_micros(80), true);
        let families = metrics.snapshot("a:1".into()).families;
        let seen: Vec<_> = families.iter().map(|family| (family.family, family.requests(), family.errors)).collect();
        assert_eq!(seen, [("hash", 2, 1), ("other", 1, 0)]);
    }
}
