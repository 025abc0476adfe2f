//! Tests of the read policies, from fixed seeds.

use super::*;
use proptest::prelude::*;

const POLICIES: [ReadPolicy; 7] = [
    ReadPolicy::OwnerOnly,
    ReadPolicy::RoundRobin,
    ReadPolicy::Random,
    ReadPolicy::Weighted,
    ReadPolicy::LeastOutstanding,
    ReadPolicy::Fastest,
    ReadPolicy::SameZoneFirst,
];

fn copies(count: usize) -> Vec<Candidate> {
    (0..count)
        .map(|at| Candidate { is_owner: at == 0, is_available: true, weight: 1.0, ..Candidate::default() })
        .collect()
}

/// How often each copy is chosen in 1,000 reads.
fn shares(policy: ReadPolicy, copies: &[Candidate]) -> Vec<usize> {
    let (selector, mut rng) = (ReadSelector::new(policy), fastrand::Rng::with_seed(3));
    let mut shares = vec![0; copies.len()];
    (0..1000).filter_map(|_| selector.choose(copies, &mut rng)).for_each(|at| shares[at] += 1);
    shares
}

#[test]
fn owner_only_reads_from_the_owner_even_when_it_is_not_available() {
    let mut copies = copies(3);
    copies[0].is_available = false;
    assert_eq!(shares(ReadPolicy::OwnerOnly, &copies), [1000, 0, 0]);
}

#[test]
fn round_robin_takes_all_in_turn() {
    assert_eq!(shares(ReadPolicy::RoundRobin, &copies(4)), [250, 250, 250, 250]);
}

#[test]
fn random_spreads_evenly_over_the_available() {
    let mut copies = copies(3);
    copies[1].is_available = false;
    let shares = shares(ReadPolicy::Random, &copies);
    assert!(shares[1] == 0 && (430..570).contains(&shares[0]), "{shares:?}");
}

#[test]
fn weighted_follows_the_weights() {
    let mut copies = copies(2);
    copies[1].weight = 3.0;
    let shares = shares(ReadPolicy::Weighted, &copies);
    assert!((700..800).contains(&shares[1]), "{shares:?}");
}

#[test]
fn weights_of_zero_or_that_are_no_numbers_still_find_a_copy() {
    let mut copies = copies(2);
    (copies[0].weight, copies[1].weight) = (f64::NAN, -1.0);
    assert_eq!(shares(ReadPolicy::Weighted, &copies).iter().sum::<usize>(), 1000);
}

#[test]
fn least_outstanding_takes_the_idle_copy_and_spreads_ties() {
    let mut copies = copies(3);
    copies[0].outstanding = 4;
    let shares = shares(ReadPolicy::LeastOutstanding, &copies);
    assert!(shares[0] == 0 && (430..570).contains(&shares[1]), "{shares:?}");
}

#[test]
fn fastest_leaves_the_slowest_of_three_alone() {
    let mut copies = copies(3);
    for (copy, us) in copies.iter_mut().zip([100, 100, 900]) {
        copy.latency = Some(Duration::from_micros(us));
    }
    assert_eq!(shares(ReadPolicy::Fastest, &copies)[2], 0);
}

#[test]
fn fastest_tries_a_copy_of_which_nothing_is_known() {
    let mut copies = copies(2);
    copies[0].latency = Some(Duration::from_micros(100));
    assert_eq!(shares(ReadPolicy::Fastest, &copies), [0, 1000]);
}

#[test]
fn same_zone_first_leaves_the_zone_only_when_no_copy_is_there() {
    let mut copies = copies(3);
    copies[2].is_same_zone = true;
    copies[2].latency = Some(Duration::from_secs(1));
    assert_eq!(shares(ReadPolicy::SameZoneFirst, &copies), [0, 0, 1000]);
    copies[2].is_available = false;
    assert_eq!(shares(ReadPolicy::SameZoneFirst, &copies)[2], 0);
}

proptest! {
    #[test]
    fn every_policy_finds_an_available_copy_if_there_is_one(
        available in prop::collection::vec(any::<bool>(), 1..6), at in 0..POLICIES.len(), seed: u64
    ) {
        let mut copies = copies(available.len());
        copies.iter_mut().zip(&available).for_each(|(copy, is_available)| copy.is_available = *is_available);
        let mut rng = fastrand::Rng::with_seed(seed);
        let chosen = ReadSelector::new(POLICIES[at]).choose(&copies, &mut rng);
        prop_assert!(chosen.is_some());
        if POLICIES[at] != ReadPolicy::OwnerOnly && available.contains(&true) {
            prop_assert!(chosen.is_some_and(|at| available[at]));
        }
    }

    #[test]
    fn a_hedge_never_goes_where_the_read_is_already(
        available in prop::collection::vec(any::<bool>(), 1..6), at in 0..POLICIES.len(), taken in 0usize..6, seed: u64
    ) {
        let mut copies = copies(available.len());
        copies.iter_mut().zip(&available).for_each(|(copy, is_available)| copy.is_available = *is_available);
        let mut rng = fastrand::Rng::with_seed(seed);
        if let Some(other) = ReadSelector::new(POLICIES[at]).choose_other(&copies, taken, &mut rng) {
            prop_assert!(other != taken && available[other]);
        }
    }
}
