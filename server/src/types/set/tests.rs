use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Op {
    Add(Vec<u8>),
    Remove(Vec<u8>),
    PopRandom,
}

fn member() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => (-40..40_i32).prop_map(|number| number.to_string().into_bytes()),
        2 => (0..60_u32).prop_map(|number| format!("m{number}").into_bytes()),
        1 => (8..12_usize).prop_map(|len| vec![b'x'; len]),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![6 => member().prop_map(Op::Add), 2 => member().prop_map(Op::Remove), 1 => Just(Op::PopRandom)]
}

fn texts(set: &Set) -> HashSet<Vec<u8>> {
    set.iter().map(|item| item.to_vec()).collect()
}

fn set_of(members: impl IntoIterator<Item = String>) -> Set {
    let mut set = Set::new();
    for member in members {
        set.add(member.as_bytes(), &EncodingLimits::default());
    }
    set
}

proptest! {
    #[test]
    fn any_sequence_of_edits_matches_a_hash_set(
        ops in proptest::collection::vec(op(), 0..300),
        max_ints in 0..40_usize,
        max_packed in 0..40_usize,
        seed in any::<u64>(),
    ) {
        let limits = EncodingLimits {
            set_max_intset_entries: max_ints,
            set_max_listpack_entries: max_packed,
            set_max_listpack_value: 10,
            ..EncodingLimits::default()
        };
        let mut rng = fastrand::Rng::with_seed(seed);
        let (mut set, mut model) = (Set::new(), HashSet::new());
        for op in ops {
            match op {
                Op::Add(member) => prop_assert_eq!(set.add(&member, &limits), model.insert(member)),
                Op::Remove(member) => prop_assert_eq!(set.remove(&member), model.remove(&member)),
                Op::PopRandom => match set.pop_random(&mut rng) {
                    Some(member) => prop_assert!(model.remove(&member[..])),
                    None => prop_assert!(model.is_empty()),
                },
            }
            prop_assert_eq!(set.len(), model.len());
        }
        prop_assert!(model.iter().all(|member| set.contains(member)));
        prop_assert_eq!(&texts(&set), &model);
        let some: HashSet<_> = set.random_distinct(&mut rng, 5).iter().map(Item::to_vec).collect();
        prop_assert_eq!(some.len(), model.len().min(5));
        prop_assert!(some.is_subset(&model));
        prop_assert_eq!(&set.clone(), &set);
    }
}

#[test]
fn integers_stay_an_intset_until_they_are_too_many() {
    let mut set = set_of((0..512).map(|number| number.to_string()));
    assert_eq!(set.encoding(), "intset");
    assert!(set.add(b"512", &EncodingLimits::default()));
    assert_eq!(set.encoding(), "hashtable");
}

#[test]
fn a_text_turns_a_small_intset_into_a_listpack_and_a_large_one_into_a_table() {
    let mut small = set_of((0..3).map(|number| number.to_string()));
    small.add(b"a", &EncodingLimits::default());
    assert_eq!(small.encoding(), "listpack");
    let mut large = set_of((0..130).map(|number| number.to_string()));
    large.add(b"a", &EncodingLimits::default());
    assert_eq!(large.encoding(), "hashtable");
    assert!(large.contains(b"a") && large.contains(b"129"));
}

#[test]
fn a_listpack_becomes_a_table_by_number_or_by_length() {
    let mut many = set_of((0..128).map(|number| format!("m{number}")));
    assert_eq!(many.encoding(), "listpack");
    many.add(b"one more", &EncodingLimits::default());
    assert_eq!(many.encoding(), "hashtable");
    assert_eq!(set_of(["x".repeat(65)]).encoding(), "hashtable");
    assert_eq!(set_of(["x".repeat(64)]).encoding(), "listpack");
}

#[test]
fn integers_beyond_64_bits_are_texts() {
    let set = set_of(["213244124402402314402033402".to_owned()]);
    assert_eq!(set.encoding(), "listpack");
    assert!(set.contains(b"213244124402402314402033402"));
}

#[test]
fn a_scan_of_a_table_is_piecewise_and_complete() {
    let set = set_of((0..1000).map(|number| format!("m{number}")));
    let (mut cursor, mut seen, mut calls) = (0, HashSet::new(), 0);
    loop {
        cursor = set.scan(cursor, 100, |item| {
            seen.insert(item.to_vec());
        });
        calls += 1;
        if cursor == 0 {
            break;
        }
    }
    assert_eq!((seen.len(), calls), (1000, 10));
}

#[test]
fn sets_of_different_encodings_can_be_equal() {
    let ints = set_of(["1".to_owned(), "2".to_owned()]);
    let mut packed = set_of(["a".to_owned(), "2".to_owned(), "1".to_owned()]);
    packed.remove(b"a");
    assert_eq!((ints.encoding(), packed.encoding()), ("intset", "listpack"));
    assert_eq!(ints, packed);
}
