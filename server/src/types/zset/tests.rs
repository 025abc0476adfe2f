//! Sorted sets against a naive model, over random operations that cross the thresholds.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

/// Scores by member, sorted on demand.
#[derive(Default)]
struct Model(HashMap<Vec<u8>, f64>);

impl Model {
    fn sorted(&self) -> Vec<(Vec<u8>, f64)> {
        let mut entries: Vec<_> = self.0.iter().map(|(member, &score)| (member.clone(), score)).collect();
        entries.sort_by(|a, b| compare((a.1, &a.0), (b.1, &b.0)));
        entries
    }
}

#[derive(Clone, Debug)]
enum Op {
    Insert(u16, i8),
    Remove(u16),
    RemoveRanks(u16, u8),
    PopMin,
    PopMax,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        12 => (0u16..600, any::<i8>()).prop_map(|(member, score)| Op::Insert(member, score)),
        4 => (0u16..600).prop_map(Op::Remove),
        1 => (0u16..400, 0u8..40).prop_map(|(start, count)| Op::RemoveRanks(start, count)),
        1 => Just(Op::PopMin),
        1 => Just(Op::PopMax),
    ]
}

fn name(member: u16) -> Vec<u8> {
    format!("{}{member}", if member.is_multiple_of(7) { "a member too long to be kept inline:" } else { "m:" })
        .into_bytes()
}

fn limits(entries: usize) -> EncodingLimits {
    EncodingLimits { zset_max_listpack_entries: entries, ..EncodingLimits::default() }
}

fn owned(entries: Iter<'_>) -> Vec<(Vec<u8>, f64)> {
    entries.map(|(member, score)| (member.to_vec(), score)).collect()
}

fn apply(set: &mut ZSet, model: &mut Model, op: &Op, limits: &EncodingLimits) {
    match *op {
        Op::Insert(member, score) => {
            let (member, score) = (name(member), f64::from(score));
            let expected = match model.0.insert(member.clone(), score) {
                None => Upserted::Added,
                Some(old_score) if old_score != score => Upserted::Updated { old_score },
                Some(_) => Upserted::Unchanged,
            };
            assert_eq!(set.insert(&member, score, limits), expected);
        }
        Op::Remove(member) => assert_eq!(set.remove(&name(member)), model.0.remove(&name(member))),
        Op::RemoveRanks(start, count) => {
            let ranks = usize::from(start)..usize::from(start) + usize::from(count);
            let mut removed = Vec::new();
            let count = set.remove_ranks(ranks.clone(), |member, score| removed.push((member.to_vec(), score)));
            let expected: Vec<_> = model.sorted().into_iter().skip(ranks.start).take(ranks.len()).collect();
            assert_eq!(count, expected.len());
            assert_eq!(removed, expected);
            for (member, _) in &expected {
                model.0.remove(member);
            }
        }
        Op::PopMin => {
            let expected = model.sorted().into_iter().next();
            assert_eq!(set.pop_min(), expected);
            expected.map(|(member, _)| model.0.remove(&member));
        }
        Op::PopMax => {
            let expected = model.sorted().pop();
            assert_eq!(set.pop_max(), expected);
            expected.map(|(member, _)| model.0.remove(&member));
        }
    }
}

fn check_reads(set: &ZSet, model: &Model, low: i8, high: i8, start: usize, count: usize) {
    let sorted = model.sorted();
    assert_eq!(set.len(), sorted.len());
    assert_eq!(owned(set.iter()), sorted);
    for (rank, (member, score)) in sorted.iter().enumerate() {
        assert_eq!(set.rank(member, false), Some((rank, *score)));
        assert_eq!(set.rank(member, true), Some((sorted.len() - 1 - rank, *score)));
        assert_eq!(set.score(member), Some(*score));
    }
    let mut backwards: Vec<_> = sorted.iter().skip(start).take(count).cloned().collect();
    assert_eq!(owned(set.range(start..start + count, false)), backwards);
    backwards.reverse();
    assert_eq!(owned(set.range(start..start + count, true)), backwards);

    let mut scores = ScoreRange::inclusive(low.into(), high.into());
    (scores.min_exclusive, scores.max_exclusive) = (start % 2 == 1, count % 2 == 1);
    let expected: Vec<_> = sorted.iter().filter(|(_, score)| scores.contains(*score)).cloned().collect();
    assert_eq!(owned(set.range(set.score_ranks(&scores), false)), expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_sequence_of_operations_agrees_with_the_model(
        ops in proptest::collection::vec(op(), 0..900), entries in 0usize..200,
        low: i8, high: i8, start in 0usize..500, count in 0usize..300,
    ) {
        let limits = limits(entries);
        let (mut set, mut model) = (ZSet::new(), Model::default());
        for op in &ops {
            apply(&mut set, &mut model, op, &limits);
        }
        check_reads(&set, &model, low, high, start, count);
        let clone = set.clone();
        prop_assert!(clone == set);
    }

    #[test]
    fn lex_ranges_agree_with_a_filter(members in proptest::collection::btree_set("[a-c]{0,4}", 0..150), min in "(-|\\+|[\\[(][a-c]{0,3})", max in "(-|\\+|[\\[(][a-c]{0,3})", entries in 0usize..100) {
        let mut set = ZSet::new();
        for member in &members {
            set.insert(member.as_bytes(), 0.0, &limits(entries));
        }
        let range = LexRange::parse(min.as_bytes(), max.as_bytes()).expect("valid");
        let expected: Vec<&[u8]> = members.iter().map(String::as_bytes).filter(|member| range.contains(member)).collect();
        let found: Vec<&[u8]> = set.range(set.lex_ranks(&range), false).map(|(member, _)| member).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn a_scan_misses_nothing_that_stays(removed in proptest::collection::vec(0u16..500, 0..300), count in 1usize..40) {
        let mut set = ZSet::new();
        for member in 0u16..500 {
            set.insert(&name(member), f64::from(member), &limits(0));
        }
        let mut seen = std::collections::HashSet::new();
        let mut removals = removed.chunks(5);
        let mut cursor = 0;
        loop {
            cursor = set.scan(cursor, count, |member, _| {
                seen.insert(member.to_vec());
            });
            if cursor == 0 {
                break;
            }
            for &member in removals.next().unwrap_or_default() {
                set.remove(&name(member));
            }
        }
        prop_assert!(set.iter().all(|(member, _)| seen.contains(member)));
    }
}

#[test]
fn a_large_set_keeps_its_order_through_growth_and_decay() {
    let seed = 7;
    let mut rng = fastrand::Rng::with_seed(seed);
    let (mut set, mut model) = (ZSet::new(), Model::default());
    let limits = EncodingLimits::default();
    for _ in 0..60_000 {
        let op = Op::Insert(rng.u16(..20_000), rng.i8(..));
        apply(&mut set, &mut model, &op, &limits);
    }
    check_reads(&set, &model, -50, 50, 1000, 5000);
    let full_bytes = set.memory_usage();
    for member in 0..19_500 {
        apply(&mut set, &mut model, &Op::Remove(member), &limits);
    }
    check_reads(&set, &model, -50, 50, 10, 200);
    assert!(set.memory_usage() < full_bytes / 8, "{} of {full_bytes}, seed {seed}", set.memory_usage());
}

#[test]
fn ascending_scores_fill_their_leaves() {
    let mut set = ZSet::new();
    for number in 0u32..100_000 {
        set.insert(format!("element:{number:012}").as_bytes(), f64::from(number), &EncodingLimits::default());
    }
    assert!(set.memory_usage() < 100_000 * 72, "{} bytes", set.memory_usage());
    assert_eq!(set.rank(b"element:000000077777", false), Some((77_777, 77_777.0)));
}

#[test]
fn thresholds_decide_the_encoding() {
    let limits =
        EncodingLimits { zset_max_listpack_entries: 2, zset_max_listpack_value: 4, ..EncodingLimits::default() };
    let mut set = ZSet::new();
    set.insert(b"a", 1.0, &limits);
    set.insert(b"b", 1.0, &limits);
    assert_eq!(set.encoding(), "listpack");
    set.insert(b"c", 1.0, &limits);
    assert_eq!(set.encoding(), "skiplist");
    set.remove(b"c");
    set.compact_if_small(&limits);
    assert_eq!(set.encoding(), "listpack");
    let mut long = ZSet::new();
    long.insert(b"abcde", 1.0, &limits);
    assert_eq!(long.encoding(), "skiplist");
}

#[test]
fn not_a_number_never_enters() {
    for limits in [limits(0), limits(10)] {
        let mut set = ZSet::new();
        assert_eq!(set.insert(b"a", f64::NAN, &limits), Upserted::Refused);
        set.insert(b"a", f64::INFINITY, &limits);
        let sum = set.upsert(b"a", &limits, |old| old.map(|old| old + f64::NEG_INFINITY));
        assert_eq!(sum, Upserted::Refused);
        assert_eq!(set.score(b"a"), Some(f64::INFINITY));
    }
}

#[test]
fn both_zeros_are_one_score() {
    for limits in [limits(0), limits(10)] {
        let mut set = ZSet::new();
        set.insert(b"b", -0.0, &limits);
        set.insert(b"a", 0.0, &limits);
        assert_eq!(set.insert(b"b", 0.0, &limits), Upserted::Unchanged);
        assert_eq!(set.rank(b"a", false).map(|(rank, _)| rank), Some(0));
    }
}

#[test]
fn random_picks_are_distinct_and_complete() {
    for limits in [limits(0), limits(200)] {
        let mut set = ZSet::new();
        for member in 0u16..100 {
            set.insert(&name(member), 1.0, &limits);
        }
        let mut rng = fastrand::Rng::with_seed(3);
        for count in [0, 1, 10, 100, 500] {
            let mut picked: Vec<_> =
                set.random_distinct(count, &mut rng).into_iter().map(|(member, _)| member).collect();
            picked.sort_unstable();
            picked.dedup();
            assert_eq!(picked.len(), count.min(100));
        }
        assert!(set.random(&mut rng).is_some());
        assert!(ZSet::new().random(&mut rng).is_none());
    }
}

#[test]
fn removing_many_at_once_is_like_removing_them_one_by_one() {
    let filled = || {
        let mut set = ZSet::new();
        for member in 0u16..3000 {
            set.insert(&name(member), f64::from(member * 7 % 101), &EncodingLimits::default());
        }
        set
    };
    for ranks in [0..2000, 100..2900, 1500..3000, 1..3000] {
        let (mut at_once, mut one_by_one) = (filled(), filled());
        let mut removed = Vec::new();
        assert_eq!(at_once.remove_ranks(ranks.clone(), |member, _| removed.push(member.to_vec())), ranks.len());
        for member in &removed {
            assert!(one_by_one.remove(member).is_some());
        }
        for member in 3000u16..3100 {
            at_once.insert(&name(member), f64::from(member % 10), &EncodingLimits::default());
            one_by_one.insert(&name(member), f64::from(member % 10), &EncodingLimits::default());
        }
        assert_eq!(at_once, one_by_one, "{ranks:?}");
        for (rank, (member, score)) in at_once.iter().enumerate() {
            assert_eq!(at_once.rank(member, false), Some((rank, score)), "{ranks:?}");
        }
        assert!(removed.iter().all(|member| !at_once.contains(member)), "{ranks:?}");
    }
}

#[test]
fn a_scan_misses_nothing_that_stays_when_many_are_removed_at_once() {
    let mut set = ZSet::new();
    for member in 0u16..3000 {
        set.insert(&name(member), f64::from(member * 7 % 101), &EncodingLimits::default());
    }
    let mut seen = std::collections::HashSet::new();
    let mut cursor = set.scan(0, 1000, |member, _| seen.extend([member.to_vec()]));
    set.remove_ranks(500..1500, |_, _| {});
    while cursor != 0 {
        cursor = set.scan(cursor, 300, |member, _| seen.extend([member.to_vec()]));
    }
    assert!(set.iter().all(|(member, _)| seen.contains(member)));
}
