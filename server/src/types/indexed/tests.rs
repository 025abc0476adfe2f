use std::collections::{HashMap, HashSet};

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Op {
    Insert(u16, u32),
    Remove(u16),
    RemoveAt(usize),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        3 => (0..600_u16, any::<u32>()).prop_map(|(key, value)| Op::Insert(key, value)),
        1 => (0..600_u16).prop_map(Op::Remove),
        1 => (0..600_usize).prop_map(Op::RemoveAt),
    ]
}

#[derive(Debug)]
struct Keyed {
    key: ByteStr,
    value: u32,
}

impl Entry for Keyed {
    fn key(&self) -> &[u8] {
        &self.key
    }

    fn heap_bytes(&self) -> usize {
        self.key.heap_bytes()
    }
}

fn insert(table: &mut IndexedTable<Keyed>, key: &[u8], value: u32) -> Option<u32> {
    let (index, is_new) = table.find_or_insert_with(key, || Keyed { key: key.into(), value });
    let former = table.at_mut(index).map(|entry| std::mem::replace(&mut entry.value, value));
    former.filter(|_| !is_new)
}

fn key(number: u16) -> Vec<u8> {
    format!("element:{number:012}{}", "x".repeat(usize::from(number % 7))).into_bytes()
}

proptest! {
    #[test]
    fn any_sequence_of_edits_matches_a_map(ops in proptest::collection::vec(op(), 0..1500)) {
        let (mut table, mut model) = (IndexedTable::new(), HashMap::new());
        for op in ops {
            match op {
                Op::Insert(number, value) => {
                    prop_assert_eq!(insert(&mut table, &key(number), value), model.insert(key(number), value));
                }
                Op::Remove(number) => {
                    let removed = table.swap_remove(&key(number)).map(|removed| removed.entry.value);
                    prop_assert_eq!(removed, model.remove(&key(number)));
                }
                Op::RemoveAt(index) => {
                    if let Some(removed) = table.swap_remove_at(index) {
                        prop_assert_eq!(Some(removed.entry.value), model.remove(&removed.entry.key[..]));
                    } else {
                        prop_assert!(index >= model.len());
                    }
                }
            }
            prop_assert_eq!(table.len(), model.len());
        }
        for number in 0..600 {
            prop_assert_eq!(table.get(&key(number)).map(|entry| &entry.value), model.get(&key(number)));
        }
        let seen: HashMap<Vec<u8>, u32> = table.iter().map(|entry| (entry.key.to_vec(), entry.value)).collect();
        prop_assert_eq!(seen, model);
    }

    #[test]
    fn a_scan_returns_every_entry_that_is_present_all_the_time(
        start in 0..400_u16,
        count in 1..40_usize,
        rounds in proptest::collection::vec(proptest::collection::vec(op(), 0..40), 1..60),
    ) {
        let mut table = IndexedTable::new();
        for number in 0..start {
            insert(&mut table, &key(number), 0);
        }
        let mut steady: HashSet<Vec<u8>> = (0..start).map(key).collect();
        let mut seen = HashSet::new();
        let (mut cursor, mut rounds) = (0, rounds.into_iter());
        loop {
            cursor = table.scan(cursor, count, |_, entry| {
                seen.insert(entry.key.to_vec());
            });
            if cursor == 0 {
                break;
            }
            for op in rounds.next().unwrap_or_default() {
                let gone = match op {
                    Op::Insert(number, value) => {
                        insert(&mut table, &key(number), value);
                        None
                    }
                    Op::Remove(number) => table.swap_remove(&key(number)),
                    Op::RemoveAt(index) => table.swap_remove_at(index),
                };
                if let Some(gone) = gone {
                    steady.remove(&gone.entry.key[..]);
                }
            }
        }
        prop_assert!(steady.is_subset(&seen));
    }
}

#[test]
fn a_removal_says_which_entry_moved() {
    let mut table = IndexedTable::new();
    for number in 0..3 {
        insert(&mut table, &key(number), 0);
    }
    let removed = table.swap_remove(&key(0)).map(|removed| (removed.index, removed.moved_from));
    assert_eq!(removed, Some((0, Some(2))));
    assert_eq!(table.find(&key(2)), Some(0));
    let removed = table.swap_remove(&key(1)).map(|removed| (removed.index, removed.moved_from));
    assert_eq!(removed, Some((1, None)));
}

#[test]
fn a_large_table_uses_less_than_40_bytes_a_short_member() {
    let mut table = IndexedTable::new();
    for number in 0..200_000_u32 {
        let member = ByteStr::from(format!("element:{number:012}").into_bytes());
        table.find_or_insert_with(&member, || member.clone());
    }
    let bytes = table.memory_usage();
    assert!(bytes < 40 * table.len(), "{} bytes a member", bytes / table.len());
    assert!((0..200_000_u32).all(|number| table.contains(format!("element:{number:012}").as_bytes())));
}

#[test]
fn cursors_beyond_the_end_are_clamped() {
    let mut table = IndexedTable::new();
    assert_eq!(table.scan(u64::MAX, 10, |_, _| {}), 0);
    insert(&mut table, &key(1), 1);
    let mut seen = 0;
    assert_eq!(table.scan(u64::MAX, 10, |_, _| seen += 1), 0);
    assert_eq!(seen, 1);
}
