//! What a handler works with.

use rondache_protocol::{command::CommandSpec, resp::writer::ReplyWriter};

use super::args::Args;
use crate::{
    config::settings::Settings,
    node::Node,
    session::Session,
    store::{key::Key, keyspace::Keyspace, observer::EventClass},
};

/// The surroundings of one command: the keys it may touch, its client, its reply.
pub struct Ctx<'c, 's> {
    /// The keyspace, with the shards of the command's keys held.
    pub ks: &'c mut Keyspace<'s>,
    /// Where the reply goes. A handler that fails writes nothing: the error becomes the reply.
    pub reply: ReplyWriter<'c>,
    /// The client's connection state.
    pub session: &'c mut Session,
    /// The node.
    pub node: &'s Node,
    /// The live settings as of this batch.
    pub settings: &'c Settings,
    /// Randomness for SPOP, RANDOMKEY, jitter …
    pub rng: &'c mut fastrand::Rng,
    /// The running command's table entry.
    pub spec: &'static CommandSpec,
    /// The keys that were hashed before the batch began.
    pub(crate) hashed: HashedKeys<'c>,
    /// Set by [`Ctx::block`].
    pub(crate) blocked: Option<BlockSpec>,
    /// Whether the command may wait, and how it runs.
    pub(crate) waiting: Waiting,
}

/// Hash and slot of a key among a command's arguments.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HashedKey {
    pub(crate) index: usize,
    pub(crate) hash: u64,
    pub(crate) slot: u16,
}

/// What is known of a command's keys before it runs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct HashedKeys<'k> {
    pub(crate) first: Option<HashedKey>,
    /// Every key, by rising index, of a command that names several in a row; else empty.
    pub(crate) all: &'k [HashedKey],
}

impl HashedKeys<'_> {
    #[inline]
    fn at(&self, index: usize) -> Option<&HashedKey> {
        match &self.first {
            Some(first) if first.index == index => Some(first),
            _ => self.all.binary_search_by_key(&index, |key| key.index).ok().map(|at| &self.all[at]),
        }
    }
}

/// How a command that may wait runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// For the first time: it goes behind those who wait already.
    Arriving,
    /// Again, in its turn, because a key has changed.
    Served,
    /// Inside a transaction: it never waits.
    Never,
}

/// What a blocking command waits for.
#[derive(Clone, Debug)]
pub struct BlockSpec {
    /// Any change of one of these runs the command again.
    pub keys: Vec<Box<[u8]>>,
    /// When to give up, in ms from now; `None`: never.
    pub timeout_ms: Option<u64>,
    /// What the client reads when it has waited for nothing.
    pub on_timeout: TimeoutReply,
}

/// A blocking command's reply at its timeout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeoutReply {
    /// RESP2 `*-1`, RESP3 `_`.
    NullArray,
    /// RESP2 `$-1`, RESP3 `_`.
    Null,
}

impl TimeoutReply {
    /// Writes the reply.
    pub fn write(self, reply: &mut ReplyWriter<'_>) {
        match self {
            TimeoutReply::NullArray => reply.null_array(),
            TimeoutReply::Null => reply.null(),
        }
    }
}

impl Ctx<'_, '_> {
    /// The key at an argument.
    #[inline]
    #[must_use]
    pub fn key<'a>(&self, args: &Args<'a>, index: usize) -> Key<'a> {
        match self.hashed.at(index) {
            Some(hashed) => Key { bytes: args.get(index), hash: hashed.hash, slot: hashed.slot },
            None => self.ks.key(args.get(index)),
        }
    }

    /// Whether the node has met others. Then walks over all keys leave out those that it only copies.
    #[must_use]
    pub fn is_clustered(&self) -> bool {
        self.node.cluster.routing.is_clustered()
    }

    /// The time of the command, unix ms; the same throughout a batch and a transaction.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.ks.now_ms()
    }

    /// Reports a change: see [`Keyspace::changed`].
    #[inline]
    pub fn changed(&mut self, key: &Key<'_>, class: EventClass, event: &str) {
        self.ks.changed(key, class, event);
    }

    /// Waits for one of `keys` to change, then runs the command again from its start; or, inside a transaction, replies
    /// as at the timeout. The handler returns `Ok` right after, without a reply of its own.
    pub fn block(&mut self, keys: Vec<Box<[u8]>>, timeout_ms: Option<u64>, on_timeout: TimeoutReply) {
        if self.waiting == Waiting::Never {
            on_timeout.write(&mut self.reply);
        } else {
            self.blocked = Some(BlockSpec { keys, timeout_ms, on_timeout });
        }
    }

    /// Whether others stand in line for `key`, which has what a blocking command wants: then the command takes the key
    /// for empty, calls [`Ctx::block`], and is served in its turn right after.
    ///
    /// It happens where a change on another thread has not been handed to the line yet; without it a newcomer could
    /// overtake those who waited longer.
    #[must_use]
    pub fn must_queue_for(&mut self, key: &Key<'_>) -> bool {
        self.waiting == Waiting::Arriving && self.ks.mark_ready_if_awaited(key)
    }
}
