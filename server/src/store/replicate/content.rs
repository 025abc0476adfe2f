//! All keys of a slot at once.

use rondache_protocol::slot::slot_of;
use xxhash_rust::xxh3::Xxh3;

use super::{ShardSlots, index_of};
use crate::store::{
    entry::{EntryBox, EntryRef, Value},
    object::Object,
    shard::{Db, Shard},
};

/// What was taken out of a shard. It is freed after the shard's lock is gone.
#[derive(Default)]
pub(crate) struct Dropped {
    databases: Vec<Db>,
    entries: Vec<EntryBox>,
    /// How many keys.
    pub(crate) len: usize,
}

impl Dropped {
    /// As what a flush returns.
    pub(crate) fn into_databases(self) -> (Vec<Db>, Vec<EntryBox>) {
        (self.databases, self.entries)
    }
}

impl Shard {
    /// Takes all keys of some slots out of one database, or out of all. The caller tells the evictor.
    pub(crate) fn drop_slots(&mut self, slots: ShardSlots, db: Option<usize>, dropped: &mut Dropped) {
        for index in db.map_or(0..self.db_count(), |db| db..db + 1) {
            let Some(content) = self.db(index) else { continue };
            let count: usize = slots.indexes().map(|slot| content.slot_keys[slot] as usize).sum();
            if count == 0 {
                continue;
            }
            dropped.len += count;
            if count == content.table.len() {
                dropped.databases.extend(self.take(index));
            } else {
                self.db_mut(index).drop_slots(slots, &mut dropped.entries);
            }
        }
    }

    /// A digest of all keys of a slot with their values and deadlines: equal where these are, however they are stored.
    pub(crate) fn digest_slot(&self, slot: u16) -> u128 {
        let mut digest = 0;
        for index in 0..self.db_count() {
            let Some(content) = self.db(index).filter(|content| content.slot_keys[index_of(slot)] > 0) else {
                continue;
            };
            for entry in content.entries().filter(|entry| slot_of(entry.key()) == slot) {
                let deadline_ms = entry.deadline_ms().unwrap_or(0).to_le_bytes();
                let value = digest_value(entry, 0).to_le_bytes();
                digest ^= digest_parts(&[&index.to_le_bytes(), entry.key(), &value, &deadline_ms]);
            }
        }
        digest
    }
}

impl Db {
    fn entries(&self) -> impl Iterator<Item = EntryRef<'_>> {
        (0..self.table.bucket_count()).flat_map(move |bucket| {
            let occupied = self.table.bucket(bucket).occupied();
            occupied.map(move |lane| self.table.entry(crate::store::table::Place { bucket, lane }))
        })
    }

    fn drop_slots(&mut self, slots: ShardSlots, dropped: &mut Vec<EntryBox>) {
        let keys = self.entries().map(EntryRef::key).filter(|key| slots.has_key(key));
        let keys: Vec<Box<[u8]>> = keys.map(Box::from).collect();
        for key in keys {
            let hash = self.table.hash(&key);
            let Some(place) = self.table.find(hash, &key) else { continue };
            let entry = self.table.remove(hash, place);
            self.count_deadline(entry.as_ref().deadline_ms(), None);
            self.forget_field_deadlines(&key);
            *self.slot_count_mut(slot_of(&key)) -= 1;
            dropped.push(entry);
        }
        self.table.shrink_if_sparse();
    }
}

/// The parts with their lengths, so that no two lists of parts are alike.
pub(crate) fn digest_parts(parts: &[&[u8]]) -> u128 {
    let mut hasher = Xxh3::new();
    for part in parts {
        hasher.update(&part.len().to_le_bytes());
        hasher.update(part);
    }
    hasher.digest128()
}

/// A digest of an entry's value, equal for equal contents in whatever order. Fields that have expired by `now_ms` do not
/// count.
pub(crate) fn digest_value(entry: EntryRef<'_>, now_ms: u64) -> u128 {
    let content = match entry.value() {
        Value::Bytes(bytes) => digest_parts(&[bytes]),
        Value::Shared(bytes) => digest_parts(&[bytes]),
        Value::Object(Object::List(list)) => {
            list.iter().fold(0, |digest: u128, element| digest_parts(&[&digest.to_le_bytes(), element]))
        }
        Value::Object(Object::Set(set)) => {
            set.iter().fold(0, |digest, member| digest ^ digest_parts(&[member.as_bytes(&mut itoa::Buffer::new())]))
        }
        Value::Object(Object::ZSet(zset)) => {
            zset.iter().fold(0, |digest, (member, score)| digest ^ digest_parts(&[member, &score.to_le_bytes()]))
        }
        Value::Object(Object::Hash(fields)) => {
            fields.iter(now_ms).fold(0, |digest, (field, value)| digest ^ digest_parts(&[field, value]))
        }
    };
    let has_deadline = u8::from(entry.deadline_ms().is_some());
    digest_parts(&[entry.value().kind().name().as_bytes(), &content.to_le_bytes(), &[has_deadline]])
}
