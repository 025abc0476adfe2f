//! Lookups that change nothing.

use super::*;

impl<'s> Keyspace<'s> {
    /// The entry of `key` if it is there and has not expired. Counts as an access, and as a hit or miss.
    #[inline]
    pub fn read(&self, key: &Key<'_>) -> Option<EntryRef<'_>> {
        self.read_with(key, self.circumstances.touch)
    }

    /// As [`Keyspace::read`], counting as a hit or miss, but as an access only if `touch` (EXISTS, TTL: not; TOUCH:
    /// always).
    #[inline]
    pub fn read_with(&self, key: &Key<'_>, touch: bool) -> Option<EntryRef<'_>> {
        let found = self.look(key, touch);
        let count = if found.is_some() { &self.hits } else { &self.misses };
        count.set(count.get() + 1);
        if found.is_none() && self.interest.events().contains(EventClass::KEY_MISS) {
            self.observer.event(EventClass::KEY_MISS, "keymiss", self.circumstances.db, key.bytes);
        }
        found
    }

    /// The entry of `key` as [`Keyspace::read`] sees it, but without counting as an access (OBJECT, TTL, SCAN …).
    #[inline]
    pub fn peek(&self, key: &Key<'_>) -> Option<EntryRef<'_>> {
        self.look(key, false)
    }

    #[inline]
    pub(in crate::store) fn look(&self, key: &Key<'_>, touch: bool) -> Option<EntryRef<'_>> {
        let table = &self.db(key)?.table;
        let place = table.find(key.hash, key.bytes)?;
        let entry = table.entry(place);
        if self.is_due(entry) {
            self.met_expired.set(true);
            return None;
        }
        if touch {
            self.note_access(entry);
            if self.counts_frequency {
                table.bucket(place.bucket).touch(place.lane);
            }
        }
        Some(entry)
    }

    #[inline]
    pub(in crate::store) fn is_due(&self, entry: EntryRef<'_>) -> bool {
        entry.deadline_ms().is_some_and(|deadline_ms| deadline_ms <= self.circumstances.now_ms)
    }

    /// A string's bytes.
    ///
    /// # Errors
    /// The key holds a collection.
    #[inline]
    pub fn read_string(&self, key: &Key<'_>) -> Result<Option<&[u8]>, WrongType> {
        match self.read(key) {
            None => Ok(None),
            Some(entry) => entry.value().as_bytes().map(Some).ok_or(WrongType),
        }
    }

    /// A collection.
    ///
    /// # Errors
    /// The key holds another type.
    #[inline]
    pub fn read_object<T: Typed>(&self, key: &Key<'_>) -> Result<Option<&T>, WrongType> {
        match self.read(key).map(EntryRef::value) {
            None => Ok(None),
            Some(Value::Object(object)) => T::from_object(object).map(Some).ok_or(WrongType),
            Some(_) => Err(WrongType),
        }
    }

    /// The key's type, without counting as an access.
    #[must_use]
    pub fn kind(&self, key: &Key<'_>) -> Option<Kind> {
        self.peek(key).map(|entry| entry.value().kind())
    }

    /// Whether the key is there, without counting as an access.
    #[must_use]
    pub fn exists(&self, key: &Key<'_>) -> bool {
        self.peek(key).is_some()
    }

    /// Whether the key is in the table, be it expired.
    #[must_use]
    pub fn holds_entry(&self, key: &Key<'_>) -> bool {
        self.db(key).is_some_and(|db| db.table.find(key.hash, key.bytes).is_some())
    }

    /// When the key expires (unix ms): `None` no such key, `Some(None)` never.
    #[must_use]
    pub fn deadline_ms(&self, key: &Key<'_>) -> Option<Option<u64>> {
        self.peek(key).map(EntryRef::deadline_ms)
    }
}
