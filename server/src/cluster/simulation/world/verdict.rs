//! What must hold in a world: after every step, before it is settled, and at the end.

use std::collections::{BTreeMap, BTreeSet};

use rondache_protocol::bus::identity::Identity;

use super::{BEGAN_UNIX_MS, World};
use crate::{
    cluster::{
        coordinator::plan::Plan,
        plane::Row,
        simulation::{
            clients::{SeenError, Timed, tag_of},
            node::SimNode,
        },
    },
    config::cluster::ReadFrom,
    session::{
        Session,
        execute::Tools,
        harness::{run_on, show_reply},
    },
    store::replicate::testing::content_of,
};

/// While one thing goes wrong at a time nobody may lack an executor for longer: 2 s to believe in a death, then the takeover.
const IDLE_MAX_MS: u64 = 3_500;
/// A copy whose stream has broken does not know what it lacks until that is there again, or its owner has dropped it.
const STALE_MAX_MS: u64 = 3_000;
/// For how long a node may hold a copy of which nobody knows any more.
const FORSAKEN_MAX_MS: u64 = 15_000;
/// Tables are looked at this often.
const LOOK_MS: u64 = 50;

/// What a run has shown so far.
#[derive(Debug, Default)]
pub(super) struct Checks {
    /// Who owned which slot in which epoch by a firm claim.
    firm: BTreeMap<(u16, u64), Identity>,
    /// The slots, with their epochs, that were taken over.
    taken: BTreeSet<(u16, u64, Identity)>,
    /// Since when nobody executes a slot.
    idle_since_ms: BTreeMap<u16, u64>,
    /// Errors that were looked at.
    errors: usize,
    /// The latest time at which a key may go that was set with that value, by whatever clock there was.
    deadlines: BTreeMap<(u16, i64), u64>,
}

impl World {
    pub(super) fn check_step(&mut self) {
        self.note_takeovers();
        if !self.is_strict {
            self.checks.idle_since_ms.clear();
            return;
        }
        if let Some(error) = self.history.errors.get(self.checks.errors) {
            let views: Vec<_> =
                self.nodes().map(|(host, node)| (host, node.others(), node.view.has_majority())).collect();
            let SeenError { host, called_ms, reply } = error;
            self.fail(&format!("a client of host {host}, from {called_ms} ms on, was answered: {reply}; {views:?}"));
        }
        if self.now_ms.is_multiple_of(LOOK_MS) {
            self.check_owners();
        }
        for slot in 0..self.options.slots {
            self.check_executors(slot);
        }
    }

    /// From now on no error may be seen, and nobody may lack an executor.
    pub(in crate::cluster::simulation) fn be_strict(&mut self, is_strict: bool) {
        self.is_strict = is_strict;
        self.checks.errors = self.history.errors.len();
    }

    /// Notes who has taken slots over, or goes on after a fork: such claims are provisional at first.
    fn note_takeovers(&mut self) {
        let mut taken = Vec::new();
        for (_, node) in self.nodes() {
            let table = node.coordinator.table();
            let is_taken = |slot: &u16| {
                table.owner(*slot) == Some(node.identity)
                    && table.claim(*slot).is_some_and(|claim| claim.provisional > 0)
            };
            taken.extend((0..self.options.slots).filter(is_taken).map(|slot| (slot, table.epoch(slot), node.identity)));
        }
        for takeover in taken {
            if self.checks.taken.insert(takeover) {
                self.history.note_takeover(takeover.0, self.now());
            }
        }
    }

    fn check_owners(&mut self) {
        let mut owned = Vec::new();
        for node in self.hosts.iter().filter_map(|host| host.node.as_ref()).filter(|node| node.is_joined) {
            let table = node.coordinator.table();
            for slot in 0..self.options.slots {
                let is_firm = table.claim(slot).is_some_and(|claim| claim.provisional == 0);
                if is_firm && let Some(owner) = table.owner(slot) {
                    owned.push((slot, table.epoch(slot), owner));
                }
            }
        }
        for (slot, epoch, owner) in owned {
            let before = *self.checks.firm.entry((slot, epoch)).or_insert(owner);
            if before != owner {
                self.fail(&format!("slot {slot} has two owners in epoch {epoch}: {before:?} and {owner:?}"));
            }
        }
    }

    fn check_executors(&mut self, slot: u16) {
        let executes = |host: &usize| {
            self.look_at_clocks_of(*host);
            self.is_running(*host) && self.hosts[*host].node.as_ref().is_some_and(|node| node.executes(slot))
        };
        let executors: Vec<usize> = (0..self.hosts.len()).filter(executes).collect();
        if executors.len() > 1 {
            self.fail(&format!("slot {slot} is executed by the hosts {executors:?}"));
        }
        if !executors.is_empty() {
            self.checks.idle_since_ms.remove(&slot);
            return;
        }
        let since_ms = *self.checks.idle_since_ms.entry(slot).or_insert(self.now_ms);
        if self.now_ms - since_ms > IDLE_MAX_MS {
            let rows: Vec<_> = self.nodes().map(|(host, node)| (host, node.coordinator.table().row(slot))).collect();
            self.fail(&format!("nobody executes slot {slot} since {since_ms} ms: {rows:?}"));
        }
    }

    fn nodes(&self) -> impl Iterator<Item = (usize, &SimNode)> {
        self.hosts.iter().enumerate().filter_map(|(host, at)| at.node.as_ref().map(|node| (host, node)))
    }

    /// Why the cluster is not yet as it should be.
    pub(super) fn unsettled(&self) -> Option<String> {
        let (_, first) = self.nodes().next()?;
        let identities: Vec<Identity> = {
            let mut identities: Vec<Identity> = self.nodes().map(|(_, node)| node.identity).collect();
            identities.sort_unstable_by_key(|identity| identity.id);
            identities
        };
        for (host, node) in self.nodes() {
            if !node.is_joined || node.is_leaving || !self.is_running(host) {
                return Some(format!("host {host} is not there, or has not left: {:?}", node.coordinator.progress()));
            }
            let live: Vec<Identity> = node.view.live().map(|member| member.info.identity).collect();
            if live != identities {
                return Some(format!("host {host} sees {live:?} of {identities:?}"));
            }
            let (table, others) = (node.coordinator.table(), first.coordinator.table());
            if !table.is_complete() || table.digest() != others.digest() {
                return Some(format!("host {host} has another table than {:?}", first.identity));
            }
            if node.coordinator.plan().map(Plan::rank) != first.coordinator.plan().map(Plan::rank) {
                return Some(format!("host {host} has another plan than {:?}", first.identity));
            }
        }
        let plan = first.coordinator.plan()?;
        (0..self.options.slots).find_map(|slot| self.unsettled_slot(slot, plan, &first.coordinator.table().row(slot)?))
    }

    fn unsettled_slot(&self, slot: u16, plan: &Plan, row: &Row) -> Option<String> {
        let planned: Vec<Identity> = plan.nodes(slot).collect();
        let are: Vec<Identity> = std::iter::once(row.owner).chain(row.copies.iter().copied()).collect();
        if planned != are || planned.len() != (self.options.copies + 1).min(self.nodes().count()) {
            return Some(format!("slot {slot} is on {are:?}, planned on {planned:?} ({row:?})"));
        }
        for (host, node) in self.nodes() {
            self.look_at_clocks_of(host);
            let (is_owner, routing) = (node.identity == row.owner, &node.node.cluster.routing);
            if node.executes(slot) != is_owner {
                return Some(format!("slot {slot} of {:?}: host {host} executes it or not", row.owner));
            }
            if routing.is_copy(slot) != row.copies.contains(&node.identity) {
                return Some(format!("slot {slot}: host {host} holds it as a copy or not: {row:?}"));
            }
        }
        None
    }

    /// Checks, of a cluster that is settled and whose clients are at rest, that copies hold what owners hold.
    pub(in crate::cluster::simulation) fn check_copies(&mut self) {
        let until_ms = self.now_ms + 2_000;
        while self.nodes().any(|(_, node)| !node.has_quiet_streams()) && self.now_ms < until_ms {
            self.step();
        }
        let until_ms = self.now_ms + FORSAKEN_MAX_MS;
        while self.leftover().is_some() && self.now_ms < until_ms {
            self.step();
        }
        if let Some((slot, host)) = self.leftover() {
            let held = self.hosts[host].node.as_ref().map(|node| node.standing(slot));
            self.fail(&format!("slot {slot}: host {host} holds something of it and is no copy: {held:?}"));
        }
        if let Some(why) = self.unsettled() {
            self.fail(&format!("it was settled, and is so no more: {why}"));
        }
        for slot in 0..self.options.slots {
            let owner = self.nodes().find(|(_, node)| node.executes(slot)).expect("a settled cluster").1;
            let content = content_of(&owner.node.store, slot);
            for (host, node) in self.nodes() {
                let held = content_of(&node.node.store, slot);
                if node.node.cluster.routing.is_copy(slot) && held != content {
                    self.fail(&format!("slot {slot}: host {host} holds {held:?}, its owner {content:?}"));
                }
            }
        }
        self.check_deadlines();
    }

    /// A slot, and a host that holds something of it and neither executes nor copies it.
    fn leftover(&self) -> Option<(u16, usize)> {
        let slots = 0..self.options.slots;
        slots.into_iter().find_map(|slot| {
            let holds = |(host, node): (usize, &SimNode)| {
                self.look_at_clocks_of(host);
                let is_its = node.node.cluster.routing.is_copy(slot) || node.executes(slot);
                (!is_its && !content_of(&node.node.store, slot).is_empty()).then_some((slot, host))
            };
            self.nodes().find_map(holds)
        })
    }

    /// No key may live longer than whoever executed its SET had to give it, by its clock.
    fn check_deadlines(&self) {
        for slot in 0..self.options.slots {
            let key = format!("{}ttl", tag_of(slot));
            let (_, owner) = self.nodes().find(|(_, node)| node.executes(slot)).expect("a settled cluster");
            let client =
                owner.node.clients.unlisted(owner.membership.me().addrs.bus, owner.membership.me().addrs.bus, 0);
            let mut session = Session::new(client, true);
            // Before all deadlines: nothing expires by being looked at.
            let mut run = |words: &[&[u8]]| {
                let mut tools = Tools::new(0);
                let reply = run_on(&owner.node, &mut session, &mut tools, words, |ks| ks.circumstances.now_ms = 0);
                show_reply(&reply)
            };
            let value = run(&[b"GET", key.as_bytes()]);
            let Some(value) = value.strip_suffix('|').and_then(|value| value.rsplit('|').next()?.parse::<i64>().ok())
            else {
                continue;
            };
            let deadline = run(&[b"PEXPIRETIME", key.as_bytes()]);
            let deadline_ms: i64 = deadline.trim_matches([':', '|']).parse().expect("a time");
            if let Some(latest_ms) = self.checks.deadlines.get(&(slot, value))
                && (deadline_ms < 0 || deadline_ms as u64 > *latest_ms)
            {
                self.fail(&format!("{key} = {value} lives until {deadline_ms} instead of {latest_ms} at most"));
            }
        }
    }

    /// Whoever executed it did so since it was called, by the clock of some host.
    pub(super) fn note_deadline(&mut self, timed: Timed) {
        let latest_ms = self.latest_unix_ms(timed.called_ms) + timed.ttl_ms;
        self.checks.deadlines.insert((timed.slot, timed.value), latest_ms);
    }

    /// The latest time that any host's clock has shown since a moment.
    fn latest_unix_ms(&self, since_ms: u64) -> u64 {
        let skews = self.hosts.iter().flat_map(|host| {
            let ends = host.skews_ms.iter().skip(1).map(|(from_ms, _)| *from_ms).chain([u64::MAX]);
            host.skews_ms
                .iter()
                .zip(ends)
                .filter(move |(_, until_ms)| *until_ms >= since_ms)
                .map(|((_, skew), _)| *skew)
        });
        (BEGAN_UNIX_MS + self.now_ms).saturating_add_signed(skews.max().unwrap_or(0))
    }

    /// Checks what clients saw of each key.
    pub(in crate::cluster::simulation) fn check_histories(&self) {
        let stale_ms = if self.options.read_from == ReadFrom::Owner { 0 } else { STALE_MAX_MS };
        if let Some((subject, violation, history)) = self.history.violation(stale_ms) {
            for operation in &history {
                eprintln!("{operation:?}");
            }
            self.fail(&format!("nobody can have seen this of {subject:?}: {violation:?}"));
        }
    }
}
