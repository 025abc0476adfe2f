use proptest::prelude::*;
use rondache_protocol::bus::identity::NodeId;

use super::{batch::BATCH_ROWS_MAX, order::supersedes, *};

const SLOTS: u16 = 100;

fn node(id: u128) -> Identity {
    Identity { generation: 10 + id as u64 % 3, id: NodeId(id) }
}

/// Rows from so few values that most of them compete.
fn any_row() -> impl Strategy<Value = Row> {
    let copies = proptest::collection::btree_set(5u128..9, 0..4);
    (0..SLOTS, 1u64..4, 0u32..3, 1u64..3, 0u32..2, 0u128..4, copies).prop_map(
        |(slot, epoch, version, firm_epoch, provisional, owner, copies)| Row {
            slot,
            epoch,
            version,
            claim: Claim { firm_epoch, provisional },
            owner: node(owner),
            copies: copies.into_iter().map(node).collect(),
        },
    )
}

fn table_of<'a>(rows: impl IntoIterator<Item = &'a Row>) -> SlotTable {
    let mut table = SlotTable::new(SLOTS);
    for row in rows {
        table.merge(row);
    }
    table
}

fn all_rows(table: &SlotTable) -> Vec<Option<Row>> {
    (0..table.slots()).map(|slot| table.row(slot)).collect()
}

proptest! {
    #[test]
    fn tables_become_the_same_in_whatever_order_and_how_often_rows_come(
        rows in proptest::collection::vec(any_row(), 0..60),
        seed in any::<u64>(),
    ) {
        let mut shuffled: Vec<Row> = rows.iter().chain(&rows).cloned().collect();
        fastrand::Rng::with_seed(seed).shuffle(&mut shuffled);
        let (left, right) = (table_of(&rows), table_of(&shuffled));
        prop_assert_eq!(all_rows(&left), all_rows(&right));
        prop_assert_eq!(left.digests(), right.digests());
    }

    #[test]
    fn of_two_rows_that_differ_exactly_one_wins(mut left in any_row(), right in any_row()) {
        left.slot = right.slot;
        prop_assert_eq!(supersedes(&left, &right) as u8 + supersedes(&right, &left) as u8, (left != right) as u8);
    }

    #[test]
    fn winning_is_transitive(mut a in any_row(), mut b in any_row(), c in any_row()) {
        (a.slot, b.slot) = (c.slot, c.slot);
        if supersedes(&a, &b) && supersedes(&b, &c) {
            prop_assert!(supersedes(&a, &c));
        }
    }

    #[test]
    fn digests_differ_exactly_in_the_ranges_whose_rows_differ(
        left in proptest::collection::vec(any_row(), 0..60),
        right in proptest::collection::vec(any_row(), 0..60),
    ) {
        let (left, right) = (table_of(&left), table_of(&right));
        for range in 0..RANGES {
            let is_same = left.range(range).all(|slot| left.row(slot) == right.row(slot));
            prop_assert_eq!(left.digests()[range] == right.digests()[range], is_same);
        }
        prop_assert_eq!(left.digest() == right.digest(), left.digests() == right.digests());
    }

    #[test]
    fn rows_survive_the_journey(rows in proptest::collection::vec(any_row(), 0..60)) {
        let table = table_of(&rows);
        let mut arrived = SlotTable::new(SLOTS);
        for batch in table.batches(0..SLOTS) {
            for row in batch.rows() {
                arrived.merge(&row);
            }
        }
        prop_assert_eq!(all_rows(&arrived), all_rows(&table));
    }
}

#[test]
fn a_firm_claim_wins_over_any_number_of_provisional_takeovers() {
    let row = |epoch, firm_epoch, provisional| Row {
        slot: 1,
        epoch,
        version: 0,
        claim: Claim { firm_epoch, provisional },
        owner: node(provisional.into()),
        copies: vec![],
    };
    assert!(supersedes(&row(6, 6, 0), &row(9, 5, 4)));
    assert!(supersedes(&row(9, 5, 4), &row(5, 5, 0)));
}

#[test]
fn every_slot_is_in_exactly_one_range() {
    for slots in [1, 7, 64, 100, 16384] {
        let table = SlotTable::new(slots);
        let all: Vec<u16> = (0..RANGES).flat_map(|range| table.range(range)).collect();
        assert_eq!(all, (0..slots).collect::<Vec<_>>());
    }
}

#[test]
fn a_row_of_no_slot_or_of_nonsense_is_refused() {
    let good = Row { slot: 1, epoch: 1, version: 0, claim: Claim::default(), owner: node(1), copies: vec![node(2)] };
    let bad = [
        Row { slot: SLOTS, ..good.clone() },
        Row { epoch: 0, ..good.clone() },
        Row { copies: vec![node(1)], ..good.clone() },
        Row { copies: vec![node(2), node(2)], ..good.clone() },
        Row { copies: (2..=2 + COPIES_MAX as u128).map(node).collect(), ..good.clone() },
    ];
    let mut table = SlotTable::new(SLOTS);
    assert!(bad.iter().all(|row| table.merge(row) == Merged::Stale));
    assert_eq!((table.merge(&good), table.merge(&good)), (Merged::Newer, Merged::Same));
}

#[test]
fn neighbours_that_are_alike_travel_as_one() {
    let row = |slot| Row { slot, epoch: 1, version: 0, claim: Claim::default(), owner: node(1), copies: vec![node(2)] };
    let batches = RowBatch::of((0..BATCH_ROWS_MAX as u16 * 2).map(row));
    assert_eq!(batches.len(), 2);
    assert!(batches.iter().all(|batch| batch.rows().count() == BATCH_ROWS_MAX && batch.runs_len() == 1));
}

#[test]
fn numbers_of_nodes_that_are_gone_are_used_again() {
    let mut table = SlotTable::new(1);
    for epoch in 1..70_000u64 {
        let owner = Identity { generation: epoch, id: NodeId(1) };
        let claim = Claim { firm_epoch: epoch, provisional: 0 };
        assert_eq!(table.merge(&Row { slot: 0, epoch, version: 0, claim, owner, copies: vec![] }), Merged::Newer);
    }
    assert_eq!(table.owner(0).map(|owner| owner.generation), Some(69_999));
}
