//! The snapshot of the cluster, brought up to date with the routes: who was told `MOVED` and asks for the slots must not hear
//! what was true a moment ago.

use std::sync::Arc;

use hashbrown::HashMap;

use super::{
    routing::{Route, Routing},
    status::{ClusterStatus, SlotRange},
};

/// The snapshot with the owners that the routes tell. Where a slot is between owners, it keeps the one of the snapshot.
#[must_use]
pub fn live(snapshot: Arc<ClusterStatus>, routing: &Routing) -> Arc<ClusterStatus> {
    if !routing.is_clustered() {
        return snapshot;
    }
    let places: HashMap<&str, u16> = snapshot.members.iter().map(|member| member.id.as_str()).zip(0..).collect();
    let peers: Vec<Option<u16>> =
        routing.peers().iter().map(|peer| places.get(peer.identity.id.to_string().as_str()).copied()).collect();
    let mut runs = snapshot.ranges.iter().peekable();
    let ranges = SlotRange::collect(|slot| {
        while runs.next_if(|run| run.last < slot).is_some() {}
        let (was, copies) = runs.peek().map_or((None, &[][..]), |run| (run.owner, &run.copies));
        let owner = match routing.route(slot) {
            Route::Mine => Some(snapshot.myself),
            Route::Peer(peer) => peers.get(usize::from(peer.0)).copied().flatten().or(was),
            Route::Parked | Route::Down => was,
        };
        (owner, copies.iter().copied().filter(|copy| Some(*copy) != owner).collect())
    });
    let mut members = snapshot.members.clone();
    for (place, member) in (0..).zip(&mut members) {
        member.slots_owned = ranges.iter().filter(|range| range.owner == Some(place)).map(SlotRange::len).sum();
    }
    Arc::new(ClusterStatus { ranges, members, ..ClusterStatus::clone(&snapshot) })
}

#[cfg(test)]
mod tests {
    use rondache_protocol::bus::identity::{Identity, NodeId};

    use super::*;
    use crate::cluster::{routing::Peer, status::tests::three};

    #[test]
    fn a_move_shows_at_once() {
        let snapshot = Arc::new(three());
        let routing = Routing::default();
        assert_eq!(live(snapshot.clone(), &routing).ranges, snapshot.ranges, "alone, the snapshot stands");
        routing.set_clustered(true);
        let [b, c] = [2, 3].map(|id| {
            let addrs = snapshot.members[id as usize - 1].addrs;
            let peer = Peer { identity: Identity { generation: 1, id: NodeId(id) }, addrs, is_dead: false };
            routing.put_peer(peer).unwrap()
        });
        for range in &snapshot.ranges {
            for slot in range.first..=range.last {
                routing.set(slot, [Route::Mine, Route::Peer(b), Route::Peer(c)][usize::from(slot / 5462)], false);
            }
        }
        assert_eq!(live(snapshot.clone(), &routing).ranges, snapshot.ranges);
        routing.set(0, Route::Peer(b), true);
        routing.set(1, Route::Parked, true);
        let now = live(snapshot, &routing);
        assert_eq!((now.ranges[0].last, now.ranges[0].owner, now.ranges[0].copies.len()), (0, Some(1), 0));
        assert_eq!((now.ranges[1].first, now.ranges[1].owner), (1, Some(0)));
        assert_eq!(now.members[1].slots_owned, 5463);
    }
}
