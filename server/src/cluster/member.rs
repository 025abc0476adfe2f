//! Members and views: whom a node believes in.

use std::{collections::BTreeMap, net::SocketAddr};

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

    /// Whether more than half of the known members are alive. One that left on purpose does not count.
    #[must_use]
    pub fn has_majority(&self) -> bool {
        let counted = self.members.values().filter(|member| member.may_serve() || !member.info.is_leaving).count();
        self.live().count() * 2 > counted
    }
}
