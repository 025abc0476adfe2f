use std::collections::{HashMap, HashSet};

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Op {
    Insert { field: u8, value: Vec<u8>, keeps: bool },
    Remove(u8),
    SetDeadline(u8, u64),
    Persist(u8),
    TakeExpired(usize),
    Wait(u64),
}

type Model = HashMap<Vec<u8>, (Vec<u8>, Option<u64>)>;

fn name(number: u8) -> Vec<u8> {
    format!("field:{number}").into_bytes()
}

fn field() -> std::ops::Range<u8> {
    0..40
}

fn op() -> impl Strategy<Value = Op> {
    let value = prop_oneof![
        5 => proptest::collection::vec(any::<u8>(), 0..30),
        1 => proptest::collection::vec(any::<u8>(), 60..70),
    ];
    prop_oneof![
        8 => (field(), value, any::<bool>()).prop_map(|(field, value, keeps)| Op::Insert { field, value, keeps }),
        2 => field().prop_map(Op::Remove),
        3 => (field(), 0..200_u64).prop_map(|(field, after_ms)| Op::SetDeadline(field, after_ms)),
        1 => field().prop_map(Op::Persist),
        1 => (0..5_usize).prop_map(Op::TakeExpired),
        2 => (0..40_u64).prop_map(Op::Wait),
    ]
}

fn is_live(deadline: Option<u64>, now_ms: u64) -> bool {
    deadline.is_none_or(|deadline_ms| deadline_ms > now_ms)
}

fn insert_in_model(model: &mut Model, field: Vec<u8>, value: Vec<u8>, keeps: bool, now_ms: u64) -> bool {
    let former = model.get(&field).filter(|(_, deadline)| is_live(*deadline, now_ms)).cloned();
    let deadline = former.as_ref().filter(|_| keeps).and_then(|(_, deadline)| *deadline);
    model.insert(field, (value, deadline));
    former.is_none()
}

fn take_expired_from_model(model: &mut Model, fields: &[ByteStr], now_ms: u64) {
    let mut last_ms = 0;
    for field in fields {
        let (_, deadline) = model.remove(&field[..]).expect("only fields of the hash expire");
        let deadline_ms = deadline.expect("only fields with a deadline expire");
        assert!(deadline_ms <= now_ms && deadline_ms >= last_ms);
        last_ms = deadline_ms;
    }
}

fn apply(op: Op, hash: &mut Hash, model: &mut Model, now_ms: &mut u64, limits: &EncodingLimits) {
    let now = *now_ms;
    let live = |model: &Model, field: &[u8]| model.get(field).is_some_and(|(_, deadline)| is_live(*deadline, now));
    match op {
        Op::Insert { field, value, keeps } => {
            let is_new = if keeps {
                hash.insert_keeping_deadline(&name(field), &value, now, limits)
            } else {
                hash.insert(&name(field), &value, now, limits)
            };
            assert_eq!(is_new, insert_in_model(model, name(field), value, keeps, now));
        }
        Op::Remove(field) => {
            assert_eq!(hash.remove(&name(field), now), live(model, &name(field)));
            model.remove(&name(field));
        }
        Op::SetDeadline(field, after_ms) => {
            let exists = live(model, &name(field));
            assert_eq!(hash.set_deadline(&name(field), now + after_ms, now), exists);
            if let Some(entry) = model.get_mut(&name(field)).filter(|_| exists) {
                entry.1 = Some(now + after_ms);
            }
        }
        Op::Persist(field) => {
            let former = hash.persist(&name(field), now);
            if live(model, &name(field))
                && let Some((_, deadline)) = model.get_mut(&name(field))
            {
                assert_eq!(former, deadline.take().map_or(FieldDeadline::Unset, FieldDeadline::At));
            } else {
                assert_eq!(former, FieldDeadline::Missing);
            }
        }
        Op::TakeExpired(limit) => {
            let expired = model.values().filter(|(_, deadline)| !is_live(*deadline, now)).count();
            let fields = hash.take_expired(now, limit);
            assert_eq!(fields.len(), expired.min(limit));
            take_expired_from_model(model, &fields, now);
        }
        Op::Wait(ms) => *now_ms += ms,
    }
}

fn check(hash: &Hash, model: &Model, now_ms: u64, rng: &mut fastrand::Rng) {
    let live: HashMap<&[u8], &[u8]> = model
        .iter()
        .filter(|(_, (_, deadline))| is_live(*deadline, now_ms))
        .map(|(field, (value, _))| (&field[..], &value[..]))
        .collect();
    assert_eq!(hash.iter(now_ms).collect::<HashMap<_, _>>(), live);
    assert_eq!((hash.len(now_ms), hash.total_len()), (live.len(), model.len()));
    assert_eq!(hash.earliest_deadline(), model.values().filter_map(|(_, deadline)| *deadline).min());
    for (field, (value, deadline)) in model {
        let value = Some(&value[..]).filter(|_| is_live(*deadline, now_ms));
        assert_eq!(hash.get(field, now_ms), value);
    }
    let some: HashMap<_, _> = hash.random_distinct(rng, 4, now_ms).into_iter().collect();
    assert_eq!(some.len(), live.len().min(4));
    let picked = some.into_iter().chain(hash.random(rng, now_ms));
    picked.for_each(|(field, value)| assert_eq!(live.get(field), Some(&value)));
    assert_eq!(hash.random(rng, now_ms).is_some(), !live.is_empty());
}

proptest! {
    #[test]
    fn any_sequence_of_edits_matches_a_map_with_deadlines(
        ops in proptest::collection::vec(op(), 0..250),
        max_entries in 0..50_usize,
        seed in any::<u64>(),
    ) {
        let limits = EncodingLimits { hash_max_listpack_entries: max_entries, ..EncodingLimits::default() };
        let mut rng = fastrand::Rng::with_seed(seed);
        let (mut hash, mut model, mut now_ms) = (Hash::new(), Model::new(), 1000);
        for (step, op) in ops.into_iter().enumerate() {
            apply(op, &mut hash, &mut model, &mut now_ms, &limits);
            if step % 10 == 0 {
                check(&hash, &model, now_ms, &mut rng);
            }
        }
        check(&hash, &model, now_ms, &mut rng);
    }
}

fn hash_of(fields: usize) -> Hash {
    let mut hash = Hash::new();
    for number in 0..fields {
        hash.insert(format!("f{number}").as_bytes(), b"v", 0, &EncodingLimits::default());
    }
    hash
}

#[test]
fn too_many_or_too_long_fields_make_a_table() {
    assert_eq!(hash_of(512).encoding(), "listpack");
    assert_eq!(hash_of(513).encoding(), "hashtable");
    let mut hash = hash_of(1);
    hash.insert(b"f0", &[b'v'; 64], 0, &EncodingLimits::default());
    assert_eq!(hash.encoding(), "listpack");
    hash.insert(b"f0", &[b'v'; 65], 0, &EncodingLimits::default());
    assert_eq!(hash.encoding(), "hashtable");
    assert_eq!(hash.get(b"f0", 0).map(<[u8]>::len), Some(65));
}

#[test]
fn a_field_is_hidden_from_the_millisecond_of_its_deadline_on() {
    let mut hash = hash_of(2);
    assert!(hash.set_deadline(b"f0", 100, 0));
    assert_eq!(hash.get(b"f0", 99), Some(&b"v"[..]));
    assert_eq!(hash.get(b"f0", 100), None);
    assert_eq!((hash.len(100), hash.total_len()), (1, 2));
    assert_eq!(hash.take_expired(100, 10), [ByteStr::new(b"f0")]);
    assert_eq!((hash.total_len(), hash.deadline_count()), (1, 0));
}

#[test]
fn a_scan_skips_expired_fields_and_finds_all_others() {
    let mut hash = hash_of(1000);
    for number in (0..1000).step_by(2) {
        hash.set_deadline(format!("f{number}").as_bytes(), 50, 0);
    }
    let (mut cursor, mut seen) = (0, HashSet::new());
    loop {
        cursor = hash.scan(cursor, 10, 50, |field, _| {
            seen.insert(field.to_vec());
        });
        if cursor == 0 {
            break;
        }
    }
    assert_eq!(seen.len(), 500);
}

#[test]
fn a_copy_built_from_the_iterator_is_equal() {
    let mut hash = hash_of(20);
    hash.set_deadline(b"f3", 500, 0);
    let mut copy = Hash::new();
    for (field, value, deadline_ms) in hash.iter_with_deadlines() {
        copy.insert(field, value, 0, &EncodingLimits::default());
        if let Some(deadline_ms) = deadline_ms {
            copy.set_deadline(field, deadline_ms, 0);
        }
    }
    assert_eq!(copy, hash);
    copy.persist(b"f3", 0);
    assert_ne!(copy, hash);
}
