use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Op {
    PushBack(Vec<u8>),
    PushFront(Vec<u8>),
    DropFront(usize),
    DropBack(usize),
    Insert(usize, Vec<u8>),
    Replace(usize, Vec<u8>),
    Remove(usize, usize),
    RemoveMatches(Vec<u8>, usize, usize),
    SplitAndJoin(usize),
    Shrink,
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => proptest::collection::vec(b'a'..b'd', 0..3),
        2 => proptest::collection::vec(any::<u8>(), 100..300),
        1 => (16_000_usize..17_000).prop_map(|len| vec![b'x'; len]),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => value().prop_map(Op::PushBack),
        4 => value().prop_map(Op::PushFront),
        1 => (0..3_usize).prop_map(Op::DropFront),
        1 => (0..3_usize).prop_map(Op::DropBack),
        2 => (0..40_usize, value()).prop_map(|(at, value)| Op::Insert(at, value)),
        2 => (0..40_usize, value()).prop_map(|(at, value)| Op::Replace(at, value)),
        1 => (0..40_usize, 0..3_usize).prop_map(|(at, count)| Op::Remove(at, count)),
        1 => (value(), 0..3_usize, 0..3_usize).prop_map(|(value, skip, limit)| Op::RemoveMatches(value, skip, limit)),
        1 => (0..40_usize).prop_map(Op::SplitAndJoin),
        1 => Just(Op::Shrink),
    ]
}

fn apply(op: &Op, packed: &mut Packed, model: &mut VecDeque<Vec<u8>>) {
    match op {
        Op::PushBack(value) => {
            packed.push_back(value);
            model.push_back(value.clone());
        }
        Op::PushFront(value) => {
            packed.push_front(value);
            model.push_front(value.clone());
        }
        Op::DropFront(count) => {
            packed.drop_front(*count);
            model.drain(..(*count).min(model.len()));
        }
        Op::DropBack(count) => {
            packed.drop_back(*count);
            model.truncate(model.len().saturating_sub(*count));
        }
        Op::Insert(at, value) => {
            packed.insert_at(packed.position(*at), value);
            model.insert((*at).min(model.len()), value.clone());
        }
        Op::Replace(at, value) => {
            packed.replace_at(packed.position(*at), value);
            if let Some(slot) = model.get_mut(*at) {
                slot.clone_from(value);
            }
        }
        Op::Remove(at, count) => {
            packed.remove_at(packed.position(*at), *count);
            let from = (*at).min(model.len());
            model.drain(from..(from + count).min(model.len()));
        }
        Op::RemoveMatches(value, skip, limit) => {
            let removed = packed.remove_matches(value, *skip, *limit);
            let (mut seen, mut gone) = (0, 0);
            model.retain(|kept| {
                let hit = kept == value;
                seen += usize::from(hit);
                let goes = hit && seen > *skip && gone < *limit;
                gone += usize::from(goes);
                !goes
            });
            assert_eq!(removed, gone);
        }
        Op::SplitAndJoin(at) => {
            let tail = packed.split_off(*at);
            assert_eq!(tail.len(), model.len().saturating_sub(*at));
            packed.append(&tail);
        }
        Op::Shrink => packed.shrink_to_fit(),
    }
}

proptest! {
    #[test]
    fn any_sequence_of_edits_matches_a_deque(ops in proptest::collection::vec(op(), 0..120)) {
        let (mut packed, mut model) = (Packed::new(), VecDeque::new());
        for op in &ops {
            apply(op, &mut packed, &mut model);
            prop_assert_eq!(packed.len(), model.len());
            prop_assert!(packed.iter().eq(model.iter().map(Vec::as_slice)), "after {:?}", op);
            prop_assert!(packed.iter().rev().eq(model.iter().rev().map(Vec::as_slice)));
        }
        for index in 0..model.len() + 1 {
            prop_assert_eq!(packed.get(index), model.get(index).map(Vec::as_slice));
        }
    }
}

#[test]
fn a_queue_that_is_drained_in_front_does_not_grow() {
    let mut packed = Packed::new();
    for round in 0..10_000_u32 {
        packed.push_back(&round.to_be_bytes());
        if round >= 10 {
            packed.drop_front(1);
        }
    }
    assert_eq!(packed.len(), 10);
    assert!(packed.memory_usage() < 512, "{} bytes", packed.memory_usage());
}

#[test]
fn find_with_a_stride_of_two_looks_at_fields_only() {
    let mut packed = Packed::new();
    for text in ["value", "x", "field", "value"] {
        packed.push_back(text.as_bytes());
    }
    assert_eq!(packed.find(b"x", 2), None);
    assert_eq!(packed.find(b"field", 2), Some(packed.position(2)));
    assert_eq!(packed.find(b"x", 1), Some(packed.position(1)));
}

#[test]
fn size_classes_cover_their_request_and_waste_at_most_a_quarter() {
    for bytes in 1..100_000 {
        let class = size_class(bytes);
        assert!(class >= bytes);
        assert!(bytes < 16 || class - bytes <= 15.max(bytes / 4), "{bytes} -> {class}");
    }
}
