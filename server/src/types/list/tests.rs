use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Op {
    PushFront(Vec<u8>),
    PushBack(Vec<u8>),
    PopFront,
    PopBack,
    Set(usize, Vec<u8>),
    Insert(usize, Vec<u8>),
    Remove(i64, Vec<u8>),
    Trim(usize, usize),
    Compact,
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        20 => proptest::collection::vec(b'a'..b'd', 0..3),
        2 => proptest::collection::vec(any::<u8>(), 500..1500),
        1 => (5000_usize..9000).prop_map(|len| vec![b'x'; len]),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        10 => value().prop_map(Op::PushFront),
        10 => value().prop_map(Op::PushBack),
        3 => Just(Op::PopFront),
        3 => Just(Op::PopBack),
        4 => (0..60_usize, value()).prop_map(|(at, value)| Op::Set(at, value)),
        4 => (0..60_usize, value()).prop_map(|(at, value)| Op::Insert(at, value)),
        2 => (-4..5_i64, value()).prop_map(|(count, value)| Op::Remove(count, value)),
        1 => (0..8_usize, 5..90_usize).prop_map(|(start, end)| Op::Trim(start, end)),
        1 => Just(Op::Compact),
    ]
}

fn limits_of(list_max_listpack_size: i32) -> EncodingLimits {
    EncodingLimits { list_max_listpack_size, ..EncodingLimits::default() }
}

fn remove_from_model(model: &mut VecDeque<Vec<u8>>, count: i64, value: &[u8]) -> usize {
    let most = if count == 0 { usize::MAX } else { count.unsigned_abs() as usize };
    let mut hits: Vec<usize> = (0..model.len()).filter(|&index| model[index] == value).collect();
    if count < 0 {
        hits.reverse();
    }
    hits.truncate(most);
    hits.sort_unstable();
    for &index in hits.iter().rev() {
        model.remove(index);
    }
    hits.len()
}

fn apply(op: Op, list: &mut List, model: &mut VecDeque<Vec<u8>>, limits: &EncodingLimits) {
    match op {
        Op::PushFront(value) => {
            list.push_front(&value, limits);
            model.push_front(value);
        }
        Op::PushBack(value) => {
            list.push_back(&value, limits);
            model.push_back(value);
        }
        Op::PopFront => assert_eq!(list.pop_front(limits).map(ByteStr::into_vec), model.pop_front()),
        Op::PopBack => assert_eq!(list.pop_back(limits).map(ByteStr::into_vec), model.pop_back()),
        Op::Set(index, value) => {
            assert_eq!(list.set(index, &value, limits), index < model.len());
            if let Some(slot) = model.get_mut(index) {
                *slot = value;
            }
        }
        Op::Insert(index, value) => {
            list.insert(index, &value, limits);
            model.insert(index.min(model.len()), value);
        }
        Op::Remove(count, value) => {
            assert_eq!(list.remove(count, &value, limits), remove_from_model(model, count, &value));
        }
        Op::Trim(start, end) => {
            list.trim(start, end, limits);
            model.truncate(end + 1);
            model.drain(..start.min(model.len()));
        }
        Op::Compact => list.compact(limits),
    }
}

proptest! {
    #[test]
    fn any_sequence_of_edits_matches_a_deque(
        ops in proptest::collection::vec(op(), 0..200),
        size in prop_oneof![Just(-1), Just(-2), Just(0), Just(1), Just(3), Just(10)],
    ) {
        let limits = limits_of(size);
        let (mut list, mut model) = (List::new(), VecDeque::new());
        for op in ops {
            apply(op, &mut list, &mut model, &limits);
            prop_assert_eq!(list.len(), model.len());
            prop_assert!(list.iter().eq(model.iter().map(Vec::as_slice)));
        }
        prop_assert!(list.iter_back().eq(model.iter().rev().map(Vec::as_slice)));
        for index in 0..model.len() + 2 {
            prop_assert_eq!(list.get(index), model.get(index).map(Vec::as_slice));
            let back = list.iter_back_from(index).next();
            prop_assert_eq!(back, model.get(index).or(model.back()).map(Vec::as_slice));
        }
    }

    #[test]
    fn positions_match_a_plain_search(
        elements in proptest::collection::vec(0..3_u8, 0..60),
        rank in prop_oneof![-4..0_i64, 1..5_i64],
        count in 0..4_usize,
        max_len in 0..40_usize,
    ) {
        let mut list = List::new();
        for element in &elements {
            list.push_back(&[*element], &limits_of(5));
        }
        let mut walk: Vec<usize> = (0..elements.len()).collect();
        if rank < 0 {
            walk.reverse();
        }
        walk.truncate(if max_len == 0 { usize::MAX } else { max_len });
        walk.retain(|&index| elements[index] == 1);
        let mut expected: Vec<usize> = walk.into_iter().skip(rank.unsigned_abs() as usize - 1).collect();
        expected.truncate(if count == 0 { usize::MAX } else { count });
        prop_assert_eq!(list.positions(&[1], PositionQuery { rank, count, max_len }), expected);
    }
}

fn list_of(elements: &[&[u8]], limits: &EncodingLimits) -> List {
    let mut list = List::new();
    for element in elements {
        list.push_back(element, limits);
    }
    list
}

#[test]
fn one_element_too_many_or_too_large_makes_a_quicklist() {
    let three = limits_of(3);
    let mut list = list_of(&[b"a", b"b", b"c"], &three);
    assert_eq!(list.encoding(), "listpack");
    list.push_back(b"d", &three);
    assert_eq!(list.encoding(), "quicklist");
    let mut list = list_of(&[b"a", b"b", b"c"], &limits_of(-1));
    assert!(list.set(0, &[b'x'; 8192], &limits_of(-1)));
    assert_eq!(list.encoding(), "quicklist");
    let list = list_of(&[&[b'x'; 60000]], &limits_of(-6));
    assert_eq!(list.encoding(), "listpack");
}

#[test]
fn a_list_that_shrinks_to_half_a_chunk_becomes_a_listpack() {
    let three = limits_of(3);
    let mut list = list_of(&[b"a", b"b", b"c", b"d"], &three);
    list.pop_back(&three);
    assert_eq!(list.encoding(), "quicklist");
    list.drop_back(2, &three);
    assert_eq!(list.encoding(), "listpack");
    let mut list = list_of(&[b"a", b"a", b"a", b"d"], &three);
    assert_eq!(list.remove(3, b"a", &three), 3);
    assert_eq!(list.encoding(), "listpack");
    let mut list = list_of(&[b"a", b"b", b"c", b"d"], &three);
    list.trim(1, 1, &three);
    assert_eq!((list.encoding(), list.len()), ("listpack", 1));
}

#[test]
fn replacing_the_only_large_element_makes_a_listpack() {
    let limits = limits_of(-1);
    let mut list = list_of(&[&[b'x'; 8192], b"a", b"b"], &limits);
    list.drop_back(2, &limits);
    assert_eq!(list.encoding(), "quicklist");
    assert!(list.set(0, b"c", &limits));
    assert_eq!(list.encoding(), "listpack");
}

#[test]
fn compacting_applies_the_whole_limit() {
    let three = limits_of(3);
    let mut list = list_of(&[b"a", b"b", b"c", b"d"], &three);
    list.pop_back(&three);
    list.compact(&three);
    assert_eq!(list.encoding(), "listpack");
}

#[test]
fn a_long_list_of_short_elements_costs_two_bytes_an_element_more_than_they_have() {
    let limits = EncodingLimits::default();
    let (mut front, mut back) = (List::new(), List::new());
    for _ in 0..100_000 {
        front.push_front(b"value", &limits);
        back.push_back(b"value", &limits);
    }
    for list in [front, back] {
        let bytes = list.memory_usage();
        assert!(bytes < 720_000, "{bytes} bytes");
    }
}

#[test]
fn a_trim_beyond_the_end_empties_the_list() {
    let limits = limits_of(2);
    let mut list = list_of(&[b"a", b"b", b"c"], &limits);
    list.trim(5, 9, &limits);
    assert!(list.is_empty());
    assert_eq!(list.encoding(), "listpack");
}
