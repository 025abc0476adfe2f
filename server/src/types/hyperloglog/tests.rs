//! The string format, its two encodings against each other, and the estimates.

use proptest::prelude::*;

use super::*;

const LIMIT: usize = 3000;

fn filled(elements: impl IntoIterator<Item = u64>, sparse_max_bytes: usize) -> Vec<u8> {
    let mut hll = create();
    for element in elements {
        add(&mut hll, element.to_string().as_bytes(), sparse_max_bytes).expect("valid");
    }
    hll
}

#[test]
fn an_empty_one_has_the_known_bytes() {
    assert_eq!(create(), b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\0\x7f\xff");
    assert_eq!(count(&create()), Ok(0));
}

#[test]
fn a_filled_one_has_the_bytes_that_valkey_writes() {
    let mut hll = create();
    for element in ["a", "b", "c", "hello", "foo", "bar", "1", "2", "3"] {
        assert_eq!(add(&mut hll, element.as_bytes(), LIMIT), Ok(true));
    }
    let header = b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80";
    let runs = b"\\\xb3\x90@\xb1\x80C\x8b\x80C\n\x80C\x15\x80C\xc4\x80F\xc8\x84Jb\x8cA\x97\x80BZ";
    assert_eq!(hll, [&header[..], &runs[..]].concat());
}

#[test]
fn few_elements_are_counted_exactly() {
    assert_eq!(count(&filled(1..=5, LIMIT)), Ok(5));
    assert_eq!(count(&filled(1..=10, LIMIT)), Ok(10));
}

#[test]
fn adding_what_is_known_changes_nothing() {
    let mut hll = filled(0..100, LIMIT);
    let before = hll.clone();
    assert_eq!(add(&mut hll, b"42", LIMIT), Ok(false));
    assert_eq!(hll, before);
}

#[test]
fn estimates_stay_within_their_error_through_promotion() {
    let mut hll = create();
    for number in 1..=100_000u64 {
        add(&mut hll, format!("element {number}").as_bytes(), LIMIT).expect("valid");
        if number % 5000 == 0 {
            let estimate = count(&hll).expect("valid") as f64;
            assert!((estimate / number as f64 - 1.0).abs() < 0.03, "{estimate} of {number}");
        }
    }
    assert_eq!(validate(&hll), Ok(HllEncoding::Dense));
}

#[test]
fn a_sparse_string_never_exceeds_its_limit() {
    for limit in [20, 100, 500, 3000] {
        let mut hll = create();
        for number in 0..5000u64 {
            add(&mut hll, &number.to_le_bytes(), limit).expect("valid");
            if validate(&hll) == Ok(HllEncoding::Dense) {
                break;
            }
            assert!(hll.len() <= limit, "{} > {limit}", hll.len());
        }
        assert_eq!(validate(&hll), Ok(HllEncoding::Dense));
    }
}

#[test]
fn the_cache_is_filled_by_counting_and_emptied_by_adding() {
    let mut hll = filled(0..3, LIMIT);
    assert_eq!(hll[15], 0x80);
    assert_eq!(count_and_cache(&mut hll), Ok((3, true)));
    assert_eq!(hll[15], 0);
    assert_eq!(count_and_cache(&mut hll), Ok((3, false)));
    assert_eq!(add(&mut hll, b"2", LIMIT), Ok(false));
    assert_eq!(hll[15], 0);
    assert_eq!(add(&mut hll, b"new", LIMIT), Ok(true));
    assert_eq!(hll[15], 0x80);
}

#[test]
fn strings_that_are_no_hyperloglogs_are_told_apart_from_broken_ones() {
    let good = filled(0..3, LIMIT);
    let mut trailing = good.clone();
    trailing.extend(b"hello");
    assert_eq!(count(&trailing), Err(HllError::Corrupted));
    assert_eq!(count(b"bar"), Err(HllError::NotHll));
    for (at, byte) in [(0, b'0'), (4, b'x'), (4, 0)] {
        let mut broken = good.clone();
        broken[at] = byte;
        assert_eq!(count(&broken), Err(HllError::NotHll), "byte {at} = {byte}");
    }
    assert_eq!(add(&mut good[..HEADER_BYTES].to_vec(), b"x", LIMIT), Err(HllError::Corrupted));
}

#[test]
fn a_union_counts_each_element_once() {
    let (a, b, c) = (filled(0..3, LIMIT), filled(1..4, LIMIT), filled(2..5, LIMIT));
    assert_eq!(count_many(&[&a, &b, &c]), Ok(5));
    let mut target = create();
    merge(&mut target, &[&a, &b, &c], LIMIT).expect("valid");
    assert_eq!(validate(&target), Ok(HllEncoding::Sparse));
    assert_eq!(count(&target), Ok(5));
}

#[test]
fn a_union_with_a_dense_one_is_dense() {
    let mut dense = filled(0..3, LIMIT);
    to_dense(&mut dense).expect("valid");
    let mut target = filled(5..8, LIMIT);
    merge(&mut target, &[&dense], LIMIT).expect("valid");
    assert_eq!(validate(&target), Ok(HllEncoding::Dense));
    assert_eq!(count(&target), Ok(6));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn both_encodings_hold_the_same_registers(elements in proptest::collection::vec(any::<u64>(), 0..800)) {
        let sparse = filled(elements.iter().copied(), usize::MAX);
        let dense = filled(elements.iter().copied(), 0);
        prop_assert_eq!(registers(&sparse), registers(&dense));
        prop_assert_eq!(count(&sparse), count(&dense));
        let mut promoted = sparse.clone();
        to_dense(&mut promoted).expect("valid");
        prop_assert_eq!(registers(&promoted), registers(&dense));
    }

    #[test]
    fn corruption_is_survived(elements in proptest::collection::vec(any::<u64>(), 0..600), at: usize, byte: u8, cut: usize) {
        let mut hll = filled(elements, LIMIT);
        let place = at % hll.len();
        hll[place] = byte;
        hll.truncate(hll.len() - cut % 3);
        let _ = (count(&hll), count_many(&[&hll, &create()]), registers(&hll));
        let _ = merge(&mut create(), &[&hll], LIMIT);
        let _ = add(&mut hll, b"x", LIMIT);
        let _ = to_dense(&mut hll);
    }
}

#[test]
fn a_dense_string_is_added_to_in_place() {
    let mut grown = create();
    to_dense(&mut grown).unwrap();
    let mut in_place = grown.clone();
    for element in 0u32..1000 {
        let element = element.to_le_bytes();
        assert_eq!(add_dense(&mut in_place, &element), add(&mut grown, &element, 3000));
    }
    assert_eq!(in_place, grown);
    assert_eq!(add_dense(&mut create(), b"a"), Err(HllError::NotHll));
}

#[test]
fn the_runs_of_a_sparse_string_are_told() {
    let mut hll = create();
    assert_eq!(describe_runs(&hll), Ok(Some("Z:16384".to_owned())));
    add(&mut hll, b"a", 3000).unwrap();
    let runs = describe_runs(&hll).unwrap().unwrap();
    assert!(runs.contains(" v:"), "{runs}");
    to_dense(&mut hll).unwrap();
    assert_eq!(describe_runs(&hll), Ok(None));
}
