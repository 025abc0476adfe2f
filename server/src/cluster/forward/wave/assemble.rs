//! The replies of a wave in the order of its requests.

use super::{Item, State, Wave, write_failure};
use crate::cluster::forward::error::ForwardFailure;

impl Wave {
    /// Appends all replies to `out`, in the order of the requests.
    pub(crate) fn assemble(&self, out: &mut Vec<u8>) {
        let mut copied = 0;
        let mut index = 0;
        while let Some(item) = self.items.get(index) {
            out.extend_from_slice(self.local.get(copied..item.at).unwrap_or_default());
            copied = item.at;
            let gather = item.gather.and_then(|gather| self.gathers.get(usize::from(gather)));
            match gather {
                Some(gather) => {
                    if !item.is_silent {
                        gather.write(self, index, out);
                    }
                    index += gather.parts.max(1);
                }
                None => {
                    if !item.is_silent {
                        self.write_reply(item, out);
                    }
                    index += 1;
                }
            }
        }
        out.extend_from_slice(self.local.get(copied..).unwrap_or_default());
    }

    /// Whether [`Wave::replies`] is what [`Wave::assemble`] would write.
    pub(crate) fn is_straight(&self) -> bool {
        let mut end = 0;
        self.local.is_empty()
            && self.gathers.is_empty()
            && self.items.iter().all(|item| match item.state {
                State::Done { from, len } if from == end && !item.is_silent => {
                    end += len;
                    true
                }
                _ => false,
            })
            && end == self.replies.len()
    }

    fn write_reply(&self, item: &Item, out: &mut Vec<u8>) {
        match item.state {
            State::Done { from, len } => out.extend_from_slice(self.replies.get(from..from + len).unwrap_or_default()),
            State::Failed(failure) => write_failure(failure, item.manner.is_resp3, out),
            // Nothing is assembled before all is resolved.
            State::Waiting | State::Sent { .. } => write_failure(ForwardFailure::OutcomeUnknown, false, out),
        }
    }

    /// The reply of an item, or the failure that it gets instead.
    pub(crate) fn reply(&self, index: usize) -> Result<&[u8], ForwardFailure> {
        match self.items.get(index).map(|item| item.state) {
            Some(State::Done { from, len }) => Ok(self.replies.get(from..from + len).unwrap_or_default()),
            Some(State::Failed(failure)) => Err(failure),
            _ => Err(ForwardFailure::OutcomeUnknown),
        }
    }
}
