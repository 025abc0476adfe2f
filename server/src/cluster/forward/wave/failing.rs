//! Requests that get an error instead of their reply.

use std::ops::Range;

use rondache_protocol::resp::writer::{ReplyWriter, RespVersion};

use super::{Item, State, Wave};
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

    /// Copies have not confirmed these writes: their replies become errors.
    pub(crate) fn disavow(&mut self, unconfirmed: &[Withheld]) {
        for nth in unconfirmed.iter().filter_map(|write| write.nth) {
            if let Some(item) = self.items.get_mut(nth) {
                item.state = State::Failed(ForwardFailure::Unconfirmed);
            }
        }
        let local = unconfirmed.iter().filter(|write| write.nth.is_none() && !write.reply.is_empty());
        let mut ranges: Vec<Range<usize>> = local.map(|write| write.reply.clone()).collect();
        ranges.sort_unstable_by_key(|range| range.start);
        // A command that wrote to several slots is there for each.
        ranges.dedup();
        // From the last on: what is replaced moves only what is behind it.
        for range in ranges.into_iter().rev() {
            let mut error = Vec::new();
            write_failure(ForwardFailure::Unconfirmed, false, &mut error);
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
