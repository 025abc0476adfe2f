//! A wave: the requests of one client's batch that this node's store can't answer, and what has become of them.
//!
//! ```text
//! local replies   +OK   :1  ·        $1 a  ·  ·
//! items                     ▲ peer 2       ▲  ▲ peer 1 (two in one frame)
//! ```
//! The replies of what ran here stand in one buffer; each item knows at which place of it its own reply belongs. When
//! every item has one, [`Wave::assemble`] puts them together in the order of the requests.

mod assemble;
mod everywhere;
mod failing;
mod item;
#[cfg(test)]
mod tests;

use std::time::Instant;

pub(crate) use self::{
    failing::write_failure,
    item::{Item, Joining, NO_SLOT, State, Target},
};
use super::{gather::Gather, wait_for::WaitFor};
use crate::{
    cluster::{
        replication::withheld::Withheld,
        routing::{Route, Routing},
    },
    store::keyspace::Written,
};

/// The requests of one batch that wait for replies from elsewhere.
///
/// Bound: a batch's length, in requests; in bytes, the client's query buffer limit.
#[derive(Debug)]
pub(crate) struct Wave {
    /// The requests as they came.
    pub(crate) requests: Vec<u8>,
    pub(crate) items: Vec<Item>,
    /// Replies of what ran here before and between.
    pub(crate) local: Vec<u8>,
    /// The items' replies.
    pub(crate) replies: Vec<u8>,
    pub(crate) gathers: Vec<Gather>,
    /// What was written here: copies must confirm it before any reply is sent. Where `nth` is set it names an item.
    pub(crate) withheld: Vec<Withheld>,
    /// Where slots stand with what the items wrote.
    pub(crate) written: Vec<Written>,
    /// WAIT: what it asked for.
    pub(crate) wait: Option<WaitFor>,
    /// Frames that were sent and not answered.
    pub(crate) open: usize,
    /// Frames sent so far.
    pub(crate) frames: u16,
    /// Items that are neither done nor failed.
    pub(crate) unresolved: usize,
    /// When the requests came.
    pub(crate) began: Instant,
    /// Until when they are tried; `None`: for as long as they take (blocking commands).
    pub(crate) deadline: Option<Instant>,
    /// When what was refused is tried again, unless routes change before.
    pub(crate) retry_at: Option<Instant>,
    pub(crate) waker: Option<std::task::Waker>,
    /// Items that the last dispatch left to this node's own store.
    pub(crate) here: Vec<usize>,
    /// The count of the routes' changes at the last dispatch.
    pub(crate) seen_changes: u64,
    /// Whether its bytes count among those that wait for owners.
    pub(crate) is_parked: bool,
    /// Whether a node was left out that was to be asked.
    pub(crate) has_left_out: bool,
    /// How often items were refused or lost: the pause before the next try follows from it.
    pub(crate) tries: u32,
    /// Whether its deadline was put off for what waited behind writes that were given up.
    pub(crate) is_extended: bool,
    /// Whether it is a transaction whose watched keys the session keeps an eye on until it has run.
    pub(crate) keeps_watch: bool,
}

impl Default for Wave {
    fn default() -> Self {
        Self {
            requests: Vec::new(),
            items: Vec::new(),
            local: Vec::new(),
            replies: Vec::new(),
            gathers: Vec::new(),
            withheld: Vec::new(),
            written: Vec::new(),
            wait: None,
            open: 0,
            frames: 0,
            unresolved: 0,
            began: Instant::now(),
            deadline: None,
            retry_at: None,
            waker: None,
            here: Vec::new(),
            seen_changes: 0,
            is_parked: false,
            has_left_out: false,
            tries: 0,
            is_extended: false,
            keeps_watch: false,
        }
    }
}

/// Buffers that grew beyond this are given back when their wave has ended.
const BUFFER_KEPT_MAX: usize = 256 * 1024;

impl Wave {
    /// Whether there is anything to wait for.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Adds a request; `write` appends its bytes.
    pub(crate) fn push(&mut self, joining: Joining, gather: Option<u16>, write: impl FnOnce(&mut Vec<u8>)) {
        let from = self.requests.len();
        write(&mut self.requests);
        let Joining { slot, target, manner, is_write, is_blocking, is_silent, lacks_copies, at } = joining;
        self.unresolved += 1;
        self.items.push(Item {
            request: from..self.requests.len(),
            slot,
            target,
            manner,
            number: 0,
            state: State::Waiting,
            seen: None,
            may_have_run: false,
            is_write,
            is_blocking,
            is_silent,
            lacks_copies,
            gather,
            at,
        });
    }

    /// Sets what became of an item; one that is resolved already stays as it is.
    pub(crate) fn resolve(&mut self, index: usize, state: State) {
        let Some(item) = self.items.get_mut(index) else { return };
        if matches!(item.state, State::Waiting | State::Sent { .. }) {
            item.state = state;
            if matches!(state, State::Done { .. } | State::Failed(_)) {
                self.unresolved -= 1;
            }
        }
    }

    /// Takes back the items of a frame that was lost: `was_sent` says whether its peer may have executed them.
    pub(crate) fn lose(&mut self, frame: u16, was_sent: bool) {
        for item in &mut self.items {
            if matches!(item.state, State::Sent { frame: of, .. } if of == frame) {
                item.state = State::Waiting;
                item.may_have_run |= was_sent && item.is_write;
            }
        }
        self.open = self.open.saturating_sub(1);
    }

    /// Whether something is to be sent, or run here.
    pub(crate) fn has_waiting(&self) -> bool {
        self.unresolved > 0 && self.items.iter().any(|item| item.state == State::Waiting)
    }

    /// Whether something may be sent, or run here, though the pause before the next try is not over: its slot has another
    /// route than when it was last tried.
    pub(crate) fn has_new_route(&self, routing: &Routing) -> bool {
        let is_new = |item: &Item| {
            let route = routing.route(item.slot);
            item.seen != Some(route) && route != Route::Parked
        };
        self.seen_changes != routing.changes()
            && self
                .items
                .iter()
                .any(|item| item.state == State::Waiting && item.target == Target::Owner && is_new(item))
    }

    /// Whether it is a command that may wait at its owner.
    pub(crate) fn is_blocking(&self) -> bool {
        self.items.iter().any(|item| item.is_blocking)
    }

    /// A read that no copy can answer goes to the owner of its slot.
    pub(crate) fn send_to_owner(&mut self, index: usize) {
        if let Some(item) = self.items.get_mut(index)
            && matches!(item.target, Target::Copy(_))
        {
            (item.target, item.manner.reads_copy) = (Target::Owner, false);
        }
    }

    /// The slot's owner lets an item wait for copies, or does so no more.
    pub(crate) fn note_lacking(&mut self, index: usize, lacks_copies: bool) {
        if let Some(item) = self.items.get_mut(index) {
            item.lacks_copies = lacks_copies;
        }
    }

    /// Wakes the connection that waits.
    pub(crate) fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Empties the wave for the next batch.
    pub(crate) fn reset(&mut self) {
        for buffer in [&mut self.requests, &mut self.local, &mut self.replies] {
            buffer.clear();
            buffer.shrink_to(BUFFER_KEPT_MAX);
        }
        self.items.clear();
        self.items.shrink_to(1024);
        self.gathers.clear();
        self.withheld.clear();
        self.written.clear();
        self.wait = None;
        self.here.clear();
        (self.open, self.frames, self.unresolved, self.tries) = (0, 0, 0, 0);
        (self.is_parked, self.has_left_out) = (false, false);
        (self.is_extended, self.keeps_watch) = (false, false);
        (self.deadline, self.retry_at, self.waker) = (None, None, None);
    }
}
