//! What a node's copies would be told, for tests.

use std::{collections::BTreeMap, sync::Arc};

use rondache_protocol::{
    bus::{
        identity::{Identity, NodeId},
        replicate::{Record, Records, SlotPosition, split_frame},
    },
    slot::slot_of,
};

use super::{CopyLink, Slots, Stage, content::digest_value, index_of, outgoing::Outgoing};
use crate::store::{DATABASES, SHARDS, Store};

/// A key with its database, and what it holds: a digest, and its deadline.
pub(crate) type Content = BTreeMap<(usize, Vec<u8>), (u128, Option<u64>)>;

/// What a store holds of a slot.
pub(crate) fn content_of(store: &Store, slot: u16) -> Content {
    let shard = store.lock(usize::from(slot) % SHARDS);
    let mut content = Content::new();
    for db in 0..DATABASES {
        let Some(table) = shard.db(db).map(|content| &content.table) else { continue };
        let mut next = Some(0);
        while let Some(position) = next {
            next = table.scan(position, |entry| {
                if slot_of(entry.key()) == slot {
                    let value = (digest_value(entry, 0), entry.deadline_ms());
                    content.insert((db, entry.key().to_vec()), value);
                }
            });
        }
    }
    content
}

/// One write, as its slot's copies apply it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ToldEffect {
    pub(crate) slot: u16,
    pub(crate) at: SlotPosition,
    pub(crate) db: usize,
    pub(crate) args: Vec<Box<[u8]>>,
}

/// Hears the effects of all slots.
pub(crate) struct EffectTap(Arc<Outgoing>);

impl EffectTap {
    /// Makes the tap a copy of every slot of `store`.
    pub(crate) fn new(store: &Store) -> Self {
        store.record_effects(true);
        let outgoing = Outgoing::new(Identity { generation: 1, id: NodeId(1) }, 0);
        for shard in 0..SHARDS {
            let slots: &mut Slots = &mut Slots::default();
            for slot in (0..rondache_protocol::slot::SLOTS).filter(|slot| usize::from(*slot) % SHARDS == shard) {
                let link = CopyLink {
                    outgoing: outgoing.clone(),
                    generation: 0,
                    stage: Stage::Complete,
                    began: 0,
                    last: 0,
                    is_listed: true,
                    waited: None,
                };
                slots.states[index_of(slot)].copies.push(link);
            }
            store.lock(shard).slots = Some(Box::new(std::mem::take(slots)));
        }
        Self(outgoing)
    }

    /// The effects since the last call, in the order of execution.
    pub(crate) fn drain(&self) -> Vec<ToldEffect> {
        let mut frames = Vec::new();
        self.0.take_frames(&mut frames, usize::MAX);
        let effects = frames.iter().flat_map(|frame| {
            let (position, records) = split_frame(&frame.bytes).expect("a frame");
            self.0.acknowledge(position);
            Records::new(records).map(|record| match record {
                Ok(Record::Effect(effect)) => {
                    let mut ranges = Vec::new();
                    effect.words.ranges(&mut ranges).expect("whole words");
                    let words = ranges.iter().map(|range| Box::from(range.of(effect.words.bytes())));
                    let head = effect.head;
                    ToldEffect { slot: head.slot, at: head.at, db: usize::from(head.db), args: words.collect() }
                }
                other => panic!("no effect: {other:?}"),
            })
        });
        effects.collect()
    }
}

impl super::control::SlotControl<'_> {
    /// Makes a copy forget how far it has come.
    pub(crate) fn set_seq_for_test(&mut self, seq: u64) {
        self.state().at.seq = seq;
    }
}
