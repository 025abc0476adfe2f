//! For each slot which other node answers reads where `read-from` does not ask for the owner: a hint, looked up as the route
//! is. A node that turns out to hold no copy in sync refuses, and the owner is asked.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use rondache_protocol::{bus::identity::Identity, slot::SLOTS};

use super::{
    Cluster,
    member::View,
    routing::{PeerIndex, Routing},
    table::SlotTable,
};
use crate::config::cluster::ReadFrom;

/// In place of a peer: the owner.
const OWNER: u32 = 0;

/// Where reads of slots go that this node neither owns nor copies.
#[derive(Debug)]
pub struct ReadRoutes(Box<[AtomicU32]>);

impl Default for ReadRoutes {
    fn default() -> Self {
        Self((0..SLOTS).map(|_| AtomicU32::new(OWNER)).collect())
    }
}

impl ReadRoutes {
    /// The peer that answers reads of the slot; `None`: its owner does.
    #[inline]
    #[must_use]
    pub fn peer(&self, slot: u16) -> Option<PeerIndex> {
        let word = self.0.get(usize::from(slot)).map_or(OWNER, |word| word.load(Relaxed));
        u16::try_from(word.checked_sub(1)?).ok().map(PeerIndex)
    }

    fn set(&self, slot: u16, peer: Option<PeerIndex>) {
        if let Some(word) = self.0.get(usize::from(slot)) {
            word.store(peer.map_or(OWNER, |peer| u32::from(peer.0) + 1), Relaxed);
        }
    }

    /// Chooses anew for every slot, after the table, the view or the setting has changed.
    pub(crate) fn choose(&self, (table, view): (&SlotTable, &View), routing: &Routing, me: &Identity, from: ReadFrom) {
        let zone_of = |node: &Identity| view.get(node).map_or("", |member| member.info.zone.as_str());
        let my_zone = zone_of(me);
        let is_near = |node: &Identity| !my_zone.is_empty() && zone_of(node) == my_zone;
        for slot in 0..SLOTS {
            let copies: Vec<Identity> = table.copies(slot).filter(|copy| view.is_alive(copy)).collect();
            let owner = table.owner(slot);
            let is_here = copies.contains(me) || owner == Some(*me);
            let chosen = match from {
                _ if is_here => None,
                ReadFrom::Owner => None,
                ReadFrom::Nearest if owner.as_ref().is_some_and(is_near) => None,
                ReadFrom::Nearest => one_of(slot, copies.iter().filter(|copy| is_near(copy))),
                ReadFrom::Replica => {
                    one_of(slot, copies.iter().filter(|copy| is_near(copy))).or_else(|| one_of(slot, copies.iter()))
                }
            };
            self.set(slot, chosen.and_then(|node| routing.index_of(&node)));
        }
    }
}

/// By what the routes of reads were chosen last: the table's digest, the view's version, and the setting.
#[derive(Debug, Default)]
pub(crate) struct ChosenBy(u64, u64, ReadFrom);

impl ChosenBy {
    /// Has them chosen anew where that has changed.
    pub(crate) fn look(&mut self, cluster: &Cluster, sources: (&SlotTable, &View), read_from: ReadFrom) {
        let (table, view) = sources;
        let chosen_by = match read_from {
            // Nobody looks.
            ReadFrom::Owner => (0, 0, read_from),
            _ => (table.digest(), view.version, read_from),
        };
        if chosen_by != (self.0, self.1, self.2) {
            *self = Self(chosen_by.0, chosen_by.1, chosen_by.2);
            cluster.read_routes.choose(sources, &cluster.routing, &cluster.identity, read_from);
        }
    }
}

/// One of some nodes, another for each slot: they share the work.
fn one_of<'a>(slot: u16, nodes: impl Iterator<Item = &'a Identity> + Clone) -> Option<Identity> {
    let count = nodes.clone().count();
    nodes.copied().nth(usize::from(slot) % count.max(1))
}

#[cfg(test)]
mod tests {
    use rondache_protocol::bus::identity::NodeId;

    use super::*;
    use crate::cluster::{
        member::{Addrs, Health, Member, MemberInfo, WEIGHT_ONE},
        plane::{Claim, Row},
        routing::Peer,
    };

    const fn node(id: u128) -> Identity {
        Identity { generation: 1, id: NodeId(id) }
    }

    fn addrs() -> Addrs {
        let addr = ([127, 0, 0, 1], 7000).into();
        Addrs { client: addr, redirect: addr, bus: addr, admin: addr }
    }

    fn view(zones: &[(u128, &str)]) -> View {
        let mut view = View::default();
        for (id, zone) in zones {
            let info = MemberInfo {
                identity: node(*id),
                version: 1,
                name: String::new(),
                addrs: addrs(),
                weight: WEIGHT_ONE,
                zone: (*zone).to_owned(),
                is_leaving: false,
                protocol: (1, 1),
            };
            view.members.insert(NodeId(*id), Member { info, health: Health::Alive });
        }
        view
    }

    /// Which node answers reads of slot 0, which node 2 owns and 3 and 4 copy.
    fn chosen(me: u128, zones: &[(u128, &str)], from: ReadFrom) -> Option<u128> {
        let (routing, routes, view) = (Routing::default(), ReadRoutes::default(), view(zones));
        for id in 1..=4 {
            routing.put_peer(Peer { identity: node(id), addrs: addrs(), is_dead: false });
        }
        let mut table = SlotTable::new(SLOTS);
        let claim = Claim { firm_epoch: 1, provisional: 0 };
        let row = Row { slot: 0, epoch: 1, version: 1, claim, owner: node(2), copies: vec![node(3), node(4)] };
        table.merge(&row);
        routes.choose((&table, &view), &routing, &node(me), from);
        routes.peer(0).and_then(|peer| routing.peer(peer)).map(|peer| peer.identity.id.0)
    }

    #[test]
    fn a_replica_is_one_in_the_same_zone_or_any() {
        let alike = [(1, ""), (2, ""), (3, ""), (4, "")];
        assert_eq!(chosen(1, &alike, ReadFrom::Replica), Some(3));
        assert_eq!(chosen(1, &[(1, "b"), (2, "b"), (3, "a"), (4, "b")], ReadFrom::Replica), Some(4));
        assert_eq!(chosen(1, &[(1, ""), (2, ""), (4, "")], ReadFrom::Replica), Some(4), "the dead are left out");
        assert_eq!(chosen(3, &alike, ReadFrom::Replica), None, "its own copy is read here");
        assert_eq!(chosen(1, &alike, ReadFrom::Owner), None);
    }

    #[test]
    fn the_nearest_is_in_the_same_zone_or_the_owner() {
        assert_eq!(chosen(1, &[(1, "a"), (2, "b"), (3, "b"), (4, "a")], ReadFrom::Nearest), Some(4));
        assert_eq!(chosen(1, &[(1, "a"), (2, "a"), (3, "b"), (4, "a")], ReadFrom::Nearest), None);
        assert_eq!(chosen(1, &[(1, "a"), (2, "b"), (3, "b"), (4, "b")], ReadFrom::Nearest), None);
        assert_eq!(
            chosen(1, &[(1, ""), (2, ""), (3, ""), (4, "")], ReadFrom::Nearest),
            None,
            "no zone is not the same"
        );
    }
}
