//! Writing, deleting, and the deadlines of keys.

use super::*;

impl<'s> Keyspace<'s> {
    /// The key's place, for changing it; an expired key is deleted first.
    #[inline]
    pub(in crate::store) fn locate(&mut self, key: &Key<'_>) -> Option<Place> {
        let table = &self.db_mut(key).table;
        let place = table.find(key.hash, key.bytes)?;
        let entry = table.entry(place);
        if entry.deadline_ms().is_some_and(|deadline_ms| deadline_ms <= self.circumstances.now_ms) {
            self.expire_at(key, place);
            self.db_mut(key).table.shrink_if_sparse();
            return None;
        }
        Some(place)
    }

    /// Like [`Keyspace::locate`] and counts as an access.
    #[inline]
    pub(in crate::store) fn locate_and_touch(&mut self, key: &Key<'_>) -> Option<Place> {
        let place = self.locate(key)?;
        if let Some(db) = self.db(key) {
            self.note_access(db.table.entry(place));
            if self.counts_frequency {
                db.table.bucket(place.bucket).touch(place.lane);
            }
        }
        Some(place)
    }

    /// Writes a long string without copying it, or a short one by copying.
    pub fn put_shared(&mut self, key: &Key<'_>, value: SharedBytes, ttl: Ttl) {
        if value.len() <= EMBEDDED_LEN_MAX {
            return self.put_string(key, &value, ttl);
        }
        self.put_payload(key, Payload::Shared(value), ttl);
    }

    /// Writes a collection, replacing whatever the key held. An empty one deletes the key instead.
    pub fn put_object(&mut self, key: &Key<'_>, object: Object, ttl: Ttl) {
        self.put_payload(key, Payload::Object(object), ttl);
    }

    pub(in crate::store) fn put_payload(&mut self, key: &Key<'_>, payload: Payload<'_>, ttl: Ttl) {
        let access = self.fresh_access();
        let place = self.locate(key);
        let old_deadline_ms = place.and_then(|place| self.db_mut(key).table.entry(place).deadline_ms());
        let deadline_ms = match ttl {
            Ttl::Clear => None,
            Ttl::Keep => old_deadline_ms,
            Ttl::At(deadline_ms) => Some(deadline_ms),
        };
        let field_deadline_ms = match &payload {
            Payload::Object(Object::Hash(hash)) => hash.earliest_deadline(),
            _ => None,
        };
        let entry = EntryBox::new(key.bytes, payload, deadline_ms, access);
        match place {
            None => self.insert(key, entry),
            Some(place) => {
                let db = self.db_mut(key);
                db.count_deadline(old_deadline_ms, deadline_ms);
                let old = db.table.replace(place, entry);
                db.forget_field_deadlines(key.bytes);
                self.discard(old);
            }
        }
        if let Some(deadline_ms) = field_deadline_ms {
            self.note_field_deadline(key, deadline_ms);
        }
    }

    /// Tells the expiry sweep that a field of the hash at `key` expires at `deadline_ms`. Owed by every command that sets
    /// a field's deadline in place; what replaces the whole hash notes it by itself.
    pub fn note_field_deadline(&mut self, key: &Key<'_>, deadline_ms: u64) {
        self.db_mut(key).note_field_deadline(key.bytes, deadline_ms);
    }

    /// A string's bytes for changing in place without changing their length, or `None` where there is no such key.
    ///
    /// # Errors
    /// The key holds a collection.
    pub fn string_bytes_mut(&mut self, key: &Key<'_>) -> Result<Option<&mut [u8]>, WrongType> {
        let Some(place) = self.locate_and_touch(key) else { return Ok(None) };
        let guard = self.db_mut(key).table.entry_mut(place);
        guard.mark_edited();
        guard.into_bytes_mut().map(Some).ok_or(WrongType)
    }

    /// Makes a string `len` bytes long, creating it where it does not exist and padding with zero bytes. Its TTL stays.
    ///
    /// # Errors
    /// The key holds a collection.
    pub fn resize_string(&mut self, key: &Key<'_>, len: usize) -> Result<(), WrongType> {
        let access = self.fresh_access();
        let Some(place) = self.locate_and_touch(key) else {
            let entry = if len <= EMBEDDED_LEN_MAX {
                EntryBox::new(key.bytes, Payload::Bytes(&vec![0; len]), None, access)
            } else {
                EntryBox::new(key.bytes, Payload::Shared(Arc::new(vec![0; len])), None, access)
            };
            entry.mark_edited();
            self.insert(key, entry);
            return Ok(());
        };
        let table = &mut self.db_mut(key).table;
        let mut entry = table.entry_mut(place);
        if entry.object_mut().is_some() {
            return Err(WrongType);
        }
        entry.mark_edited();
        if let Some(bytes) = entry.shared_mut() {
            bytes.resize(len, 0);
            return Ok(());
        }
        if entry.resize_embedded(len) {
            return Ok(());
        }
        table.update(place, |old| {
            let view = old.as_ref();
            let mut bytes = Vec::with_capacity(len);
            bytes.extend_from_slice(view.value().as_bytes().unwrap_or_default());
            bytes.resize(len, 0);
            let payload =
                if len > EMBEDDED_LEN_MAX { Payload::Shared(Arc::new(bytes)) } else { Payload::Bytes(&bytes) };
            let entry = EntryBox::new(view.key(), payload, view.deadline_ms(), view.access());
            entry.mark_edited();
            (entry, ())
        });
        Ok(())
    }

    /// A collection for changing, or `None` where there is no such key.
    ///
    /// After taking members away the handler calls [`Keyspace::remove_if_empty`].
    ///
    /// # Errors
    /// The key holds another type.
    pub fn object_mut<T: Typed>(&mut self, key: &Key<'_>) -> Result<Option<&mut T>, WrongType> {
        let Some(place) = self.locate_and_touch(key) else { return Ok(None) };
        let object = self.db_mut(key).table.entry_mut(place).into_object_mut().ok_or(WrongType)?;
        T::from_object_mut(object).map(Some).ok_or(WrongType)
    }

    /// A collection for changing, made empty where there is no such key: the handler must put something in.
    ///
    /// # Errors
    /// The key holds another type.
    pub fn object_or_insert<T: Typed>(&mut self, key: &Key<'_>) -> Result<&mut T, WrongType> {
        let place = match self.locate_and_touch(key) {
            Some(place) => place,
            None => {
                let object = T::default().into_object();
                let entry = EntryBox::new(key.bytes, Payload::Object(object), None, self.fresh_access());
                self.insert_at(key, entry)
            }
        };
        let object = self.db_mut(key).table.entry_mut(place).into_object_mut().ok_or(WrongType)?;
        T::from_object_mut(object).ok_or(WrongType)
    }

    /// Deletes the key where its collection has become empty, with a `del` event. Call it after [`Keyspace::changed`].
    pub fn remove_if_empty<T: Typed>(&mut self, key: &Key<'_>) -> bool {
        let is_empty = match self.peek(key).map(EntryRef::value) {
            Some(Value::Object(object)) => T::from_object(object).is_some_and(Typed::is_empty),
            _ => false,
        };
        if is_empty && self.remove(key) {
            self.changed(key, EventClass::GENERIC, "del");
        }
        is_empty
    }

    /// Deletes a key. Reports nothing: the caller says what happened with [`Keyspace::changed`].
    pub fn remove(&mut self, key: &Key<'_>) -> bool {
        match self.locate(key) {
            None => false,
            Some(place) => {
                let entry = self.take_at(key, place);
                self.discard(entry);
                true
            }
        }
    }

    /// Takes a key's deadline and value out of the store (RENAME). Strings come as shared bytes.
    pub fn take(&mut self, key: &Key<'_>) -> Option<(Taken, Option<u64>)> {
        let place = self.locate(key)?;
        let (deadline_ms, payload) = self.take_at(key, place).take_payload();
        let taken = match payload {
            Payload::Object(object) => Taken::Object(object),
            Payload::Shared(bytes) => Taken::String(bytes),
            Payload::Bytes(bytes) => Taken::String(Arc::new(bytes.to_vec())),
        };
        Some((taken, deadline_ms))
    }

    /// Writes what [`Keyspace::take`] took.
    pub fn put_taken(&mut self, key: &Key<'_>, taken: Taken, deadline_ms: Option<u64>) {
        let ttl = deadline_ms.map_or(Ttl::Clear, Ttl::At);
        match taken {
            Taken::String(bytes) => self.put_shared(key, bytes, ttl),
            Taken::Object(object) => self.put_object(key, object, ttl),
        }
    }

    /// Sets or clears the deadline of a key; `false` where there is no such key. A deadline in the past is the caller's
    /// to turn into a deletion.
    pub fn set_deadline(&mut self, key: &Key<'_>, deadline_ms: Option<u64>) -> bool {
        let Some(place) = self.locate(key) else { return false };
        let db = self.db_mut(key);
        let old_deadline_ms = db.table.entry(place).deadline_ms();
        db.count_deadline(old_deadline_ms, deadline_ms);
        if !db.table.entry_mut(place).set_deadline_in_place(deadline_ms) {
            db.table.update(place, |entry| (entry.rebuild(None, deadline_ms), ()));
        }
        true
    }

    /// Sets the access clock of a key (RESTORE's IDLETIME and FREQ).
    pub fn set_access(&mut self, key: &Key<'_>, access: u32) {
        if let Some(entry) = self.peek(key) {
            entry.set_access(access);
        }
    }
}
