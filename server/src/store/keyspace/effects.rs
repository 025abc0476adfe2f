//! The effects of commands: what copies of the slot must apply.

use super::*;

impl<'s> Keyspace<'s> {
    /// Records what copies must apply for this command, in place of the command as it came. Several calls append.
    ///
    /// A handler needs it where the command is not deterministic (relative TTLs, random choices) or names keys of
    /// several slots (then one effect per key).
    pub fn effect(&mut self, key: &Key<'_>, args: &[&[u8]]) {
        if self.records_effects() {
            self.pending.is_explicit = true;
            self.pend(key.slot, args.iter().copied());
        }
    }

    /// Says that the command changed nothing that copies must know.
    pub fn no_effect(&mut self) {
        self.pending.is_explicit = true;
    }

    /// Whether effects are wanted, for handlers that would work to build them. A copy that applies effects has none of its
    /// own.
    #[inline]
    #[must_use]
    pub fn records_effects(&self) -> bool {
        self.store.records_effects() && self.expiry_role == ExpiryRole::Owner
    }

    /// Puts an effect that is not the command's own doing into its slot's order, where effects are wanted.
    pub(in crate::store) fn queue_effect(&mut self, key: &Key<'_>, args: &[&[u8]]) {
        if self.records_effects() {
            self.pend(key.slot, args.iter().copied());
        }
    }

    fn pend<'a>(&mut self, slot: u16, words: impl ExactSizeIterator<Item = &'a [u8]>) {
        self.pending.push((slot, self.circumstances.db, self.circumstances.now_ms), words);
    }

    /// After a command: sends its effects to the copies of its slots. They are those that the handler recorded, else the
    /// command itself, where it changed anything. `reply` is what a retry of it is answered.
    pub fn commit_effects<'a, W>(&mut self, changed: bool, verbatim: impl FnOnce() -> Option<(u16, W)>, reply: &[u8])
    where
        W: ExactSizeIterator<Item = &'a [u8]>,
    {
        if changed
            && !self.pending.is_explicit
            && self.records_effects()
            && let Some((slot, words)) = verbatim()
        {
            self.pend(slot, words);
        }
        self.pending.is_explicit = false;
        if !self.is_transaction {
            self.flush_effects(reply);
        }
    }

    /// Keeps the effects of what runs from here on together, so that copies apply all of them or none. All shards stay
    /// held until [`Keyspace::end_transaction`].
    pub fn begin_transaction(&mut self) {
        self.is_transaction = true;
    }

    /// Sends the effects of a transaction. `reply` is what a retry of it is answered.
    pub fn end_transaction(&mut self, reply: &[u8]) {
        self.is_transaction = false;
        self.flush_effects(reply);
    }

    /// Appends what is pending to the streams of the slots' copies; their shards are held.
    #[inline]
    pub(in crate::store) fn flush_effects(&mut self, reply: &[u8]) {
        if !self.pending.is_empty() {
            self.flush_pending(reply);
        }
    }

    #[cold]
    #[inline(never)]
    fn flush_pending(&mut self, reply: &[u8]) {
        let mut pending = std::mem::take(&mut self.pending);
        let mut wakes = std::mem::take(&mut self.wakes);
        let forwarded = self.forwarded.map(|id| (id, reply));
        for (index, item) in pending.items().iter().enumerate() {
            let slot = item.slot;
            let is_first_of_slot = pending.items()[..index].iter().all(|earlier| earlier.slot != slot);
            if !is_first_of_slot || !self.holds(usize::from(slot) % SHARDS) {
                continue;
            }
            let shard = self.shard_mut(usize::from(slot) % SHARDS);
            if let Some(at) = shard.append_effects(slot, &pending, forwarded, &mut wakes) {
                self.note_written(Written { slot, at });
            }
        }
        pending.clear();
        (self.pending, self.wakes) = (pending, wakes);
    }

    fn note_written(&mut self, written: Written) {
        match self.written.last_mut() {
            Some(last) if last.slot == written.slot => *last = written,
            _ => self.written.push(written),
        }
    }

    /// Where the slots stand that were written to since this was last taken or forgotten.
    #[inline]
    pub(crate) fn written(&self) -> &[Written] {
        &self.written
    }

    /// Forgets where slots stand that were written to.
    #[inline]
    pub(crate) fn forget_written(&mut self) {
        self.written.clear();
    }

    /// Takes where the slots of held shards stand that were written to since this was last called or forgotten, each
    /// with the copies that are to have the write: their streams, and the place of the write in each.
    pub(crate) fn take_written_to(&mut self, mut visit: impl FnMut(Written, Vec<(Arc<Outgoing>, u64)>)) {
        for written in std::mem::take(&mut self.written) {
            let shard = usize::from(written.slot) % SHARDS;
            if self.holds(shard) {
                visit(written, self.shard(shard).copy_places(written.slot));
            }
        }
    }

    /// Notes a slot as if it had been written to just now: what a retry is answered must be as safe as the write.
    pub(crate) fn note_rewritten(&mut self, slot: u16) {
        let at = self.shard(usize::from(slot) % SHARDS).position(slot);
        self.note_written(Written { slot, at });
    }

    /// How many copies of a slot, whose shard is held, there are that may take it over.
    pub(crate) fn listed_copies(&self, slot: u16) -> usize {
        self.shard(usize::from(slot) % SHARDS).listed_copies(slot)
    }

    /// What is known of a forwarded write that is tried again, and was first tried at `tried_ms`. The slot's shard is
    /// held.
    #[must_use]
    pub fn retried(&self, slot: u16, id: WriteId, tried_ms: u64) -> Retried {
        let slots = self.shard(usize::from(slot) % SHARDS).slots.as_ref();
        slots.map_or(Retried::NotExecuted, |slots| slots.recent.find(slot, id, tried_ms))
    }

    /// Whether this node decides that the key, whose shard is held, has expired.
    #[inline]
    pub(in crate::store) fn decides_on(&self, key: &Key<'_>) -> bool {
        self.expiry_role == ExpiryRole::Owner && self.shard(key.shard()).owned_slots().has(key.slot)
    }
}
