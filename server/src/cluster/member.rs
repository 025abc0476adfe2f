//! Members and views: whom a node believes in.

use std::{collections::BTreeMap, net::SocketAddr};

use hashbrown::HashSet;
use rondache_protocol::bus::identity::{Identity, NodeId};
use serde::{Deserialize, Serialize};

/// The share of a node with weight 1, in [`MemberInfo::weight`]'s unit.
pub const WEIGHT_ONE: u32 = 100;

/// Where a node listens, as others reach it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Addrs {
    /// Clients, any key.
    pub client: SocketAddr,
    /// Clients, under Redis Cluster's rules.
    pub redirect: SocketAddr,
    /// Nodes: TCP and, on the same port, UDP.
    pub bus: SocketAddr,
    /// HTTP for operators.
    pub admin: SocketAddr,
}

/// What a member says of itself. A change comes with a higher `version`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberInfo {
    /// Which life of which node.
    pub identity: Identity,
    /// Counts this life's changes of what follows.
    pub version: u32,
    /// A name for people.
    pub name: String,
    /// Where it listens.
    pub addrs: Addrs,
    /// Its share of the slots in hundredths: 100 is weight 1; 0 owns nothing.
    pub weight: u32,
    /// Its zone (rack, data centre); copies prefer other zones. Empty: none.
    pub zone: String,
    /// Whether it is on its way out: it gives its slots away and gets none.
    pub is_leaving: bool,
    /// The oldest and the newest version of the bus protocol that it speaks.
    pub protocol: (u16, u16),
}

/// How a member is doing, as others see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Health {
    /// It answers.
    Alive,
    /// It missed a probe; it may refute that.
    Suspect,
    /// It is gone: a takeover may begin.
    Dead,
}

/// A member as this node sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// What it says of itself.
    pub info: MemberInfo,
    /// How it is doing.
    pub health: Health,
}

impl Member {
    /// Whether it may own slots and hold copies.
    #[must_use]
    pub fn may_serve(&self) -> bool {
        self.health != Health::Dead
    }
}

/// The members that a node believes in, itself included. Dead ones stay until they are forgotten.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// Counts this node's changes of its view.
    pub version: u64,
    /// The latest known life of each node.
    pub members: BTreeMap<NodeId, Member>,
}

impl View {
    /// The member of exactly this life.
    #[must_use]
    pub fn get(&self, identity: &Identity) -> Option<&Member> {
        self.members.get(&identity.id).filter(|member| member.info.identity == *identity)
    }

    /// Whether exactly this life is believed to be alive (or only suspected).
    #[must_use]
    pub fn is_alive(&self, identity: &Identity) -> bool {
        self.get(identity).is_some_and(Member::may_serve)
    }

    /// Those that are alive or only suspected.
    pub fn live(&self) -> impl Iterator<Item = &Member> {
        self.members.values().filter(|member| member.may_serve())
    }

    /// The oldest live member: it publishes plans.
    #[must_use]
    pub fn oldest(&self) -> Option<&Member> {
        self.live().min_by_key(|member| member.info.identity)
    }

    /// Where live members listen for nodes. A dead member of whom one of them has the address has been replaced: an address
    /// is no identity, but two processes cannot have the same one.
    #[must_use]
    pub fn places_taken(&self) -> HashSet<SocketAddr> {
        self.live().map(|member| member.info.addrs.bus).collect()
    }

    /// How many members count where a majority is asked for: the live ones, and each place that a member's death has left
    /// empty. So a member that left on purpose does not count, nor one in whose place another has begun since (a process
    /// that was started again is another member), and of several that died one after the other in the same place, one does.
    #[must_use]
    pub fn counted(&self) -> usize {
        let taken = self.places_taken();
        let dead = self.members.values().filter(|member| !member.may_serve() && !member.info.is_leaving);
        let empty: HashSet<_> =
            dead.map(|member| member.info.addrs.bus).filter(|place| !taken.contains(place)).collect();
        self.live().count() + empty.len()
    }

    /// Whether more than half of those that count are alive. Looks at every member: to be kept where it is asked for often.
    #[must_use]
    pub fn has_majority(&self) -> bool {
        self.live().count() * 2 > self.counted()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::membership::simulation::info;

    /// The members with these ids, each in the place of that number.
    fn view(members: &[(u128, u128, Health)]) -> View {
        let member = |(id, place, health): &(u128, u128, Health)| {
            let info = MemberInfo { identity: info(*id, 1).identity, ..info(*place, 1) };
            (info.identity.id, Member { info, health: *health })
        };
        View { version: 1, members: members.iter().map(member).collect() }
    }

    #[test]
    fn the_dead_count_until_others_stand_in_their_places() {
        let alone = view(&[(1, 1, Health::Alive), (2, 2, Health::Dead), (3, 3, Health::Dead)]);
        assert!(alone.counted() == 3 && !alone.has_majority());
        let again = view(&[(1, 1, Health::Alive), (2, 2, Health::Dead), (3, 3, Health::Dead), (4, 2, Health::Suspect)]);
        assert!(again.counted() == 3 && again.has_majority());
        let elsewhere =
            view(&[(1, 1, Health::Alive), (2, 2, Health::Dead), (3, 3, Health::Dead), (4, 4, Health::Alive)]);
        assert!(elsewhere.counted() == 4 && !elsewhere.has_majority(), "nobody knows that it replaces one of the dead");
    }

    #[test]
    fn of_those_that_died_in_one_place_one_counts() {
        let mut members = vec![(1, 1, Health::Alive), (2, 2, Health::Alive)];
        members.extend((3..9).map(|id| (id, 3, Health::Dead)));
        assert!(view(&members).counted() == 3 && view(&members).has_majority());
        members.push((9, 3, Health::Alive));
        assert_eq!(view(&members).counted(), 3);
    }

    #[test]
    fn who_left_on_purpose_leaves_no_empty_place() {
        let mut view = view(&[(1, 1, Health::Alive), (2, 2, Health::Dead)]);
        assert!(!view.has_majority());
        view.members.values_mut().for_each(|member| member.info.is_leaving = !member.may_serve());
        assert!(view.counted() == 1 && view.has_majority());
    }
}
