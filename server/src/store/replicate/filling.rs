//! A copy that is being made: the slot's keys are walked database by database and in each by the upper half of the hash,
//! in small chunks between commands. Keys in front of the cursor are the copy's already and their effects follow; keys
//! behind it come with the walk, as they are then.

use rondache_protocol::{
    bus::replicate::{EffectWords, Entry, SlotPosition, put_entry, put_fill_end, put_wrote},
    command::{self, keys_of},
    slot::slot_of,
};

use super::{Stage, append::Wakes, outgoing::StreamEvent};
use crate::{
    command::args::Args,
    rdb,
    store::{DATABASES, entry::EntryRef, shard::Shard, table::hash_key},
};

/// Buckets that are looked at before the shard's lock is let go.
const CHUNK_BUCKETS: usize = 64;
/// Bytes that are serialised before the shard's lock is let go; one entry more may always be.
const CHUNK_BYTES: usize = 16 * 1024;

/// How far the walk has come: everything before this place is the copy's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FillCursor {
    pub(crate) db: usize,
    pub(crate) position: u32,
}

impl FillCursor {
    /// Whether the key at this hash was passed.
    const fn has_passed(self, db: usize, hash: u64) -> bool {
        db < self.db || db == self.db && ((hash >> 32) as u32) < self.position
    }
}

/// What a copy that is being made needs of an effect.
#[derive(Clone, Debug)]
pub(crate) enum Needs {
    /// All of it.
    Effect,
    /// Nothing: its key is still to come.
    Nothing,
    /// These keys as they are now: the others that the effect touches are still to come, so it cannot be repeated.
    Keys(Vec<(usize, Vec<u8>)>),
}

/// What a step of a walk came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FillStep {
    /// There is more; so many bytes were sent.
    More(usize),
    /// The copy has all; so many bytes were sent.
    Done(usize),
    /// The copy is no longer wanted, or lost.
    Gone,
}

impl Shard {
    /// What a copy whose fill stands at `cursor` needs of the effects of one command or transaction.
    ///
    /// They are told from when it is done. So once a key must be sent as it is now, effects on it would be applied twice:
    /// then all keys are sent as they are.
    pub(super) fn needs<'w>(
        &self,
        cursor: FillCursor,
        effects: impl Iterator<Item = (usize, EffectWords<'w>)> + Clone,
    ) -> Vec<Needs> {
        let touched = |(db, words): (usize, EffectWords<'_>)| {
            let mut ranges = Vec::new();
            match words.ranges(&mut ranges) {
                Ok(()) => touched_keys(db, &Args::new(words.bytes(), &ranges)),
                Err(_) => Vec::new(),
            }
        };
        let has_passed = |(db, key): &(usize, Vec<u8>)| cursor.has_passed(*db, hash_key(key, self.seed()));
        let each: Vec<Vec<(usize, Vec<u8>)>> = effects.map(touched).collect();
        if each.iter().all(|keys| keys.len() <= 1) {
            let passes = |keys: &Vec<(usize, Vec<u8>)>| keys.first().is_none_or(has_passed);
            return each.iter().map(|keys| if passes(keys) { Needs::Effect } else { Needs::Nothing }).collect();
        }
        let mut keys: Vec<(usize, Vec<u8>)> = each.iter().flatten().filter(|key| has_passed(key)).cloned().collect();
        keys.sort_unstable();
        keys.dedup();
        let mut needs: Vec<Needs> = each.iter().map(|_| Needs::Nothing).collect();
        if let Some(last) = needs.last_mut() {
            *last = Needs::Keys(keys);
        }
        needs
    }

    /// Sends the next keys of a slot to a copy that is being made. Behind the last one follow the writes that the owner
    /// remembers, and the end.
    pub(crate) fn fill_chunk(
        &mut self,
        slot: u16,
        to: rondache_protocol::bus::identity::Identity,
        now_ms: u64,
        wakes: &mut Wakes,
    ) -> FillStep {
        let Some(state) = self.slots.as_deref_mut().map(|slots| slots.state_mut(slot)) else { return FillStep::Gone };
        let at = state.at;
        let Some(index) = state.copies.iter().position(|link| link.to() == to) else { return FillStep::Gone };
        let Stage::Filling(mut cursor) = state.copies[index].stage else { return FillStep::Gone };
        let mut link = state.copies.swap_remove(index);
        let mut bytes = 0;
        let mut is_kept = true;
        let mut buckets = 0;
        while is_kept && cursor.db < DATABASES && bytes < CHUNK_BYTES && buckets < CHUNK_BUCKETS {
            buckets += 1;
            is_kept = link.append(now_ms, wakes, |buf| {
                let from = buf.len();
                cursor = self.fill_bucket(buf, slot, at, cursor);
                bytes += buf.len() - from;
            });
        }
        let is_done = cursor.db >= DATABASES;
        link.stage = if is_done { Stage::Complete } else { Stage::Filling(cursor) };
        let Some(slots) = self.slots.as_deref_mut() else { return FillStep::Gone };
        if is_kept && is_done {
            is_kept = link.append(now_ms, wakes, |buf| {
                slots.recent.for_each_of(slot, |time_ms, write| put_wrote(buf, slot, at.epoch, time_ms, write));
                put_fill_end(buf, slot, at);
            });
            link.outgoing.mark(link.last, StreamEvent::Synced { slot, epoch: at.epoch });
        }
        if !is_kept {
            link.outgoing.tell(StreamEvent::Lost { slot, epoch: at.epoch });
            return FillStep::Gone;
        }
        slots.state_mut(slot).copies.push(link);
        if is_done { FillStep::Done(bytes) } else { FillStep::More(bytes) }
    }

    /// Writes the slot's entries of one bucket and answers where to go on.
    fn fill_bucket(&self, buf: &mut Vec<u8>, slot: u16, at: SlotPosition, cursor: FillCursor) -> FillCursor {
        let next_db = FillCursor { db: cursor.db + 1, position: 0 };
        let Some(content) = self.db(cursor.db) else {
            // Databases behind the last that was made hold nothing yet: what is put there later is sent as an effect.
            return next_db;
        };
        if content.slot_keys[super::index_of(slot)] == 0 {
            return next_db;
        }
        let next = content.table.scan(cursor.position, |entry| {
            if slot_of(entry.key()) == slot {
                put_table_entry(buf, (slot, at.epoch, cursor.db), entry);
            }
        });
        next.map_or(next_db, |position| FillCursor { db: cursor.db, position })
    }
}

/// Writes an entry of the table, with fields of hashes that have expired and are not deleted yet.
pub(super) fn put_table_entry(buf: &mut Vec<u8>, (slot, epoch, db): (u16, u64, usize), entry: EntryRef<'_>) {
    let Some(payload) = rdb::dump(entry.value(), 0) else { return };
    let (key, deadline_ms, access) = (entry.key(), entry.deadline_ms(), entry.access());
    put_entry(buf, &Entry { slot, epoch, db: db as u8, deadline_ms, access, key, payload: &payload });
}

/// The keys that an effect touches, with their databases; none: a whole slot.
fn touched_keys(db: usize, args: &Args<'_>) -> Vec<(usize, Vec<u8>)> {
    let Some(spec) = command::lookup(args.get(0)).map(command::spec) else { return Vec::new() };
    let found = keys_of(spec, args.len(), |index| args.get(index)).unwrap_or_default();
    let mut touched: Vec<(usize, Vec<u8>)> = found.iter().map(|key| (db, args.get(key.index).to_vec())).collect();
    // These two reach into another database.
    let other_db = match spec.name {
        "move" => Some((args.get(1), args.get(2))),
        "copy" => (3..args.len()).find(|&at| args.is(at, "db")).map(|at| (args.get(2), args.get(at + 1))),
        _ => None,
    };
    if let Some((key, digits)) = other_db
        && let Some(other) = crate::util::number::parse_u64(digits)
    {
        touched.push((other as usize, key.to_vec()));
    }
    touched.sort_unstable();
    touched.dedup();
    touched
}
