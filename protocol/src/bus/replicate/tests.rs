use proptest::prelude::*;

use super::*;
use crate::bus::identity::{Identity, NodeId, WriteId};

fn decode(bytes: &[u8]) -> Vec<Record<'_>> {
    Records::new(bytes).collect::<Result<_, _>>().unwrap()
}

fn words_of(effect: &Effect<'_>) -> Vec<Vec<u8>> {
    let mut ranges = Vec::new();
    effect.words.ranges(&mut ranges).unwrap();
    ranges.iter().map(|range| range.of(effect.words.bytes()).to_vec()).collect()
}

#[test]
fn an_effect_is_read_as_it_was_written() {
    let write = Write { id: WriteId { origin: 7, number: 8 }, reply: Some(b":1\r\n") };
    for write in [None, Some(write), Some(Write { reply: None, ..write })] {
        let head = EffectHead { slot: 16383, at: SlotPosition { epoch: 3, seq: 4 }, db: 15, now_ms: 99, write };
        let mut buf = Vec::new();
        put_effect_words(&mut buf, &head, &[b"SET", b"", b"value"]);
        put_heartbeat(&mut buf, 5);
        let records = decode(&buf);
        let Record::Effect(effect) = &records[0] else { panic!("{records:?}") };
        assert_eq!(effect.head, head);
        assert_eq!(words_of(effect), [&b"SET"[..], b"", b"value"]);
        assert_eq!(records[1], Record::Heartbeat { now_ms: 5 });
    }
}

#[test]
fn an_entry_is_read_as_it_was_written() {
    for deadline_ms in [None, Some(12)] {
        let entry = Entry { slot: 1, epoch: 2, db: 3, deadline_ms, access: 77, key: b"key", payload: b"payload" };
        let mut buf = Vec::new();
        put_entry(&mut buf, &entry);
        assert_eq!(decode(&buf), [Record::Entry(entry)]);
    }
}

#[test]
fn a_grant_carries_its_row() {
    let identity = |id| Identity { generation: 5, id: NodeId(id) };
    let row = Row {
        slot: 9,
        epoch: 8,
        version: 7,
        firm_epoch: 6,
        provisional: 5,
        owner: identity(1),
        copies: vec![identity(2), identity(3)],
    };
    let mut buf = Vec::new();
    put_grant(&mut buf, &row);
    assert_eq!(decode(&buf), [Record::Grant(row)]);
}

#[test]
fn markers_are_read_as_they_were_written() {
    let at = SlotPosition { epoch: 1, seq: 2 };
    let write = Write { id: WriteId { origin: 1, number: 2 }, reply: Some(b"+OK\r\n") };
    let mut buf = Vec::new();
    put_fill_begin(&mut buf, 1, at);
    put_fill_end(&mut buf, 1, at);
    put_lead(&mut buf, 1, 9, at);
    put_drop(&mut buf, 1, 9);
    put_digest(&mut buf, 1, at, u128::MAX);
    put_part(&mut buf, b"piece", true);
    put_caught_up(&mut buf, 1);
    put_wrote(&mut buf, 1, 9, 8, &write);
    assert_eq!(
        decode(&buf),
        [
            Record::FillBegin { slot: 1, at },
            Record::FillEnd { slot: 1, at },
            Record::Lead { slot: 1, epoch: 9, before: at },
            Record::Drop { slot: 1, epoch: 9 },
            Record::Digest { slot: 1, at, digest: u128::MAX },
            Record::Part { is_last: true, bytes: b"piece" },
            Record::CaughtUp { slot: 1 },
            Record::Wrote { slot: 1, epoch: 9, now_ms: 8, write },
        ]
    );
}

#[test]
fn acknowledgements_are_read_as_they_were_written() {
    let acks = [
        Ack::Applied { position: 4 },
        Ack::Refused { slot: 3, position: 2, at: SlotPosition { epoch: 1, seq: 2 }, reason: Refusal::Gap },
        Ack::Shed { slot: 3, bytes: 1 << 40 },
    ];
    let mut buf = Vec::new();
    acks.iter().for_each(|ack| put_ack(&mut buf, ack));
    assert_eq!(Acks::new(&buf).collect::<Result<Vec<_>, _>>(), Ok(acks.to_vec()));
}

#[test]
fn a_slot_that_does_not_exist_is_refused() {
    let mut buf = Vec::new();
    put_caught_up(&mut buf, 16384);
    assert_eq!(Records::new(&buf).next(), Some(Err(ReplicateError::Slot(16384))));
}

proptest! {
    #[test]
    fn no_bytes_make_the_decoder_panic_or_go_on_for_ever(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let records = Records::new(&bytes).count();
        prop_assert!(records <= bytes.len());
        for record in Records::new(&bytes).flatten() {
            if let Record::Effect(effect) = record {
                let _ = effect.words.ranges(&mut Vec::new());
            }
        }
        prop_assert!(Acks::new(&bytes).count() <= bytes.len());
    }

    #[test]
    fn a_record_that_is_cut_or_changed_is_read_or_refused_but_never_panics(cut in 0_usize..90, at in 0_usize..90, byte: u8) {
        let head = EffectHead { slot: 1, at: SlotPosition::default(), db: 0, now_ms: 0, write: None };
        let mut buf = Vec::new();
        put_effect_words(&mut buf, &head, &[b"SET", b"key", b"a value"]);
        if let Some(place) = buf.get_mut(at) {
            *place = byte;
        }
        buf.truncate(buf.len().saturating_sub(cut));
        for record in Records::new(&buf).flatten() {
            if let Record::Effect(effect) = record {
                let _ = effect.words.ranges(&mut Vec::new());
            }
        }
    }
}
