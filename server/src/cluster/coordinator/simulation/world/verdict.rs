//! What must hold in a world: after every step, before it is settled, and at the end.

use std::collections::BTreeSet;

use rondache_protocol::bus::identity::Identity;

use super::{Node, World};
use crate::cluster::{coordinator::plan::Plan, plane::DataPlane};

/// While nothing is wrong but one death, nobody may lack an owner for longer: 2.0 s to believe in a death, and the
/// takeover.
const IDLE_MAX_MS: u64 = 3_000;
/// For so long after all views agree, a fork may go on.
pub(super) const AGREED_MS: u64 = 4_000;

impl World {
    /// Checks what must hold at the end.
    pub(in super::super) fn check_settled(&self, loses_nothing: bool) {
        if !loses_nothing {
            return;
        }
        let writes: Vec<BTreeSet<u32>> = (0..self.options.slots)
            .map(|slot| self.executor(slot).map(|node| node.plane.writes(slot).iter().copied().collect()))
            .map(Option::unwrap_or_default)
            .collect();
        for (slot, write) in &self.checks.acknowledged {
            if !writes[usize::from(*slot)].contains(write) {
                self.fail(&format!("write {write} to slot {slot} was acknowledged by a copy and is lost"));
            }
        }
        assert!(self.checks.acknowledged.len() > 100, "too little was written to show anything");
    }

    pub(super) fn check_step(&mut self) {
        let running: Vec<usize> = (0..self.nodes.len()).filter(|host| self.is_running(*host)).collect();
        let mut views: Vec<Vec<Identity>> = running.iter().map(|host| self.nodes[*host].beliefs.live()).collect();
        views.dedup();
        let all_see_all = views.len() == 1 && views[0].len() == running.len();
        if !all_see_all || !self.network.cut.is_empty() || self.network.loss > 0 {
            self.agreed_since_ms = self.now_ms;
        }
        let must_agree = self.is_strict || self.now_ms - self.agreed_since_ms >= AGREED_MS;
        for slot in 0..self.options.slots {
            let mut executors = running.iter().filter(|host| self.nodes[**host].plane.executes(slot));
            let executor = executors.next().copied();
            let others = executors.count();
            if others > 0 && must_agree {
                self.fail(&format!("slot {slot} is executed by {} nodes", 1 + others));
            }
            self.checks.executed(self.now_ms, slot, executor.is_some());
            if self.is_strict
                && let Some(host) = executor
                && self.checks.is_new_executor(slot, host)
            {
                self.check_reads(slot, host);
            }
        }
        let (longest_ms, slot) = self.checks.longest_idle;
        if self.is_strict && longest_ms > IDLE_MAX_MS {
            self.fail(&format!("slot {slot} had no owner for {longest_ms} ms"));
        }
    }

    /// Whoever begins to execute a slot must know every write that was acknowledged by then: else a read would go back in
    /// time. What it knows it keeps, so that this is enough for each slot to be linearizable.
    fn check_reads(&self, slot: u16, host: usize) {
        let known: BTreeSet<u32> = self.nodes[host].plane.writes(slot).iter().copied().collect();
        if let Some(unknown) = self.checks.acknowledged_of(slot).find(|write| !known.contains(write)) {
            self.fail(&format!("host {host} executes slot {slot} without the acknowledged write {unknown}"));
        }
    }

    fn executor(&self, slot: u16) -> Option<&Node> {
        self.nodes.iter().find(|node| node.is_up && node.plane.executes(slot))
    }

    /// Why the cluster is not yet as it should be.
    pub(super) fn unsettled(&self) -> Option<String> {
        let up: Vec<&Node> = self.nodes.iter().filter(|node| node.is_up).collect();
        let first = up.first()?;
        let identities: Vec<Identity> = up.iter().map(|node| node.identity).collect();
        for node in &up {
            let name = node.identity;
            if node.is_leaving {
                return Some(format!("{name:?} has not left: {:?}", node.coordinator.progress()));
            }
            if node.beliefs.live() != identities {
                return Some(format!("{name:?} sees {:?} of {identities:?}", node.beliefs.live()));
            }
            if !node.coordinator.table().is_complete()
                || node.coordinator.table().digest() != first.coordinator.table().digest()
            {
                return Some(format!("{name:?} has another table than {:?}", first.identity));
            }
            if node.coordinator.plan().map(Plan::rank) != first.coordinator.plan().map(Plan::rank) {
                return Some(format!("{name:?} has another plan than {:?}", first.identity));
            }
        }
        let Some(plan) = first.coordinator.plan() else { return Some("there is no plan".to_owned()) };
        (0..self.options.slots).find_map(|slot| self.unsettled_slot(slot, &up, plan))
    }

    fn unsettled_slot(&self, slot: u16, up: &[&Node], plan: &Plan) -> Option<String> {
        let row = up[0].coordinator.table().row(slot)?;
        let planned: Vec<Identity> = plan.nodes(slot).collect();
        let are: Vec<Identity> = std::iter::once(row.owner).chain(row.copies.iter().copied()).collect();
        if planned != are || planned.len() != (self.options.copies + 1).min(up.len()) {
            return Some(format!("slot {slot} is on {are:?}, planned on {planned:?} ({row:?})"));
        }
        for node in up {
            let (name, position) = (node.identity, node.plane.position(slot));
            if node.plane.executes(slot) != (name == row.owner) {
                return Some(format!("slot {slot} of {:?}: {name:?} executes it or not", row.owner));
            }
            if are.contains(&name) != (position.epoch != 0) {
                return Some(format!("slot {slot} of {are:?}: {name:?} holds {position:?}"));
            }
        }
        let owner = up.iter().find(|node| node.identity == row.owner)?;
        let is_behind = |node: &&&Node| !owner.plane.writes(slot).starts_with(node.plane.writes(slot));
        let strayed = up.iter().filter(|node| row.copies.contains(&node.identity)).find(is_behind);
        strayed.map(|node| format!("slot {slot}: the copy {:?} holds other writes than its owner", node.identity))
    }
}
