//! What every plan keeps to, whatever the members and the table are.

use proptest::prelude::*;
use rondache_protocol::{
    bus::{
        codec,
        identity::{Identity, NodeId},
    },
    slot::SLOTS,
};

use super::{
    Candidate, Moved, Placement, place,
    placement::NOBODY,
    shares::{Level, Share, shares},
};
use crate::cluster::coordinator::plan::Plan;

fn identity(id: u64) -> Identity {
    Identity { generation: id, id: NodeId(u128::from(id) << 64 | 7) }
}

fn candidate(id: u64) -> Candidate {
    Candidate { identity: identity(id), weight: 100, zone: String::new(), is_leaving: false }
}

fn equals(count: u64) -> Vec<Candidate> {
    (1..=count).map(candidate).collect()
}

fn in_zones(zones: &[&str]) -> Vec<Candidate> {
    (1..).zip(zones).map(|(id, zone)| Candidate { zone: (*zone).to_owned(), ..candidate(id) }).collect()
}

fn slots_of(placement: &Placement, node: u64) -> Vec<u16> {
    (0..SLOTS).filter(|slot| placement.owner(*slot) == Some(identity(node))).collect()
}

fn slots_sharing_a_zone(placement: &Placement, nodes: &[Candidate]) -> usize {
    let zone = |holder: Identity| nodes.iter().find(|node| node.identity == holder).map(|node| &node.zone);
    let shares = |slot: &u16| {
        let zones: Vec<_> = placement.holders(*slot).map(zone).collect();
        (0..zones.len()).any(|at| zones[..at].contains(&zones[at]))
    };
    (0..SLOTS).filter(shares).count()
}

/// Nodes of any weight, zone and health, some of which the table does not know.
fn any_nodes() -> impl Strategy<Value = Vec<Candidate>> {
    let weight = prop_oneof![6 => 50u32..=400, 2 => Just(100), 1 => Just(0), 1 => 1u32..5000];
    let zone = prop_oneof![2 => Just(""), 1 => Just("a"), 1 => Just("b"), 1 => Just("c")];
    let node = (1u64..40, weight, zone, prop::bool::weighted(0.1)).prop_map(|(id, weight, zone, is_leaving)| {
        Candidate { identity: identity(id), weight, zone: zone.to_owned(), is_leaving }
    });
    prop::collection::vec(node, 1..14).prop_map(|mut nodes| {
        nodes.sort_by_key(|node| node.identity);
        nodes.dedup_by_key(|node| node.identity);
        nodes
    })
}

/// A table in any state: gone owners, gaps, too few and too many copies, in runs or not.
fn any_table() -> impl Strategy<Value = Placement> {
    (1u64..40, 1u16..400, 0usize..4, any::<u64>()).prop_map(|(node_count, run, copy_count, seed)| {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut table = Placement::new((1..=node_count).map(identity).collect(), copy_count);
        let mut holders = Vec::new();
        for slot in 0..SLOTS {
            if slot % run == 0 {
                let count = rng.usize(0..=copy_count + 1);
                holders = rng.choose_multiple(0..node_count as u16, count);
                if holders.is_empty() || rng.u8(..) == 0 {
                    holders.insert(0, NOBODY);
                }
            }
            table.set(slot, holders[0], &holders[1..]);
        }
        table
    })
}

fn able(nodes: &[Candidate]) -> Vec<&Candidate> {
    nodes.iter().filter(|node| node.weight > 0 && !node.is_leaving).collect()
}

/// What each able node holds: as owner, and in all.
fn loads(placement: &Placement, nodes: &[&Candidate]) -> (Vec<u32>, Vec<u32>) {
    let (mut owned, mut held) = (vec![0; nodes.len()], vec![0; nodes.len()]);
    let index = |node| nodes.iter().position(|candidate| candidate.identity == node).expect("an able node");
    for slot in 0..SLOTS {
        owned[index(placement.owner(slot).expect("an owner"))] += 1;
        placement.holders(slot).for_each(|node| held[index(node)] += 1);
    }
    (owned, held)
}

fn is_even(loads: &[u32], shares: &[Share]) -> bool {
    let is_within = |(load, share): (&u32, &Share)| (share.at(Level::Least)..=share.at(Level::Most)).contains(load);
    loads.iter().zip(shares).all(is_within)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn every_slot_has_an_owner_and_as_many_copies_as_there_can_be(
        nodes in any_nodes(), table in any_table(), copies in 0usize..4,
    ) {
        let placement = place(&nodes, &table, copies);
        let able = able(&nodes);
        prop_assume!(!able.is_empty());
        for slot in 0..SLOTS {
            let holders: Vec<Identity> = placement.holders(slot).collect();
            prop_assert_eq!(holders.len(), (copies + 1).min(able.len()));
            prop_assert!(holders.iter().all(|holder| able.iter().any(|node| node.identity == *holder)));
            prop_assert!((1..holders.len()).all(|at| !holders[..at].contains(&holders[at])));
        }
    }

    #[test]
    fn every_node_holds_its_share(nodes in any_nodes(), table in any_table(), copies in 0usize..4) {
        let able = able(&nodes);
        prop_assume!(!able.is_empty());
        let weights: Vec<u32> = able.iter().map(|node| node.weight).collect();
        let placement = place(&nodes, &table, copies);
        let (owned, held) = loads(&placement, &able);
        let (fair_owned, fair_held) = (shares(&weights, 1), shares(&weights, (copies + 1).min(able.len())));
        prop_assert!(is_even(&owned, &fair_owned), "{owned:?} {fair_owned:?}");
        prop_assert!(is_even(&held, &fair_held), "{held:?} {fair_held:?}");
    }

    #[test]
    fn a_table_as_planned_is_planned_again(nodes in any_nodes(), table in any_table(), copies in 0usize..4) {
        let placement = place(&nodes, &table, copies);
        prop_assert_eq!(place(&nodes, &placement, copies), placement);
    }

    #[test]
    fn the_order_of_the_members_does_not_matter(
        nodes in any_nodes(), table in any_table(), copies in 0usize..3, seed in any::<u64>(),
    ) {
        let mut shuffled = nodes.clone();
        fastrand::Rng::with_seed(seed).shuffle(&mut shuffled);
        prop_assert_eq!(place(&shuffled, &table, copies), place(&nodes, &table, copies));
    }

    #[test]
    fn a_slot_only_leaves_an_owner_that_is_gone_or_has_more_than_its_share(
        nodes in any_nodes(), table in any_table(), copies in 0usize..3,
    ) {
        let able = able(&nodes);
        let weights: Vec<u32> = able.iter().map(|node| node.weight).collect();
        let placement = place(&nodes, &table, copies);
        for (node, share) in able.iter().zip(shares(&weights, 1)) {
            let before = (0..SLOTS).filter(|slot| table.owner(*slot) == Some(node.identity));
            let (kept, lost): (Vec<u16>, Vec<u16>) =
                before.partition(|slot| placement.owner(*slot) == Some(node.identity));
            prop_assert!(lost.is_empty() || kept.len() >= share.at(Level::Fair) as usize);
        }
    }
}

/// How many random cases each property is tried on; `PROPTEST_CASES` makes it more.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(6)
}

#[test]
fn a_node_alone_owns_everything() {
    let placement = place(&equals(1), &Placement::default(), 1);
    assert!((0..SLOTS).all(|slot| placement.holders(slot).eq([identity(1)])));
}

#[test]
fn a_joiner_takes_its_share_and_nobody_else_gets_anything() {
    let before = place(&equals(3), &Placement::default(), 1);
    let after = place(&equals(4), &before, 1);
    let taken = slots_of(&after, 4);
    assert_eq!(taken.len(), 4096);
    assert_eq!(Moved::between(&before, &after), Moved { owners: 4096, transfers: 8192 });
}

#[test]
fn a_dead_nodes_slots_go_to_their_copies() {
    let before = place(&equals(5), &Placement::default(), 1);
    let after = place(&equals(4), &before, 1);
    let lost = slots_of(&before, 5);
    assert_eq!(Moved::between(&before, &after).owners, lost.len());
    let inherited = lost.iter().filter(|slot| before.copies(**slot).eq(after.owner(**slot))).count();
    assert!(inherited * 10 > lost.len() * 9, "{inherited} of {}", lost.len());
}

#[test]
fn a_leaving_node_gets_nothing_and_gives_everything() {
    let before = place(&equals(3), &Placement::default(), 1);
    let mut nodes = equals(3);
    nodes[1].is_leaving = true;
    let after = place(&nodes, &before, 1);
    assert!((0..SLOTS).all(|slot| after.holders(slot).all(|node| node != identity(2))));
}

#[test]
fn the_last_node_keeps_its_slots_when_it_leaves() {
    let before = place(&equals(2), &Placement::default(), 1);
    let mut nodes = equals(2);
    nodes.iter_mut().for_each(|node| node.is_leaving = true);
    assert_eq!(place(&nodes, &before, 1), before);
    let alone = place(&nodes[1..], &before, 1);
    assert!((0..SLOTS).all(|slot| alone.holders(slot).eq([identity(2)])));
}

#[test]
fn without_nodes_nobody_owns_anything() {
    let before = place(&equals(2), &Placement::default(), 1);
    let after = place(&[], &before, 1);
    assert!((0..SLOTS).all(|slot| after.owner(slot).is_none()));
}

#[test]
fn a_restarted_node_holds_nothing_of_its_former_life() {
    let before = place(&equals(3), &Placement::default(), 1);
    let mut nodes = equals(3);
    let reborn = Identity { generation: 99, ..nodes[0].identity };
    nodes.push(Candidate { identity: reborn, ..nodes[0].clone() });
    let after = place(&nodes, &before, 1);
    assert!((0..SLOTS).all(|slot| after.holders(slot).all(|node| node != identity(1))));
    assert!((0..SLOTS).any(|slot| after.owner(slot) == Some(reborn)));
}

#[test]
fn copies_are_in_other_zones() {
    let nodes = in_zones(&["a", "a", "b", "b", "c", "c"]);
    let placement = place(&nodes, &Placement::default(), 2);
    assert_eq!(slots_sharing_a_zone(&placement, &nodes), 0);
}

#[test]
fn copies_move_when_a_second_zone_appears() {
    let nodes = in_zones(&["a", "a", "b", "b"]);
    let before = place(&nodes[..2], &Placement::default(), 1);
    let after = place(&nodes, &before, 1);
    assert_eq!(slots_sharing_a_zone(&after, &nodes), 0);
}

#[test]
fn a_zone_with_most_of_the_weight_keeps_some_copies_to_itself() {
    let nodes = in_zones(&["a", "a", "a", "b"]);
    let placement = place(&nodes, &Placement::default(), 1);
    let (_, held) = loads(&placement, &nodes.iter().collect::<Vec<_>>());
    assert!(held[3] > 8192 && held[3] <= 9012, "b holds what balance allows, not a copy of all of a: {held:?}");
    assert_eq!(slots_sharing_a_zone(&placement, &nodes), usize::from(SLOTS) - held[3] as usize);
}

#[test]
fn ownership_still_comes_in_runs_after_joins() {
    let mut placement = Placement::default();
    for count in 1..=3 {
        placement = place(&equals(count), &placement, 1);
    }
    let owners: Vec<_> = (0..SLOTS).map(|slot| placement.owner(slot)).collect();
    let runs = owners.chunk_by(|a, b| a == b).count();
    assert!(runs < 600, "{runs} runs");
}

#[test]
fn a_plan_of_a_thousand_nodes_is_small_on_the_bus() {
    let nodes: Vec<Candidate> = (1..=1000).map(|id| candidate(id << 20)).collect();
    let placement = place(&nodes, &Placement::default(), 1);
    let slots: Vec<Vec<Identity>> = (0..SLOTS).map(|slot| placement.holders(slot).collect()).collect();
    let bytes = codec::encode(&Plan::new(7, identity(1), &slots)).unwrap().len();
    assert!(bytes < 200_000, "{bytes}");
}
