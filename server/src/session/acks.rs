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
};

/// In the words of Redis Cluster as far as clients look at them.
const NO_MAJORITY: CommandError = CommandError::coded(
    "CLUSTERDOWN The cluster is down for writes on this node: it sees no majority of the members, and partition-policy is \
     'majority'; nothing was executed",
);

impl Executor<'_, '_> {
    /// Whether a write may run: its shards are held. `Some`: it waits for a copy of one of its slots, which is being made.
    #[cold]
    pub(super) fn check_write(&self, spec: &'static CommandSpec, args: &Args<'_>) -> Result<Option<Place>, CommandError> {
        if !self.node.cluster.may_write() {
            return Err(NO_MAJORITY);
        }
        let awaited = &self.node.cluster.awaited;
        let wanted = self.settings.cluster.write_acks;
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
            _ => Err(CommandError::Other(
                format!(
                    "NOREPLICAS Not enough good replicas to write: {fewest} in sync, and write-acks is {wanted}; nothing was \
                     executed"
                )
                .into(),
            )),
        }
    }

    /// Has the reply of what was just written wait for the copies; the shards are held.
    #[cold]
    pub(super) fn withhold(&mut self, reply: Range<usize>) {
        let wanted = self.settings.cluster.write_acks;
        let nth = self.nth;
        let withheld = &mut *self.withheld;
        self.ks.take_written_to(|written, copies| {
            if wanted > 0 {
                withheld.push(Withheld { written, copies, wanted, reply: reply.clone(), nth });
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
