//! Writing strings, in place where the entry's block has room.

use super::{EntryBox, Key, Keyspace, Payload, Place, Ttl, WrongType};

impl Keyspace<'_> {
    /// Writes a string, replacing whatever the key held.
    #[inline]
    pub fn put_string(&mut self, key: &Key<'_>, value: &[u8], ttl: Ttl) {
        match self.locate_and_touch(key) {
            Some(place) => self.overwrite(key, place, value, ttl),
            None => self.insert_string(key, value, ttl),
        }
    }

    /// Replaces a string by what `change` makes of it (of `None` where there is no such key), in one lookup. The TTL
    /// stays. Where `change` fails, nothing happens.
    ///
    /// # Errors
    /// [`WrongType`] where the key holds a collection, or what `change` answers.
    #[inline]
    pub fn map_string<V, E>(
        &mut self,
        key: &Key<'_>,
        change: impl FnOnce(Option<&[u8]>) -> Result<V, E>,
    ) -> Result<(), E>
    where
        V: AsRef<[u8]>,
        E: From<WrongType>,
    {
        let Some(place) = self.locate_and_touch(key) else {
            let value = change(None)?;
            self.insert_string(key, value.as_ref(), Ttl::Clear);
            return Ok(());
        };
        let old = self.db_mut(key).table.entry(place).value().as_bytes().ok_or(WrongType)?;
        let value = change(Some(old))?;
        self.overwrite(key, place, value.as_ref(), Ttl::Keep);
        Ok(())
    }

    fn insert_string(&mut self, key: &Key<'_>, value: &[u8], ttl: Ttl) {
        let deadline_ms = if let Ttl::At(deadline_ms) = ttl { Some(deadline_ms) } else { None };
        let entry = EntryBox::new(key.bytes, Payload::Bytes(value), deadline_ms, self.fresh_access());
        self.insert(key, entry);
    }

    #[inline]
    fn overwrite(&mut self, key: &Key<'_>, place: Place, value: &[u8], ttl: Ttl) {
        let db = self.db_mut(key);
        let mut entry = db.table.entry_mut(place);
        let view = entry.as_ref();
        let (old_deadline_ms, access) = (view.deadline_ms(), view.access());
        let deadline_ms = match ttl {
            Ttl::Clear => None,
            Ttl::Keep => old_deadline_ms,
            Ttl::At(deadline_ms) => Some(deadline_ms),
        };
        if old_deadline_ms.is_some() == deadline_ms.is_some()
            && entry.resize_embedded(value.len())
            && entry.set_deadline_in_place(deadline_ms)
        {
            entry.mark_unedited();
            if let Some(bytes) = entry.embedded_mut() {
                bytes.copy_from_slice(value);
            }
            if old_deadline_ms != deadline_ms {
                db.count_deadline(old_deadline_ms, deadline_ms);
            }
            return;
        }
        db.count_deadline(old_deadline_ms, deadline_ms);
        let old = db.table.replace(place, EntryBox::new(key.bytes, Payload::Bytes(value), deadline_ms, access));
        db.forget_field_deadlines(key.bytes);
        self.discard(old);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{
        Store,
        keyspace::{Circumstances, Object},
        observer::NoObserver,
    };

    const CIRCUMSTANCES: Circumstances = Circumstances { db: 0, now_ms: 1_000_000, client_id: 0, touch: true };

    /// Runs `test` with the key `k` held.
    fn with_key(test: impl FnOnce(&mut Keyspace<'_>, &Key<'_>)) {
        let store = Store::new(1);
        let mut keyspace = Keyspace::new(&store, &NoObserver, CIRCUMSTANCES);
        let key = store.key(b"k");
        keyspace.hold_one(key.shard());
        test(&mut keyspace, &key);
    }

    fn read(keyspace: &Keyspace<'_>, key: &Key<'_>) -> Vec<u8> {
        keyspace.read_string(key).unwrap().unwrap().to_vec()
    }

    #[test]
    fn a_string_of_any_length_replaces_one_of_any_other() {
        with_key(|keyspace, key| {
            for len in [0, 1, 15, 16, 17, 100, 20_000, 40_000, 3] {
                for ttl in [Ttl::Clear, Ttl::At(2_000_000), Ttl::Keep, Ttl::At(3_000_000)] {
                    let value = vec![b'v'; len];
                    keyspace.put_string(key, &value, ttl);
                    assert_eq!(read(keyspace, key), value);
                }
                assert_eq!(keyspace.deadline_ms(key), Some(Some(3_000_000)));
            }
        });
    }

    #[test]
    fn overwriting_forgets_that_a_string_was_edited() {
        with_key(|keyspace, key| {
            keyspace.put_string(key, b"10", Ttl::Clear);
            keyspace.string_bytes_mut(key).unwrap().unwrap()[0] = b'2';
            assert!(keyspace.peek(key).unwrap().was_edited());
            keyspace.put_string(key, b"30", Ttl::Clear);
            assert!(!keyspace.peek(key).unwrap().was_edited());
        });
    }

    #[test]
    fn a_string_is_mapped_with_its_ttl_kept() {
        with_key(|keyspace, key| {
            keyspace.put_string(key, b"9", Ttl::At(2_000_000));
            for (old, new) in [("9", "10"), ("10", "a longer string than the block has room for")] {
                let mapped = keyspace.map_string(key, |seen| {
                    assert_eq!(seen, Some(old.as_bytes()));
                    Ok::<_, WrongType>(new)
                });
                assert_eq!(mapped, Ok(()));
            }
            assert_eq!(read(keyspace, key), b"a longer string than the block has room for");
            assert_eq!(keyspace.deadline_ms(key), Some(Some(2_000_000)));
        });
    }

    #[test]
    fn a_key_that_expired_is_mapped_as_if_it_were_missing() {
        with_key(|keyspace, key| {
            keyspace.put_string(key, b"9", Ttl::At(CIRCUMSTANCES.now_ms));
            let mapped = keyspace.map_string(key, |seen| {
                assert_eq!(seen, None);
                Ok::<_, WrongType>("1")
            });
            assert_eq!(mapped, Ok(()));
            assert_eq!(keyspace.deadline_ms(key), Some(None));
            assert_eq!(keyspace.counts.expired, 1);
        });
    }

    #[test]
    fn a_collection_is_not_mapped() {
        with_key(|keyspace, key| {
            keyspace.put_object(key, Object::Set(crate::types::set::Set::default()), Ttl::Clear);
            assert_eq!(keyspace.map_string(key, |_| Ok::<_, WrongType>("1")), Err(WrongType));
        });
    }
}
