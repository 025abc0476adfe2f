//! The status for users and operators, from the coordinator's table and plan.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use hashbrown::HashMap;
use rondache_protocol::{bus::identity::Identity, slot::SLOTS};

use super::reports::Reports;
use crate::{
    cluster::{
        coordinator::{Coordinator, plan::Plan},
        member::{Health, Member, View},
        replication::Replication,
        status::{ClusterStatus, LinkStatus, MemberState, MemberStatus, Rebalancing, SlotRange, Takeovers},
    },
    node::{Node, clock},
};

/// No new snapshot is made sooner than this after the last one …
const INTERVAL_MIN: Duration = Duration::from_millis(200);
/// … and one at least this often, for the lag.
const INTERVAL_MAX: Duration = Duration::from_secs(1);

/// When snapshots are made, and what is remembered between them.
#[derive(Debug, Default)]
pub(super) struct Snapshots {
    made: Option<Instant>,
    /// Digest of the table, version of the view and number of the plan that the last one shows.
    shows: (u64, u64, u64),
    rebalancing: Option<Begun>,
    /// When each member was first seen (unix ms).
    met_ms: HashMap<Identity, u64>,
}

/// A rebalancing under way.
#[derive(Clone, Copy, Debug)]
struct Begun {
    at: Instant,
    slots: u32,
}

/// Slots of one member.
#[derive(Clone, Copy, Debug, Default)]
struct Share {
    owned: u32,
    planned: u32,
    copied: u32,
}

impl Snapshots {
    /// Makes a snapshot where one is due.
    pub(super) fn publish(
        &mut self,
        node: &Arc<Node>,
        view: &View,
        coordinator: &Coordinator,
        (replication, reports): (&Replication, &Reports),
        cluster_id: String,
    ) {
        let age = self.made.map_or(INTERVAL_MAX, |made| made.elapsed());
        if age < INTERVAL_MIN {
            return;
        }
        let shows = (coordinator.table().digest(), view.version, coordinator.plan().map_or(0, Plan::number));
        if shows == self.shows && age < INTERVAL_MAX {
            return;
        }
        (self.shows, self.made) = (shows, Some(Instant::now()));
        let status = self.make(node, view, coordinator, (replication, reports), cluster_id);
        node.cluster.status.publish(status);
    }

    fn make(
        &mut self,
        node: &Arc<Node>,
        view: &View,
        coordinator: &Coordinator,
        (replication, reports): (&Replication, &Reports),
        cluster_id: String,
    ) -> ClusterStatus {
        let now_ms = clock::unix_ms();
        let settings = node.settings.load();
        let alone = node.cluster.alone(&settings);
        if view.members.is_empty() {
            // It still looks for its cluster.
            return ClusterStatus { is_warm: false, is_settled: false, ..alone };
        }
        let progress = coordinator.progress();
        let places: HashMap<Identity, u16> =
            view.members.values().map(|member| member.info.identity).zip(0..).collect();
        let mut shares = vec![Share::default(); places.len()];
        let ranges = ranges(coordinator, &places, &mut shares);
        let slots_left = slots_left(coordinator, view);
        let rebalancing = self.rebalancing(node, slots_left, progress.copying, progress.owned + progress.copied);
        self.met_ms.retain(|identity, _| places.contains_key(identity));
        let mut members: Vec<MemberStatus> = Vec::new();
        let taken = view.places_taken();
        for (member, share) in view.members.values().zip(&shares) {
            self.met_ms.entry(member.info.identity).or_insert(now_ms);
            let is_replaced = taken.contains(&member.info.addrs.bus);
            let mut shown = MemberStatus {
                id: member.info.identity.id.to_string(),
                generation: member.info.identity.generation,
                name: member.info.name.clone(),
                addrs: member.info.addrs,
                state: state(member, is_replaced, *share),
                weight: member.info.weight,
                zone: member.info.zone.clone(),
                slots_owned: share.owned,
                slots_planned: share.planned,
                slots_copied: share.copied,
                keys: None,
                memory_bytes: None,
                memory_bytes_max: None,
                lag_ms: None,
                clock_skew_ms: None,
            };
            reports.complete(&member.info.identity, &mut shown);
            members.push(shown);
        }
        let takeovers = progress.takeovers;
        // With a majority, no claim stays provisional for long: another still has to agree, or to give way.
        let has_majority = view.has_majority();
        let is_contested = progress.provisional > 0 && has_majority;
        ClusterStatus {
            cluster_id,
            myself: places.get(&node.cluster.identity).copied().unwrap_or_default(),
            is_clustered: node.cluster.routing.is_clustered(),
            has_majority,
            is_warm: progress.is_warm,
            is_settled: progress.is_warm && slots_left == 0 && progress.orphans == 0 && !is_contested,
            live_members: view.live().count() as u32,
            epoch: (0..SLOTS).map(|slot| coordinator.table().epoch(slot)).max().unwrap_or(0),
            view_version: view.version,
            plan_version: progress.plan,
            members,
            ranges,
            rebalancing,
            takeovers: Takeovers { firm: takeovers.firm, provisional: takeovers.provisional, cold: takeovers.cold },
            headroom_bytes: reports.headroom_bytes(view),
            links: self.links(replication, node.cluster.identity, view, now_ms),
            ..alone
        }
    }

    /// What is left to move, and how fast it went so far.
    fn rebalancing(&mut self, node: &Node, slots_left: u32, copying: usize, held: usize) -> Rebalancing {
        if slots_left == 0 {
            if let Some(begun) = self.rebalancing.take() {
                let took_ms = begun.at.elapsed().as_millis() as u64;
                tracing::info!(slots = begun.slots, took_ms, "every slot is where the plan wants it");
            }
            return Rebalancing::default();
        }
        let begun = self.rebalancing.get_or_insert(Begun { at: Instant::now(), slots: slots_left });
        begun.slots = begun.slots.max(slots_left);
        let slots_done = begun.slots - slots_left;
        // All slots weigh about the same.
        let slot_bytes = node.memory.used_bytes() / (held.max(1) as u64);
        let bytes_done = slot_bytes * u64::from(slots_done);
        Rebalancing {
            slots_left,
            slots_moving: copying as u32,
            slots_done,
            bytes_done,
            bytes_left: slot_bytes * u64::from(slots_left),
            bytes_per_s: (bytes_done as f64 / begun.at.elapsed().as_secs_f64().max(0.1)) as u64,
        }
    }

    fn links(&self, replication: &Replication, me: Identity, view: &View, now_ms: u64) -> Vec<LinkStatus> {
        let mut waiting: HashMap<Identity, u64> = HashMap::new();
        for stream in replication.streams() {
            *waiting.entry(stream.to).or_default() += stream.lag(now_ms).bytes as u64;
        }
        let others = view.live().map(|member| member.info.identity).filter(|identity| *identity != me);
        let link = |identity: Identity| LinkStatus {
            node: identity.id.to_string(),
            is_outgoing: true,
            since_ms: self.met_ms.get(&identity).copied().unwrap_or(now_ms),
            waiting_bytes: waiting.get(&identity).copied().unwrap_or(0),
        };
        others.map(link).collect()
    }
}

/// Who holds what, and how much each holds.
fn ranges(coordinator: &Coordinator, places: &HashMap<Identity, u16>, shares: &mut [Share]) -> Vec<SlotRange> {
    let survey = coordinator.survey();
    let places: Vec<Option<u16>> = survey.nodes().iter().map(|node| places.get(node).copied()).collect();
    let place_of = |node: u32| places.get(node as usize).copied().flatten();
    let mut ranges: Vec<SlotRange> = Vec::new();
    let mut copies: Vec<u16> = Vec::new();
    for slot in 0..SLOTS {
        let mut nodes = survey.holders(slot);
        let owner = nodes.next().and_then(place_of);
        copies.clear();
        copies.extend(nodes.filter_map(place_of));
        if let Some(owner) = owner {
            shares[usize::from(owner)].owned += 1;
        }
        copies.iter().for_each(|copy| shares[usize::from(*copy)].copied += 1);
        match ranges.last_mut() {
            Some(range) if range.owner == owner && range.copies == copies => range.last = slot,
            _ => ranges.push(SlotRange { first: slot, last: slot, owner, copies: copies.clone() }),
        }
        let planned = survey.planned(slot).chain(survey.holders(slot)).next();
        if let Some(place) = planned.and_then(place_of) {
            shares[usize::from(place)].planned += 1;
        }
    }
    ranges
}

/// Slots whose holders are not those that a plan for the present members gives them.
fn slots_left(coordinator: &Coordinator, view: &View) -> u32 {
    let table = coordinator.table();
    let Some(plan) = coordinator.plan() else {
        let unowned = (0..SLOTS).filter(|slot| table.owner(*slot).is_none()).count() as u32;
        return if view.live().count() > 1 { u32::from(SLOTS) } else { unowned };
    };
    let counts = |info: &crate::cluster::member::MemberInfo| !info.is_leaving && info.weight > 0;
    if view.live().any(|member| counts(&member.info) && !plan.names(&member.info.identity)) {
        // The plan that gives them something is yet to come.
        return u32::from(SLOTS);
    }
    coordinator.survey().slots_left() as u32
}

/// `is_replaced`: of a dead member, whether a live one stands in its place.
fn state(member: &Member, is_replaced: bool, share: Share) -> MemberState {
    let is_leaving = member.info.is_leaving;
    match member.health {
        Health::Dead if (is_leaving || is_replaced) && share.owned == 0 => MemberState::Left,
        Health::Dead => MemberState::Dead,
        _ if is_leaving => MemberState::Leaving,
        Health::Suspect => MemberState::Suspect,
        Health::Alive if share.owned < share.planned && share.owned == 0 => MemberState::Joining,
        Health::Alive => MemberState::Active,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{member::MemberInfo, membership::simulation::info};

    const OWNER: Share = Share { owned: 1, planned: 0, copied: 0 };

    fn dead(is_leaving: bool) -> Member {
        Member { info: MemberInfo { is_leaving, ..info(1, 1) }, health: Health::Dead }
    }

    #[test]
    fn a_member_that_gave_everything_away_before_it_ended_has_left_and_is_not_dead() {
        assert_eq!(state(&dead(true), false, Share::default()), MemberState::Left);
        assert_eq!(state(&dead(true), false, OWNER), MemberState::Dead);
        assert_eq!(state(&dead(false), false, Share::default()), MemberState::Dead);
    }

    #[test]
    fn a_dead_member_in_whose_place_another_stands_is_shown_while_it_owns_slots() {
        assert_eq!(state(&dead(false), true, OWNER), MemberState::Dead);
        assert_eq!(state(&dead(false), true, Share::default()), MemberState::Left);
    }
}
