//! Requests that get an error instead of their reply.

use rondache_protocol::resp::writer::{ReplyWriter, RespVersion};

use super::{Item, NO_SLOT, State, Wave};
use crate::cluster::{forward::error::ForwardFailure, replication::withheld::Withheld};

impl Wave {
    /// Gives up the writes that wait for copies, and those behind them. Answers whether anything else waited behind them:
    /// it may run now.
    pub(crate) fn give_up_copies(&mut self) -> bool {
        let lacking = |item: &&Item| item.state == State::Waiting && item.lacks_copies;
        let slots: Vec<u16> = self.items.iter().filter(lacking).map(|item| item.slot).collect();
        let mut is_freed = false;
        for index in 0..self.items.len() {
            let item = &self.items[index];
            if item.state != State::Waiting || !slots.contains(&item.slot) {
                continue;
            }
            match item.is_write {
                true => self.fail_waiting(index, ForwardFailure::TooFewCopies),
                false => is_freed = true,
            }
        }
        is_freed
    }

    /// Gives up what is not resolved.
    pub(crate) fn give_up(&mut self, why_waiting: impl Fn(&Item) -> ForwardFailure) {
        for index in 0..self.items.len() {
            let item = &self.items[index];
            let failure = match item.state {
                State::Sent { .. } if item.is_write => ForwardFailure::OutcomeUnknown,
                State::Sent { .. } => ForwardFailure::Unreachable,
                State::Waiting if item.may_have_run => ForwardFailure::OutcomeUnknown,
                State::Waiting => why_waiting(item),
                State::Done { .. } | State::Failed(_) => continue,
            };
            self.resolve(index, State::Failed(failure));
        }
    }

    /// Gives up what waits to be sent; what is under way still gets its reply.
    pub(crate) fn give_up_waiting(&mut self, why: ForwardFailure) {
        (0..self.items.len()).for_each(|index| self.fail_waiting(index, why));
    }

    /// Gives up an item that waits to be sent, or to be sent again.
    pub(crate) fn fail_waiting(&mut self, index: usize, why: ForwardFailure) {
        let Some(item) = self.items.get(index).filter(|item| item.state == State::Waiting) else { return };
        let failure = if item.may_have_run { ForwardFailure::OutcomeUnknown } else { why };
        self.resolve(index, State::Failed(failure));
    }

    /// Gives up the items of a frame that can't be sent.
    pub(crate) fn fail_frame(&mut self, frame: u16, why: ForwardFailure) {
        let is_in = |item: &Item| matches!(item.state, State::Sent { frame: of, .. } if of == frame);
        let items: Vec<usize> = (0..self.items.len()).filter(|index| is_in(&self.items[*index])).collect();
        self.lose(frame, false);
        items.into_iter().for_each(|index| self.fail_waiting(index, why));
    }

    /// An item ran somewhere, and its slot went away before copies had what it wrote. The slot's next owner can tell, by the item's
    /// number, whether it is to run there. What goes to nodes rather than to a slot has none.
    pub(crate) fn retry(&mut self, index: usize) {
        let Some(item) = self.items.get_mut(index) else { return };
        if item.slot == NO_SLOT {
            return self.resolve(index, State::Failed(ForwardFailure::OutcomeUnknown));
        }
        if matches!(item.state, State::Done { .. } | State::Failed(_)) {
            self.unresolved += 1;
        }
        item.state = State::Waiting;
        item.may_have_run |= item.is_write;
    }

    /// Copies have not confirmed these writes, which were executed here: the next owners of slots that were lost are asked, the other
    /// replies become errors.
    pub(crate) fn disavow(&mut self, unconfirmed: &[Withheld]) {
        let mut lost = Vec::new();
        for write in unconfirmed {
            let Some((nth, item)) = write.nth.and_then(|nth| Some((nth, self.items.get_mut(nth)?))) else { continue };
            if write.is_lost {
                lost.push(nth);
            }
            item.state = State::Failed(write.failure());
        }
        self.retry_lost(lost);
        self.disavow_local(unconfirmed);
    }

    /// Has items that were executed here tried at the next owners of their slots, and what followed them on these slots.
    fn retry_lost(&mut self, mut lost: Vec<usize>) {
        lost.sort_unstable();
        for index in &lost {
            let slot = self.items[*index].slot;
            let behind =
                |at: &usize| self.items[*at].slot == slot && matches!(self.items[*at].state, State::Done { .. });
            let behind: Vec<usize> = (index + 1..self.items.len()).filter(behind).collect();
            // A write behind it that is safe was executed elsewhere, and must not come before it.
            if slot != NO_SLOT && !behind.iter().any(|at| self.items[*at].is_write) {
                self.retry(*index);
                behind.into_iter().for_each(|at| self.retry(at));
            }
        }
    }

    /// Makes errors of the replies of what the session itself has executed: no other owner can tell what became of it.
    fn disavow_local(&mut self, unconfirmed: &[Withheld]) {
        let local = unconfirmed.iter().filter(|write| write.nth.is_none() && !write.reply.is_empty());
        let mut ranges: Vec<_> = local.map(|write| (write.reply.clone(), write.failure())).collect();
        ranges.sort_unstable_by_key(|(range, _)| range.start);
        // A command that wrote to several slots is there for each.
        ranges.dedup_by(|(one, _), (other, _)| one == other);
        // From the last on: what is replaced moves only what is behind it.
        for (range, failure) in ranges.into_iter().rev() {
            let mut error = Vec::new();
            write_failure(failure, false, &mut error);
            for item in self.items.iter_mut().filter(|item| item.at >= range.end) {
                item.at = item.at - range.len() + error.len();
            }
            self.local.splice(range, error);
        }
    }
}

/// Writes a failure as a reply.
pub(crate) fn write_failure(failure: ForwardFailure, is_resp3: bool, out: &mut Vec<u8>) {
    let version = if is_resp3 { RespVersion::V3 } else { RespVersion::V2 };
    ReplyWriter::new(out, version).error(failure.to_string());
}
