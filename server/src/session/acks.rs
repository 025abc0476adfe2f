//! What a write needs beside an owner: a majority (`partition-policy`), and copies that confirm it (`write-acks`).

use std::ops::Range;

use rondache_protocol::command::CommandSpec;

use super::{
    Session,
    execute::Executor,
    placing::{Place, Slots, slots_of, split_of},
};
use crate::{
    cluster::replication::withheld::Withheld,
    command::{CommandError, args::Args},
    store::keyspace::Written,
};

/// It begins with the words of Redis Cluster.
const NO_MAJORITY: CommandError = CommandError::coded(
    "CLUSTERDOWN The cluster is down and only accepts read commands: this node sees no majority of the members, and \
     partition-policy is 'majority'; nothing was executed",
);

/// Whether a command empties all slots.
pub(super) fn is_flush(spec: &CommandSpec) -> bool {
    matches!(spec.name, "flushall" | "flushdb")
}

fn too_few(in_sync: usize, wanted: usize) -> CommandError {
    CommandError::Other(
        format!(
            "NOREPLICAS Not enough good replicas to write: {in_sync} in sync, and write-acks is {wanted}; nothing was executed"
        )
        .into(),
    )
}

impl Executor<'_, '_> {
    /// Whether a write may run: its shards are held. `Some`: it waits for a copy of one of its slots, which is being made.
    #[cold]
    pub(super) fn check_write(
        &mut self,
        spec: &'static CommandSpec,
        args: &Args<'_>,
    ) -> Result<Option<Place>, CommandError> {
        if !self.node.cluster.may_write() {
            return Err(NO_MAJORITY);
        }
        let awaited = &self.node.cluster.awaited;
        let wanted = self.settings.cluster.write_acks;
        if is_flush(spec) {
            return self.check_flush(wanted);
        }
        let mut fewest = wanted;
        let slots = slots_of(spec, args, |slot| {
            if self.ks.holds(usize::from(slot) % crate::store::SHARDS) {
                let copies = self.ks.listed_copies(slot);
                if copies < wanted {
                    awaited.insert(slot);
                }
                fewest = fewest.min(copies);
            }
        });
        if slots == Slots::None || fewest >= wanted {
            return Ok(None);
        }
        let place = match slots {
            Slots::One(slot) => Some(Place::Owner(slot)),
            _ => split_of(spec, args.len()).map(Place::Split),
        };
        match place {
            Some(place) if self.is_clustered && awaited.possible() >= wanted => Ok(Some(place)),
            _ => Err(too_few(fewest, wanted)),
        }
    }

    /// As [`Executor::check_write`], of what empties all of this node's slots.
    fn check_flush(&mut self, wanted: usize) -> Result<Option<Place>, CommandError> {
        let awaited = &self.node.cluster.awaited;
        let (mut lacking, mut fewest) = (Vec::new(), wanted);
        self.ks.for_each_slot(|shard, slot| {
            let copies = shard.listed_copies(slot);
            if copies < wanted {
                lacking.push(slot);
            }
            fewest = fewest.min(copies);
        });
        lacking.iter().for_each(|slot| awaited.insert(*slot));
        match lacking.is_empty() {
            true => Ok(None),
            // Every owner is asked by the entry node, which asks again.
            false if self.is_serving && awaited.possible() >= wanted => Ok(Some(Place::Here)),
            false => Err(too_few(fewest, wanted)),
        }
    }

    /// Has the reply of FLUSHALL or FLUSHDB wait for the copies of all slots.
    #[cold]
    pub(super) fn withhold_flush(&mut self, reply: Range<usize>) {
        let (wanted, nth) = (self.settings.cluster.write_acks, self.nth);
        if wanted == 0 {
            return;
        }
        let mut slots = Vec::new();
        self.ks.for_each_slot(|shard, slot| {
            slots.push((Written { slot, at: shard.position(slot) }, shard.copy_places(slot)));
        });
        self.withheld.append(&mut Withheld::grouped(slots.into_iter(), wanted, &reply, nth));
    }

    /// Has the reply of what was just written wait for the copies; the shards are held.
    #[cold]
    pub(super) fn withhold(&mut self, reply: Range<usize>) {
        let wanted = self.settings.cluster.write_acks;
        let nth = self.nth;
        let withheld = &mut *self.withheld;
        self.ks.take_written_to(|written, copies| {
            if wanted > 0 {
                let reply = reply.clone();
                withheld.push(Withheld { written, others: Vec::new(), copies, wanted, reply, nth, is_lost: false });
            }
        });
    }

    /// Answers a retry with the reply of the first try, which waits for the copies as that did.
    #[cold]
    pub(super) fn recalled(&mut self, session: &mut Session, slot: u16, reply: &[u8], out: &mut Vec<u8>) {
        let from = out.len();
        out.extend_from_slice(reply);
        self.ks.forget_written();
        self.ks.note_rewritten(slot);
        self.note_written(session);
        if self.guards_writes {
            self.withhold(from..out.len());
        }
    }
}
