//! Looking ahead in a frame: the keys of effects that come next are hashed and their memory is on its way before the first
//! of them runs, as with a client's batch.

use rondache_protocol::{
    bus::replicate::{Effect, Record, Records, ReplicateError},
    command,
    resp::request::ArgRange,
};

use crate::{
    command::{
        args::Args,
        ctx::{HashedKey, HashedKeys},
        registry::{self, Command},
    },
    store::{SHARDS, Store},
};

/// How many records are looked at before the first of them is applied.
const AHEAD_MAX: usize = 64;

/// A record, and what is known of it.
pub(super) enum Ahead<'f> {
    /// An effect that reads as a command.
    Effect(Planned<'f>),
    /// Anything else.
    Other(Record<'f>),
}

/// An effect, read.
pub(super) struct Planned<'f> {
    pub(super) effect: Effect<'f>,
    /// `None`: there is no such command.
    pub(super) command: Option<&'static Command>,
    /// Where its words stand among those of the window.
    words: (usize, usize),
    /// The first key, of commands that name one at a fixed place.
    pub(super) key: Option<HashedKey>,
}

/// The records that come next, and their words.
#[derive(Default)]
pub(super) struct Window<'f> {
    pub(super) records: Vec<Ahead<'f>>,
    pub(super) words: Vec<ArgRange>,
}

impl<'f> Window<'f> {
    /// Takes the next records; `false`: there are no more.
    ///
    /// # Errors
    /// What follows is no record.
    pub(super) fn fill(&mut self, coming: &mut Records<'f>, store: &Store) -> Result<bool, ReplicateError> {
        self.records.clear();
        self.words.clear();
        for record in coming.take(AHEAD_MAX) {
            let ahead = self.look_at(record?, store);
            self.records.push(ahead);
        }
        if self.records.len() > 1 {
            self.prefetch_entries(store);
        }
        Ok(!self.records.is_empty())
    }

    fn look_at(&mut self, record: Record<'f>, store: &Store) -> Ahead<'f> {
        let Record::Effect(effect) = record else { return Ahead::Other(record) };
        let from = self.words.len();
        if effect.words.ranges(&mut self.words).is_err() || self.words.len() == from {
            return Ahead::Other(record);
        }
        let args = Args::new(effect.words.bytes(), &self.words[from..]);
        let command = command::lookup(args.get(0)).and_then(registry::by_index);
        let first_key = command.map_or(0, |command| command.spec.first_key as usize);
        let key = (first_key > 0 && args.len() > first_key).then(|| {
            let key = store.key(args.get(first_key));
            store.prefetch_bucket(&key);
            store.prefetch_slot(key.slot);
            HashedKey { index: first_key, hash: key.hash, slot: key.slot }
        });
        Ahead::Effect(Planned { effect, command, words: (from, self.words.len()), key })
    }

    /// The buckets have arrived, or nearly.
    fn prefetch_entries(&self, store: &Store) {
        let pinned = crossbeam_epoch::pin();
        for ahead in &self.records {
            if let Ahead::Effect(Planned { key: Some(key), .. }) = ahead {
                store.prefetch_entry(key.hash, usize::from(key.slot) % SHARDS, &pinned);
            }
        }
    }
}

impl<'f> Planned<'f> {
    /// Its words; `words` are those of its window.
    pub(super) fn args<'w>(&self, words: &'w [ArgRange]) -> Args<'w>
    where
        'f: 'w,
    {
        Args::new(self.effect.words.bytes(), &words[self.words.0..self.words.1])
    }

    pub(super) fn hashed(&self) -> HashedKeys<'static> {
        HashedKeys { first: self.key, all: &[] }
    }
}
