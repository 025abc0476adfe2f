//! What a membership protocol would make a node believe: a peer that nobody in reach can reach is suspected, then dead. Members
//! tell each other of whom they know, of the dead, too.

use std::{collections::BTreeMap, net::SocketAddr};

use rondache_protocol::bus::identity::Identity;

use crate::cluster::member::{Addrs, Health, Member, MemberInfo, View, WEIGHT_ONE};

const SUSPECT_AFTER_MS: u64 = 500;

/// One peer's truth.
#[derive(Clone, Copy, Debug)]
pub(super) struct Truth {
    pub(super) identity: Identity,
    pub(super) is_reachable: bool,
    pub(super) is_leaving: bool,
    pub(super) has_left: bool,
}

/// What a node believes of a peer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    identity: Identity,
    health: Health,
    is_leaving: bool,
    /// When the present reachability began.
    since_ms: u64,
    was_reachable: bool,
    /// How long it takes to believe in a death, and in a return.
    dead_after_ms: u64,
    alive_after_ms: u64,
}

/// One node's beliefs.
#[derive(Debug, Default)]
pub(super) struct Beliefs {
    known: BTreeMap<usize, Known>,
    version: u64,
}

impl Beliefs {
    /// What is believed of a node.
    pub(super) fn of(&self, host: usize, identity: &Identity) -> Option<Known> {
        self.known.get(&host).copied().filter(|known| known.identity == *identity)
    }

    /// Whether all that is known of a node is an earlier life of it.
    pub(super) fn has_earlier_life(&self, host: usize, identity: &Identity) -> bool {
        self.known.get(&host).is_some_and(|known| known.identity != *identity)
    }

    /// Takes over what another believes of a node that this one has not heard of. Whether the view changed.
    pub(super) fn hear(&mut self, random: &mut fastrand::Rng, host: usize, theirs: Known) -> bool {
        let is_told = random.u8(..4) == 0;
        if is_told {
            self.known.insert(host, theirs);
        }
        is_told
    }

    /// Looks at the truth about a host. Whether the view changed.
    pub(super) fn observe(&mut self, random: &mut fastrand::Rng, now_ms: u64, host: usize, truth: Truth) -> bool {
        let Some(known) = self.known.get_mut(&host) else {
            if truth.is_reachable && !truth.has_left && random.u8(..4) == 0 {
                self.learn(random, now_ms, host, truth);
                return true;
            }
            return false;
        };
        if truth.has_left && known.identity == truth.identity {
            let is_told = (known.health, known.is_leaving) != (Health::Dead, true) && random.u8(..4) == 0;
            if is_told {
                (known.health, known.is_leaving) = (Health::Dead, true);
            }
            return is_told;
        }
        if known.identity != truth.identity {
            let is_told = truth.is_reachable && random.u8(..4) == 0;
            if is_told {
                self.learn(random, now_ms, host, truth);
                return true;
            }
        }
        let is_reachable = truth.is_reachable && known.identity == truth.identity;
        if known.was_reachable != is_reachable {
            (known.was_reachable, known.since_ms) = (is_reachable, now_ms);
        }
        let elapsed_ms = now_ms - known.since_ms;
        let health = match (is_reachable, known.health) {
            (true, _) if elapsed_ms >= known.alive_after_ms => Health::Alive,
            (false, _) if elapsed_ms >= known.dead_after_ms => Health::Dead,
            (false, Health::Alive) if elapsed_ms >= SUSPECT_AFTER_MS => Health::Suspect,
            (_, health) => health,
        };
        let has_changed = health != known.health || (is_reachable && truth.is_leaving != known.is_leaving);
        known.health = health;
        known.is_leaving |= is_reachable && truth.is_leaving;
        has_changed
    }

    fn learn(&mut self, random: &mut fastrand::Rng, now_ms: u64, host: usize, truth: Truth) {
        let known = Known {
            identity: truth.identity,
            health: Health::Alive,
            is_leaving: truth.is_leaving,
            since_ms: now_ms,
            was_reachable: true,
            dead_after_ms: random.u64(1_200..2_000),
            alive_after_ms: random.u64(50..300),
        };
        self.known.insert(host, known);
    }

    pub(super) fn view(&mut self) -> View {
        self.version += 1;
        let members = self.known.iter().map(|(host, known)| {
            let info = info(*host, known.identity, known.is_leaving);
            (known.identity.id, Member { info, health: known.health })
        });
        View { version: self.version, members: members.collect() }
    }

    /// Who is believed to be alive.
    pub(super) fn live(&self) -> Vec<Identity> {
        let live = self.known.values().filter(|known| known.health != Health::Dead);
        live.map(|known| known.identity).collect()
    }
}

fn info(host: usize, identity: Identity, is_leaving: bool) -> MemberInfo {
    let addr = SocketAddr::from(([127, 0, 0, 1], 1 + host as u16));
    MemberInfo {
        identity,
        version: u32::from(is_leaving),
        name: String::new(),
        addrs: Addrs { client: addr, redirect: addr, bus: addr, admin: addr },
        weight: WEIGHT_ONE,
        zone: String::new(),
        is_leaving,
        protocol: (1, 1),
    }
}
