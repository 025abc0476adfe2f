//! Retries: writes that this node may have executed already, as their owner.

use rondache_protocol::command::CommandSpec;

use super::{Executor, Flow, keys::first_slot_of};
use crate::{
    command::{args::Args, ctx::HashedKeys},
    session::{Session, transaction::Executed},
    store::replicate::recent::Retried,
};

impl Executor<'_, '_> {
    /// Of a write that an owner may have executed already, while its shard is held: what is known of it. `None`: it was
    /// never executed.
    #[cold]
    pub(super) fn recall(
        &mut self,
        session: &mut Session,
        spec: &'static CommandSpec,
        args: &Args<'_>,
        out: &mut Vec<u8>,
    ) -> Option<Flow> {
        let (id, age_ms) = (self.ks.forwarded?, self.retry?);
        let slot = first_slot_of(spec, args, &HashedKeys::default())?;
        match self.ks.retried(slot, id, self.ks.now_ms().saturating_sub(u64::from(age_ms))) {
            Retried::NotExecuted => None,
            Retried::Done(reply) => {
                self.recalled(session, slot, &reply, out);
                Some(Flow::Next)
            }
            Retried::ReplyTooLarge | Retried::Forgotten => Some(Flow::Unknown),
        }
    }

    /// As [`Executor::recall`], of a whole transaction.
    #[cold]
    pub(in crate::session) fn recall_unit(
        &mut self,
        session: &mut Session,
        slot: u16,
        out: &mut Vec<u8>,
    ) -> Option<Executed> {
        let (id, age_ms) = (self.ks.forwarded?, self.retry?);
        match self.ks.retried(slot, id, self.ks.now_ms().saturating_sub(u64::from(age_ms))) {
            Retried::NotExecuted => None,
            Retried::Done(reply) => {
                self.recalled(session, slot, &reply, out);
                Some(Executed::Here)
            }
            Retried::ReplyTooLarge | Retried::Forgotten => Some(Executed::Unknown),
        }
    }
}
