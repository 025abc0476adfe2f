//! What members tell each other of keys, memory, lag and clocks, for the status of all of them at any of them.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use rondache_protocol::bus::identity::Identity;
use serde::{Deserialize, Serialize};

use crate::{
    cluster::{member::View, replication::Replication, status::MemberStatus},
    node::{Node, clock},
};

/// Members report this often, in clusters of up to [`EAGER_MEMBERS_MAX`]; in larger ones as much more seldom, so that a node
/// never hears of more than so many in that time.
const INTERVAL: Duration = Duration::from_secs(1);
const EAGER_MEMBERS_MAX: usize = 64;

/// How a member is doing, in its own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Keys that it owns.
    pub keys: u64,
    /// Memory that it uses.
    pub memory_bytes: u64,
    /// Its `maxmemory`; 0: no limit.
    pub memory_bytes_max: u64,
    /// How far the furthest of the copies that it feeds is behind (ms).
    pub lag_ms: u64,
    /// Its clock (unix ms).
    pub now_ms: u64,
}

impl Report {
    fn of(node: &Node, replication: &Replication) -> Self {
        let now_ms = clock::unix_ms();
        Self {
            keys: node.count_keys().owned,
            memory_bytes: node.memory.used_bytes(),
            memory_bytes_max: node.settings.load().maxmemory_bytes,
            lag_ms: replication.lag(now_ms).ms,
            now_ms,
        }
    }
}

/// The latest reports. Bound: one per live member.
#[derive(Debug, Default)]
pub(super) struct Reports {
    /// With how far the member's clock was ahead of this node's when it arrived (ms).
    latest: HashMap<Identity, (Report, i64)>,
    made: Option<Instant>,
}

impl Reports {
    /// This node's own report, where one is due.
    pub(super) fn due(&mut self, node: &Node, replication: &Replication, view: &View) -> Option<Report> {
        let interval = INTERVAL.mul_f64((view.live().count() as f64 / EAGER_MEMBERS_MAX as f64).max(1.0));
        if self.made.is_some_and(|made| made.elapsed() < interval) {
            return None;
        }
        self.made = Some(Instant::now());
        self.latest.retain(|identity, _| view.is_alive(identity));
        let report = Report::of(node, replication);
        self.latest.insert(node.cluster.identity, (report, 0));
        Some(report)
    }

    /// Another member's report has come.
    pub(super) fn note(&mut self, from: Identity, report: Report, view: &View) {
        if view.is_alive(&from) {
            let skew_ms = report.now_ms.cast_signed().saturating_sub(clock::unix_ms().cast_signed());
            self.latest.insert(from, (report, skew_ms));
        }
    }

    /// Completes what is shown of a member.
    pub(super) fn complete(&self, identity: &Identity, member: &mut MemberStatus) {
        if let Some((report, skew_ms)) = self.latest.get(identity) {
            member.keys = Some(report.keys);
            member.memory_bytes = Some(report.memory_bytes);
            member.memory_bytes_max = Some(report.memory_bytes_max);
            member.lag_ms = Some(report.lag_ms);
            member.clock_skew_ms = Some(*skew_ms);
        }
    }

    /// Bytes that the survivors would have left if the fullest member died; `None` where one has no limit, or is not known.
    pub(super) fn headroom_bytes(&self, view: &View) -> Option<i64> {
        let mut free = 0;
        let mut fullest: Option<(u64, u64)> = None;
        for member in view.live() {
            let (report, _) = self.latest.get(&member.info.identity)?;
            if report.memory_bytes_max == 0 {
                return None;
            }
            let left = report.memory_bytes_max.saturating_sub(report.memory_bytes);
            free += left.cast_signed();
            fullest = fullest.max(Some((report.memory_bytes, left)));
        }
        fullest.filter(|_| view.live().count() > 1).map(|(used, left)| free - left.cast_signed() - used.cast_signed())
    }
}
