//! The keys that a command names: their shards are held while it runs.

use rondache_protocol::{
    command::{CommandSpec, Flags, keys_of},
    slot::slot_of,
};

use super::{Executor, Planned};
use crate::{
    command::{args::Args, ctx::HashedKeys, generic},
    store::{SHARDS, key::Key, keyspace::Keyspace},
};

impl Executor<'_, '_> {
    /// Holds the shards of the command's keys, or none.
    #[inline]
    pub(super) fn hold_keys(&mut self, spec: &'static CommandSpec, planned: &Planned<'_>) {
        if spec.single_key
            && let Some(first) = &planned.hashed.first
        {
            self.ks.hold_one(usize::from(first.slot) % SHARDS);
            return;
        }
        if !planned.hashed.all.is_empty() {
            self.shards.clear();
            self.shards.extend(planned.hashed.all.iter().map(|key| usize::from(key.slot) % SHARDS));
            self.ks.hold_many(&mut self.shards);
            return;
        }
        let mut shards = Vec::new();
        lock_keys(self.ks, spec, &planned.args, &mut shards);
        if shards.is_empty() {
            self.ks.release();
        } else if spec.flags.contains(Flags::WHOLE_KEYSPACE) && generic::reads_unnamed_keys(&planned.args) {
            // SORT with patterns; a walk over the keyspace names no key, and holds one shard at a time.
            self.ks.hold_all();
        } else {
            self.ks.hold_many(&mut shards);
        }
    }

    /// Deletes those of a command's keys that it found expired.
    #[cold]
    pub(super) fn expire_keys_of(&mut self, spec: &'static CommandSpec, args: &Args<'_>) {
        let spec = named_subcommand(spec, args);
        let found = keys_of(spec, args.len(), |index| args.get(index)).unwrap_or_default();
        let keys: Vec<Key<'_>> = found.iter().map(|key| self.ks.key(args.get(key.index))).collect();
        self.ks.expire_met(&keys);
    }
}

/// Appends the shards of a command's keys to `shards`. Keys that can't be told (a bad numkeys) are the handler's to refuse,
/// in its own words; it looks at no key then.
pub(crate) fn lock_keys(ks: &Keyspace<'_>, spec: &'static CommandSpec, args: &Args<'_>, shards: &mut Vec<usize>) {
    // MEMORY USAGE has a key; MEMORY as such has none.
    let spec = named_subcommand(spec, args);
    if spec.first_key != 0
        && let Ok(found) = keys_of(spec, args.len(), |index| args.get(index))
    {
        shards.extend(found.iter().map(|key| ks.key(args.get(key.index)).shard()));
    }
}

/// The entry that says where the keys stand: the subcommand's, where the command is a container (OBJECT, MEMORY …).
pub(crate) fn named_subcommand(spec: &'static CommandSpec, args: &Args<'_>) -> &'static CommandSpec {
    if spec.subcommands.is_empty() {
        return spec;
    }
    spec.subcommand(args.get(1)).map_or(spec, |(_, found)| found)
}

/// The slot of a command's first key.
#[inline]
pub(super) fn first_slot_of(spec: &'static CommandSpec, args: &Args<'_>, hashed: &HashedKeys<'_>) -> Option<u16> {
    if let Some(first) = &hashed.first {
        return Some(first.slot);
    }
    let spec = named_subcommand(spec, args);
    let found = keys_of(spec, args.len(), |index| args.get(index)).ok()?;
    found.first().map(|key| slot_of(args.get(key.index)))
}
