//! What a node knows of its cluster, as users and operators are shown it: one snapshot, which `CLUSTER …`, INFO, the admin
//! port and `rondache status` all read.
//!
//! The control plane publishes a new snapshot whenever it learns something ([`StatusCell::publish`]); before it has, and on a node
//! that is alone, [`ClusterStatus::alone`] stands in.

use std::sync::Arc;

use parking_lot::RwLock;
use rondache_protocol::{bus::identity::Identity, slot::SLOTS};
use serde::{Deserialize, Serialize};

use super::member::{Addrs, WEIGHT_ONE};

/// A cluster as one of its nodes sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClusterStatus {
    /// The cluster's random id in hex; empty where none was minted yet.
    pub cluster_id: String,
    /// `cluster-name`
    pub cluster_name: String,
    /// The place of the node that tells this, among `members`.
    pub myself: u16,
    /// Whether it has ever had company: then the cluster's rules hold.
    pub is_clustered: bool,
    /// Whether it sees more than half of the known members.
    pub has_majority: bool,
    /// Whether its share is warm: it holds all that the plan gives it, or is alone.
    pub is_warm: bool,
    /// Whether nothing is left to move: every slot's holders are those planned, for the members that are alive.
    #[serde(rename = "settled")]
    pub is_settled: bool,
    /// Members that are alive, or only suspected.
    pub live_members: u32,
    /// The highest epoch of any slot.
    pub epoch: u64,
    /// Counts the changes of its view.
    pub view_version: u64,
    /// The number of the plan that it holds; 0: none.
    pub plan_version: u64,
    /// `replicas`
    pub replicas: usize,
    /// The members, dead ones included until they are forgotten.
    pub members: Vec<MemberStatus>,
    /// Who holds the slots: runs of neighbours with the same holders, in order, together all slots.
    pub ranges: Vec<SlotRange>,
    /// What moves.
    pub rebalancing: Rebalancing,
    /// Takeovers since the node started, and what they cost.
    pub takeovers: Takeovers,
    /// Connections of the bus.
    pub links: Vec<LinkStatus>,
    /// Bytes that the survivors would have left if the largest node died: negative where they have too few; absent where
    /// a node has no `maxmemory`.
    pub headroom_bytes: Option<i64>,
}

/// How a member is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MemberState {
    /// It has joined, and is being given its share.
    Joining,
    /// It serves.
    Active,
    /// It gives its share away.
    Leaving,
    /// It missed a probe.
    Suspect,
    /// It is gone without having left.
    Dead,
    /// It left in order, or another has taken its place since it died: nothing is missing.
    Left,
}

impl MemberState {
    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Joining => "joining",
            Self::Active => "active",
            Self::Leaving => "leaving",
            Self::Suspect => "suspect",
            Self::Dead => "dead",
            Self::Left => "left",
        }
    }

    /// Whether it is not there any more.
    #[must_use]
    pub fn is_gone(self) -> bool {
        matches!(self, Self::Dead | Self::Left)
    }
}

/// One member.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemberStatus {
    /// Its id: 40 hex digits, as `CLUSTER NODES` has them.
    pub id: String,
    /// When this life of it began (unix ms).
    pub generation: u64,
    /// Its name for people.
    pub name: String,
    /// Where it listens.
    pub addrs: Addrs,
    /// How it is doing.
    pub state: MemberState,
    /// Its weight in hundredths.
    pub weight: u32,
    /// Its zone; empty: none.
    pub zone: String,
    /// Slots that it owns.
    pub slots_owned: u32,
    /// Slots that the plan gives it.
    pub slots_planned: u32,
    /// Slots of others that it holds a copy of, in sync.
    pub slots_copied: u32,
    /// Keys that it owns, where known.
    pub keys: Option<u64>,
    /// Memory that it uses, where known.
    pub memory_bytes: Option<u64>,
    /// Its `maxmemory`, where known; 0: no limit.
    pub memory_bytes_max: Option<u64>,
    /// How far its copies are behind their owners (ms), where known.
    pub lag_ms: Option<u64>,
    /// How far its clock is ahead of the telling node's (ms), where known.
    pub clock_skew_ms: Option<i64>,
}

/// A run of slots with the same holders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotRange {
    /// The first slot.
    pub first: u16,
    /// The last slot.
    pub last: u16,
    /// The owner's place among the members; absent: the slots are between owners.
    pub owner: Option<u16>,
    /// The places of the members that hold a copy in sync, most preferred first.
    pub copies: Vec<u16>,
}

impl SlotRange {
    /// How many slots.
    #[must_use]
    pub fn len(&self) -> u32 {
        u32::from(self.last) - u32::from(self.first) + 1
    }

    /// Whether there is none, which is never.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        false
    }

    /// All slots as runs, from who holds each.
    pub fn collect(mut holders: impl FnMut(u16) -> (Option<u16>, Vec<u16>)) -> Vec<Self> {
        let mut ranges: Vec<Self> = Vec::new();
        for slot in 0..SLOTS {
            let (owner, copies) = holders(slot);
            match ranges.last_mut() {
                Some(range) if range.owner == owner && range.copies == copies => range.last = slot,
                _ => ranges.push(Self { first: slot, last: slot, owner, copies }),
            }
        }
        ranges
    }
}

/// What moves between nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rebalancing {
    /// Slots whose owner or copies are not yet as planned.
    pub slots_left: u32,
    /// Of these, slots that are being copied right now.
    pub slots_moving: u32,
    /// Slots that have moved since this rebalancing began.
    pub slots_done: u32,
    /// Bytes that have been sent since it began.
    pub bytes_done: u64,
    /// Bytes that are estimated to be left.
    pub bytes_left: u64,
    /// Bytes a second lately.
    pub bytes_per_s: u64,
}

impl Rebalancing {
    /// Seconds that it will still take at the current pace; `None`: nothing moves, or nobody can tell.
    #[must_use]
    pub fn seconds_left(&self) -> Option<u64> {
        (self.slots_left > 0).then(|| self.bytes_left.checked_div(self.bytes_per_s)).flatten()
    }

    /// How much of it is done, from 0 to 1; 1 where nothing moves.
    #[must_use]
    pub fn share_done(&self) -> f64 {
        let all = f64::from(self.slots_left) + f64::from(self.slots_done);
        if self.slots_left == 0 { 1.0 } else { f64::from(self.slots_done) / all }
    }
}

/// Takeovers of dead nodes' slots by this node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Takeovers {
    /// With a majority.
    pub firm: u64,
    /// Without one: these yield to the majority's.
    pub provisional: u64,
    /// Of these, slots of which no copy was left.
    pub cold: u64,
}

/// One connection of the bus.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkStatus {
    /// The other node's id, as [`MemberStatus::id`].
    pub node: String,
    /// Whether this node dialled.
    pub is_outgoing: bool,
    /// Since when it stands (unix ms).
    pub since_ms: u64,
    /// Bytes that wait to be sent.
    pub waiting_bytes: u64,
}

impl ClusterStatus {
    /// A cluster of one node.
    #[must_use]
    pub fn alone(identity: &Identity, name: String, addrs: Addrs, cluster_name: String) -> Self {
        let slots = u32::from(SLOTS);
        let myself = MemberStatus {
            id: identity.id.to_string(),
            generation: identity.generation,
            name,
            addrs,
            state: MemberState::Active,
            weight: WEIGHT_ONE,
            zone: String::new(),
            slots_owned: slots,
            slots_planned: slots,
            slots_copied: 0,
            keys: None,
            memory_bytes: None,
            memory_bytes_max: None,
            lag_ms: None,
            clock_skew_ms: None,
        };
        Self {
            cluster_id: String::new(),
            cluster_name,
            myself: 0,
            is_clustered: false,
            has_majority: true,
            is_warm: true,
            is_settled: true,
            live_members: 1,
            epoch: 0,
            view_version: 0,
            plan_version: 0,
            replicas: 0,
            members: vec![myself],
            ranges: vec![SlotRange { first: 0, last: SLOTS - 1, owner: Some(0), copies: Vec::new() }],
            rebalancing: Rebalancing::default(),
            takeovers: Takeovers::default(),
            links: Vec::new(),
            headroom_bytes: None,
        }
    }

    /// The members, with their places, without those that nobody misses.
    pub fn known_members(&self) -> impl Iterator<Item = (u16, &MemberStatus)> {
        (0..).zip(&self.members).filter(|(_, member)| member.state != MemberState::Left)
    }

    /// The member that tells this.
    #[must_use]
    pub fn me(&self) -> Option<&MemberStatus> {
        self.members.get(usize::from(self.myself))
    }

    /// The member at a place.
    #[must_use]
    pub fn member(&self, place: u16) -> Option<&MemberStatus> {
        self.members.get(usize::from(place))
    }

    /// The place of the member with an id of 40 hex digits.
    #[must_use]
    pub fn place_of(&self, id: &str) -> Option<u16> {
        let found = self.members.iter().position(|member| member.id.eq_ignore_ascii_case(id))?;
        u16::try_from(found).ok()
    }

    /// Slots that somebody owns who is not dead.
    #[must_use]
    pub fn slots_served(&self) -> u32 {
        let is_served = |range: &&SlotRange| {
            range.owner.and_then(|owner| self.member(owner)).is_some_and(|owner| !owner.state.is_gone())
        };
        self.ranges.iter().filter(is_served).map(SlotRange::len).sum()
    }
}

/// The latest snapshot, where the control plane has published one.
#[derive(Debug, Default)]
pub struct StatusCell {
    latest: RwLock<Option<Arc<ClusterStatus>>>,
}

impl StatusCell {
    /// Replaces the snapshot.
    pub fn publish(&self, status: ClusterStatus) {
        *self.latest.write() = Some(Arc::new(status));
    }

    /// The latest snapshot.
    #[must_use]
    pub fn latest(&self) -> Option<Arc<ClusterStatus>> {
        self.latest.read().clone()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use rondache_protocol::bus::identity::NodeId;

    use super::*;

    /// Three nodes, each of which owns a run and copies the next one's.
    pub(crate) fn three() -> ClusterStatus {
        let addrs = |port: u16| {
            let at = |offset: u16| format!("127.0.0.1:{}", port + offset).parse().unwrap();
            Addrs { client: at(0), redirect: at(1000), bus: at(10_000), admin: at(2000) }
        };
        let identity = |id| Identity { generation: 1, id: NodeId(id) };
        let mut status = ClusterStatus::alone(&identity(1), "a".to_owned(), addrs(7001), "test".to_owned());
        for (id, name, port) in [(2, "b", 7002), (3, "c", 7003)] {
            let other = ClusterStatus::alone(&identity(id), name.to_owned(), addrs(port), String::new());
            status.members.extend(other.members);
        }
        status.is_clustered = true;
        status.ranges = SlotRange::collect(|slot| {
            let owner = slot / 5462;
            (Some(owner), vec![(owner + 1) % 3])
        });
        for (place, member) in status.members.iter_mut().enumerate() {
            member.slots_owned = status.ranges[place].len();
            member.slots_planned = member.slots_owned;
            member.slots_copied = 5462;
        }
        status
    }

    #[test]
    fn runs_cover_all_slots_once() {
        let ranges = three().ranges;
        let bounds: Vec<_> = ranges.iter().map(|range| (range.first, range.last)).collect();
        assert_eq!(bounds, [(0, 5461), (5462, 10_923), (10_924, 16_383)]);
        assert_eq!(ranges.iter().map(SlotRange::len).sum::<u32>(), u32::from(SLOTS));
    }

    #[test]
    fn it_survives_the_way_through_json() {
        let status = three();
        let json = serde_json::to_string(&status).unwrap();
        assert_eq!(serde_json::from_str::<ClusterStatus>(&json).unwrap(), status);
        assert!(json.contains("\"state\":\"active\"") && json.contains("\"client\":\"127.0.0.1:7001\""), "{json}");
    }

    #[test]
    fn slots_of_the_dead_are_not_served() {
        let mut status = three();
        assert_eq!(status.slots_served(), 16_384);
        status.members[2].state = MemberState::Dead;
        assert_eq!(status.slots_served(), 10_924);
    }

    #[test]
    fn progress_is_told_where_it_is_known() {
        let idle = Rebalancing::default();
        assert_eq!((idle.seconds_left(), idle.share_done()), (None, 1.0));
        let busy = Rebalancing { slots_left: 30, slots_done: 10, bytes_left: 100, bytes_per_s: 10, ..idle };
        assert_eq!((busy.seconds_left(), busy.share_done()), (Some(10), 0.25));
        assert_eq!(Rebalancing { bytes_per_s: 0, ..busy }.seconds_left(), None);
    }
}
