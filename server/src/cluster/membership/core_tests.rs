use std::net::Ipv4Addr;

use rondache_protocol::bus::identity::NodeId;

use super::{
    core::{Membership, Output},
    exchange::{Entry, Exchange},
    simulation::{Network, info},
    tuning::Tuning,
};
use crate::cluster::member::{Health, MemberInfo};

use std::time::Duration;

const FORGET: Duration = Duration::from_secs(60);

fn lone(id: u128) -> Membership {
    Membership::new(info(id, 1), Tuning { forget_after: FORGET, ..Tuning::default() }, 1, 0)
}

fn entry(info: MemberInfo) -> Entry {
    Entry { info, renewal: 0, dead_for_ms: None }
}

fn probes(membership: &mut Membership) -> usize {
    membership.take_outputs().iter().filter(|output| matches!(output, Output::Probe(_))).count()
}

#[test]
fn a_node_that_is_alone_sees_itself() {
    let view = lone(1).view();
    assert_eq!((view.version, view.members.len()), (1, 1));
    assert!(view.has_majority());
}

#[test]
fn a_view_gets_a_new_version_only_when_it_differs() {
    let mut node = lone(1);
    node.on_joiner(0, info(2, 1));
    let version = node.view().version;
    node.on_joiner(1, info(2, 1));
    node.tick(50);
    assert_eq!(node.view().version, version);
}

#[test]
fn the_only_other_member_is_dead_as_soon_as_its_address_refuses() {
    let mut node = lone(1);
    node.on_joiner(0, info(2, 1));
    node.on_absent(10, info(2, 1).identity);
    assert_eq!(node.view().members[&NodeId(2)].health, Health::Dead);
}

#[test]
fn one_of_several_members_is_dead_when_two_find_its_address_refusing() {
    let mut net = Network::new(1, 3);
    net.run_ms(1000);
    let victim = net.identity(2);
    net.crash(2);
    net.tell_absent(0, 2);
    assert!(net.view(0).is_alive(&victim), "one finding is not enough");
    // The others try for themselves when they hear of it; the simulated network refuses for a crashed node.
    net.run_ms(300);
    assert!(!net.view(0).is_alive(&victim) && !net.view(1).is_alive(&victim));
}

#[test]
fn a_member_that_is_found_refusing_by_another_is_probed_once() {
    let mut net = Network::new(2, 3);
    net.run_ms(1000);
    let victim = net.identity(2);
    net.tell_absent(0, 2);
    net.run_ms(1000);
    assert!(net.view(0).is_alive(&victim), "it answers the others, so it lives");
    let mut node = lone(1);
    node.on_absent(0, victim);
    assert_eq!(probes(&mut node), 0, "of strangers nothing is believed");
}

#[test]
fn a_new_life_ends_the_old_one_at_once() {
    let mut node = lone(1);
    let (old, new) = (info(2, 1), info(2, 2));
    node.on_joiner(0, old.clone());
    node.on_joiner(1, new.clone());
    let view = node.view();
    assert!(!view.is_alive(&old.identity) && view.is_alive(&new.identity));
    node.on_exchange(2, new.identity, Exchange::Entries { entries: vec![entry(old.clone())], wanted: vec![] });
    assert!(!node.view().is_alive(&old.identity), "it does not come back");
}

#[test]
fn an_info_that_is_too_long_to_travel_is_not_let_in() {
    let mut node = lone(1);
    let mut long = info(2, 1);
    long.zone = "z".repeat(65);
    node.on_joiner(0, long);
    assert_eq!(node.view().members.len(), 1);
}

#[test]
fn what_a_member_says_of_itself_reaches_everyone() {
    let mut net = Network::new(3, 10);
    net.run_ms(500);
    net.change(4, |info| info.weight = 250);
    net.run_ms(2000);
    for at in 0..10 {
        assert_eq!(net.view(at).members[&net.identity(4).id].info.weight, 250, "at {at}");
    }
}

#[test]
fn a_member_that_moves_stays_the_same_life() {
    let mut net = Network::new(4, 5);
    net.run_ms(500);
    let mover = net.identity(3);
    net.change_address(3, Ipv4Addr::new(10, 9, 9, 9));
    for _ in 0..30 {
        net.run_ms(100);
        assert!(net.view(0).is_alive(&mover) && net.view(4).is_alive(&mover));
    }
    assert_eq!(net.view(0).members[&mover.id].info.addrs.bus.ip(), Ipv4Addr::new(10, 9, 9, 9));
}

#[test]
fn a_member_that_leaves_is_dead_at_once_and_soon_forgotten() {
    let mut net = Network::new(5, 5);
    net.run_ms(500);
    let leaver = net.identity(2);
    net.change(2, |info| info.is_leaving = true);
    net.run_ms(500);
    net.depart(2);
    net.run_ms(600);
    net.crash(2);
    for at in [0, 1, 3, 4] {
        let health = net.view(at).members.get(&leaver.id).map(|member| member.health);
        assert_eq!(health, Some(Health::Dead), "at {at}");
    }
    net.run_ms(12_000);
    assert!([0, 1, 3, 4].iter().all(|at| !net.view(*at).members.contains_key(&leaver.id)));
    assert!(net.view(0).has_majority());
}

#[test]
fn members_that_stay_dead_are_forgotten() {
    let mut net = Network::new(6, 5);
    net.run_ms(500);
    for victim in [2, 3, 4] {
        net.crash(victim);
    }
    net.run_ms(10_000);
    assert!(!net.view(0).has_majority());
    net.run_ms(FORGET.as_millis() as u64 + 5000);
    assert!(net.view(0).has_majority() && net.view(1).has_majority());
    assert_eq!(net.view(0).members.len(), 2);
}

#[test]
fn a_member_that_is_started_again_in_its_place_counts_for_its_former_life() {
    let mut net = Network::new(8, 3);
    net.run_ms(500);
    net.crash(1);
    net.crash(2);
    net.run_ms(5_000);
    assert!(!net.view(0).has_majority());
    net.restart(2, 0);
    net.run_ms(1_000);
    for at in [0, 2] {
        let view = net.view(at);
        assert_eq!((view.members.len(), view.counted(), view.live().count()), (4, 3, 2), "at {at}");
    }
    net.crash(2);
    net.run_ms(5_000);
    assert_eq!((net.view(0).counted(), net.view(0).live().count()), (3, 1), "one place, whoever died there");
}

#[test]
fn a_member_that_crashes_again_and_again_takes_the_majority_from_nobody() {
    let mut net = Network::new(9, 3);
    net.run_ms(500);
    for _ in 0..6 {
        net.crash(2);
        net.run_ms(5_000);
        assert!((0..2).all(|at| net.view(at).has_majority()), "at {} ms", net.now_ms());
        net.restart(2, 0);
        net.run_ms(2_000);
        assert!((0..3).all(|at| net.view(at).has_majority()), "at {} ms", net.now_ms());
    }
    assert_eq!(net.view(0).members.len(), 9, "none of the dead is forgotten yet");
}

#[test]
fn the_sides_of_a_partition_find_together_and_no_life_is_lost() {
    let mut net = Network::new(7, 6);
    net.run_ms(500);
    net.partition(&[0, 1]);
    net.run_ms(15_000);
    assert_eq!((net.view(0).live().count(), net.view(5).live().count()), (2, 4));
    net.heal();
    net.run_ms(15_000);
    for at in 0..6 {
        assert!((0..6).all(|other| net.view(at).is_alive(&net.identity(other))), "at {at}");
    }
    assert!(net.refuted_deaths(0) > 0, "it can tell that it was held for dead");
}

#[test]
fn two_members_that_were_cut_off_from_each_other_find_together_without_help() {
    for seed in 0..20 {
        let mut net = Network::new(seed, 2);
        net.run_ms(500);
        net.partition(&[0]);
        net.run_ms(15_000);
        assert_eq!((net.view(0).live().count(), net.view(1).live().count()), (1, 1), "seed {seed}");
        net.heal();
        net.run_ms(5_000);
        assert_eq!((net.view(0).live().count(), net.view(1).live().count()), (2, 2), "seed {seed}");
    }
}

#[test]
fn who_was_cut_off_turns_nobody_against_the_living() {
    for seed in 100..200 {
        let mut net = Network::new(seed, 3);
        net.run_ms(2_000);
        net.partition(&[2]);
        net.run_ms(20_000);
        assert_eq!((net.view(0).live().count(), net.view(2).live().count()), (2, 1), "seed {seed}");
        net.heal();
        for _ in 0..200 {
            net.run_ms(50);
            let sees = |net: &mut Network, from: usize, to: usize| net.view(from).is_alive(&net.identity(to));
            assert!(sees(&mut net, 0, 1) && sees(&mut net, 1, 0), "seed {seed} at {} ms", net.now_ms());
        }
        assert!((0..3).all(|at| net.view(at).live().count() == 3), "seed {seed}");
    }
}

#[test]
fn a_frozen_member_comes_back_and_accuses_nobody() {
    let mut net = Network::new(8, 5);
    net.run_ms(500);
    net.freeze(1);
    net.run_ms(20_000);
    assert!(!net.view(0).is_alive(&net.identity(1)));
    net.thaw(1);
    for _ in 0..80 {
        net.run_ms(100);
        assert!([0, 2, 3, 4].iter().all(|at| net.view(0).is_alive(&net.identity(*at))), "it accused the living");
    }
    assert!(net.view(0).is_alive(&net.identity(1)));
}

#[test]
fn a_short_freeze_kills_nobody() {
    let mut net = Network::new(9, 5);
    net.run_ms(2000);
    net.freeze(1);
    net.run_ms(900);
    net.thaw(1);
    for _ in 0..60 {
        net.run_ms(100);
        assert!((0..5).all(|at| (0..5).all(|other| net.view(at).is_alive(&net.identity(other)))));
    }
}

#[test]
fn a_suspicion_that_was_taken_back_has_no_consequence() {
    let mut net = Network::new(1, 4);
    net.run_ms(1000);
    let suspect = net.identity(3);
    net.freeze(3);
    let is_suspected = |net: &mut Network| (0..3).any(|at| net.view(at).members[&suspect.id].health == Health::Suspect);
    let frozen_at_ms = net.now_ms();
    while !is_suspected(&mut net) {
        net.run_ms(10);
        assert!(net.now_ms() < frozen_at_ms + 2000, "nobody suspects it");
    }
    net.thaw(3);
    net.run_ms(5000);
    assert!((0..4).all(|at| net.view(at).is_alive(&suspect)));
    assert_eq!(net.refuted_deaths(3), 0, "nobody held it for dead");
}

#[test]
fn a_joiner_does_not_tell_the_cluster_what_it_was_just_told() {
    let mut node = lone(1);
    node.on_welcome(0, (2..102).map(|id| entry(info(id, 1))).collect());
    let mut longest = 0;
    for now_ms in (0..500).step_by(100) {
        node.tick(now_ms);
        for output in node.take_outputs() {
            if let Output::Datagram { payload, .. } = output {
                longest = longest.max(payload.len());
            }
        }
    }
    assert!((1..400).contains(&longest), "{longest} bytes");
}
