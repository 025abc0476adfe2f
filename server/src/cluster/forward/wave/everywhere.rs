//! Commands that concern all nodes, while nodes die and slots get other owners.

use std::time::Instant;

use super::{Item, State, Target, Wave};
use crate::cluster::{forward::error::ForwardFailure, routing::PeerIndex};

impl Wave {
    /// Leaves out nodes that are dead: who owns their slots then has to be asked in their place.
    pub(crate) fn leave_out(&mut self, is_dead: impl Fn(PeerIndex) -> bool) {
        for item in &mut self.items {
            if let (State::Waiting, Target::Node(peer)) = (item.state, item.target)
                && is_dead(peer)
            {
                item.state = State::Failed(ForwardFailure::BetweenOwners);
                self.unresolved -= 1;
                self.has_left_out = true;
            }
        }
    }

    /// Whether all nodes are to be asked once more, since slots got other owners while they were asked. It is then a wave
    /// of one command, which goes to everybody in `owners`.
    pub(crate) fn ask_again(&mut self, now: Instant, owners: impl FnOnce() -> Vec<PeerIndex>) -> bool {
        let [gather] = self.gathers.as_slice() else { return false };
        let is_late = self.deadline.is_some_and(|deadline| deadline <= now);
        if is_late || !self.has_left_out && !gather.has_gaps(self, 0) {
            return false;
        }
        self.has_left_out = false;
        self.items.retain(|item| !matches!((item.state, item.target), (State::Failed(_), Target::Node(_))));
        for owner in owners() {
            let is_known = self.items.iter().any(|item| item.target == Target::Node(owner));
            if let Some(item) = self.items.first().filter(|_| !is_known).cloned() {
                self.items.push(Item { target: Target::Node(owner), ..item });
            }
        }
        for item in &mut self.items {
            (item.state, item.number, item.may_have_run) = (State::Waiting, 0, false);
        }
        self.replies.clear();
        self.unresolved = self.items.len();
        self.gathers[0].parts = self.items.len();
        true
    }
}
