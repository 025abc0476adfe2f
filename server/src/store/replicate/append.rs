//! Effects into the streams of their slot's copies.

use std::sync::Arc;

use rondache_protocol::bus::{
    identity::WriteId,
    replicate::{EffectHead, EffectWords, SlotPosition, Write, put_effect, put_effect_words, put_wrote},
};

use super::{
    CopyLink, SlotState, Stage,
    filling::{self, Needs},
    outgoing::{Outgoing, StreamEvent},
    pending::PendingEffects,
    recent::REPLY_LEN_MAX,
};
use crate::store::{SHARDS, shard::Shard};

/// Streams whose senders sleep and have something to do. They are woken when this is dropped: once per batch.
#[derive(Debug, Default)]
pub(crate) struct Wakes(Vec<Arc<Outgoing>>);

impl Wakes {
    fn add(&mut self, outgoing: &Arc<Outgoing>) {
        if !self.0.iter().any(|known| Arc::ptr_eq(known, outgoing)) {
            self.0.push(outgoing.clone());
        }
    }

    /// Wakes them now.
    #[inline]
    pub(crate) fn wake(&mut self) {
        if !self.0.is_empty() {
            self.0.drain(..).for_each(|outgoing| outgoing.wake());
        }
    }
}

impl Drop for Wakes {
    fn drop(&mut self) {
        self.wake();
    }
}

/// A forwarded write that has just been executed.
pub(crate) type Forwarded<'a> = (WriteId, &'a [u8]);

/// The effects of one slot that are appended together.
struct Span<'a> {
    slot: u16,
    /// The slot's count of effects before.
    before: u64,
    at: SlotPosition,
    /// The forwarded write behind them; told with the last.
    write: Option<Write<'a>>,
}

impl Span<'_> {
    /// Each of them, and its words.
    fn effects<'a>(&'a self, pending: &'a PendingEffects) -> impl Iterator<Item = (EffectHead<'a>, &'a [u8])> + Clone {
        pending.items().iter().filter(|item| item.slot == self.slot).zip(self.before + 1..).map(|(item, seq)| {
            let write = if seq == self.at.seq { self.write } else { None };
            let at = SlotPosition { epoch: self.at.epoch, seq };
            (EffectHead { slot: self.slot, at, db: item.db, now_ms: item.now_ms, write }, pending.words(item))
        })
    }
}

impl Shard {
    /// Appends the effects of one slot, as one piece, to the streams of its copies. Answers where the slot stands then;
    /// `None`: the slot was never part of a cluster.
    pub(crate) fn append_effects(
        &mut self,
        slot: u16,
        pending: &PendingEffects,
        forwarded: Option<Forwarded<'_>>,
        wakes: &mut Wakes,
    ) -> Option<SlotPosition> {
        let slots = self.slots.as_deref_mut()?;
        let write =
            forwarded.map(|(id, reply)| Write { id, reply: Some(reply).filter(|reply| reply.len() <= REPLY_LEN_MAX) });
        let mine = || pending.items().iter().filter(|item| item.slot == slot);
        let last = mine().next_back()?;
        if let Some(write) = &write {
            slots.recent.put(slot, last.now_ms, write);
        }
        let state = slots.state_mut(slot);
        let before = state.at;
        state.at.seq += mine().count() as u64;
        let at = state.at;
        if state.copies.is_empty() {
            return Some(at);
        }
        let span = Span { slot, before: before.seq, at, write };
        if state.copies.iter().all(|link| link.stage == Stage::Complete) {
            state.copies.retain_mut(|link| {
                link.append_or_tell(&span, last.now_ms, wakes, |buf| {
                    span.effects(pending).for_each(|(head, words)| put_effect(buf, &head, words));
                })
            });
        } else {
            self.append_as_needed(&span, pending, last.now_ms, wakes);
        }
        Some(at)
    }

    /// The same where a copy is being made, which may need something else than the effects.
    #[cold]
    fn append_as_needed(&mut self, span: &Span<'_>, pending: &PendingEffects, now_ms: u64, wakes: &mut Wakes) {
        let Some(slots) = self.slots.as_deref_mut() else { return };
        let mut copies = std::mem::take(&mut slots.state_mut(span.slot).copies);
        copies.retain_mut(|link| {
            let needs = match link.stage {
                Stage::Complete => Vec::new(),
                Stage::Filling(cursor) => {
                    let effects = span.effects(pending);
                    let of = |(head, words): (EffectHead<'_>, _)| {
                        Some((usize::from(head.db), EffectWords::new(words).ok()?))
                    };
                    self.needs(cursor, effects.filter_map(of))
                }
            };
            link.append_or_tell(span, now_ms, wakes, |buf| {
                let mut needs = needs.iter();
                for (head, words) in span.effects(pending) {
                    self.put(buf, needs.next().unwrap_or(&Needs::Effect), &head, words);
                }
            })
        });
        if let Some(slots) = self.slots.as_deref_mut() {
            slots.state_mut(span.slot).copies = copies;
        }
    }

    /// Writes what a copy needs of an effect.
    fn put(&self, buf: &mut Vec<u8>, needs: &Needs, head: &EffectHead<'_>, words: &[u8]) {
        match needs {
            Needs::Effect => return put_effect(buf, head, words),
            Needs::Nothing => {}
            Needs::Keys(keys) => keys.iter().for_each(|(db, key)| self.put_state(buf, head, *db, key)),
        }
        if let Some(write) = &head.write {
            put_wrote(buf, head.slot, head.at.epoch, head.now_ms, write);
        }
    }

    /// Writes a key as it is now: its value, or that it is gone.
    fn put_state(&self, buf: &mut Vec<u8>, head: &EffectHead<'_>, db: usize, key: &[u8]) {
        let found = self.db(db).and_then(|content| {
            let place = content.table.find(content.table.hash(key), key)?;
            Some(content.table.entry(place))
        });
        match found {
            Some(entry) => filling::put_table_entry(buf, (head.slot, head.at.epoch, db), entry),
            None => {
                let head = EffectHead { db: db as u8, write: None, ..*head };
                put_effect_words(buf, &head, &[b"DEL", key]);
            }
        }
    }
}

/// Tells the copies of each of a shard's slots that a database, or all, was emptied.
pub(crate) fn append_flush(shard: &mut Shard, shard_index: usize, db: Option<usize>, now_ms: u64, wakes: &mut Wakes) {
    if shard.slots.is_none() {
        return;
    }
    let word: &[u8] = if db.is_some() { b"FLUSHDB" } else { b"FLUSHALL" };
    for index in shard.served_slots().indexes() {
        let slot = (index * SHARDS + shard_index) as u16;
        let mut pending = PendingEffects::default();
        pending.push((slot, db.unwrap_or(0), now_ms), std::iter::once(word));
        shard.append_effects(slot, &pending, None, wakes);
    }
}

impl CopyLink {
    /// Appends effects; `false`: the stream has overflowed, and has been told that the copy is lost.
    #[inline]
    fn append_or_tell(
        &mut self,
        span: &Span<'_>,
        now_ms: u64,
        wakes: &mut Wakes,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> bool {
        let is_sent = self.append(now_ms, wakes, write);
        if !is_sent {
            self.outgoing.tell(StreamEvent::Lost { slot: span.slot, epoch: span.at.epoch });
        }
        is_sent
    }

    /// Appends to the copy's stream; `false`: it has overflowed, and the copy is lost.
    pub(crate) fn append(&mut self, now_ms: u64, wakes: &mut Wakes, write: impl FnOnce(&mut Vec<u8>)) -> bool {
        let mut is_empty = false;
        let appended = self.outgoing.append(self.generation, now_ms, |buf| {
            let from = buf.len();
            write(buf);
            is_empty = buf.len() == from;
        });
        let Ok(appended) = appended else { return false };
        if !is_empty {
            self.last = appended.position;
            if appended.owes_wake {
                wakes.add(&self.outgoing);
            }
        }
        true
    }

    /// Whether the stream has overflowed since the copy began.
    pub(crate) fn is_lost(&self) -> bool {
        self.outgoing.generation() != self.generation
    }
}

impl SlotState {
    /// The copies that are sent everything.
    pub(crate) fn complete(&self) -> impl Iterator<Item = &CopyLink> {
        self.copies.iter().filter(|link| link.stage == Stage::Complete)
    }

    /// Those of them that the slot table names, so that they may take the slot over: none while they count for nothing.
    pub(crate) fn listed(&self) -> impl Iterator<Item = &CopyLink> {
        self.complete().filter(|link| link.is_listed && !self.is_in_doubt)
    }
}
