//! A wave: the requests of one client's batch that this node's store can't answer, and what has become of them.
//!
//! ```text
//! local replies   +OK   :1  ·        $1 a  ·  ·
//! items                     ▲ peer 2       ▲  ▲ peer 1 (two in one frame)
//! ```
//! The replies of what ran here stand in one buffer; each item knows at which place of it its own reply belongs. When
//! every item has one, [`Wave::assemble`] puts them together in the order of the requests.

use std::{ops::Range, time::Instant};

use rondache_protocol::{
    bus::forward::Manner,
    resp::writer::{ReplyWriter, RespVersion},
};

use super::{error::ForwardFailure, gather::Gather, wait_for::WaitFor};
use crate::{
    cluster::{
        replication::withheld::Withheld,
        routing::{PeerIndex, Route, Routing},
    },
    store::keyspace::Written,
};

/// The slot of an item that goes to a node rather than to a slot's owner.
pub(crate) const NO_SLOT: u16 = u16::MAX;

/// Where an item goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// To the owner of its slot, whoever that is by then.
    Owner,
    /// To this peer, which has a copy of its slot; where that can't answer, to the owner.
    Copy(PeerIndex),
    /// To this node, as part of a command that concerns all nodes.
    Here,
    /// To one peer, likewise.
    Node(PeerIndex),
}

/// How far an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// To be sent, or run here, as soon as its slot has an owner.
    Waiting,
    /// Under way, in the wave's frame of that number.
    Sent {
        /// To whom.
        peer: PeerIndex,
        /// Counts the wave's frames.
        frame: u16,
    },
    /// Its reply stands in [`Wave::replies`].
    Done {
        /// Where it begins.
        from: usize,
        /// How long it is.
        len: usize,
    },
    /// It gets an error.
    Failed(ForwardFailure),
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// The request's bytes in [`Wave::requests`].
    pub(crate) request: Range<usize>,
    pub(crate) slot: u16,
    pub(crate) target: Target,
    pub(crate) manner: Manner,
    /// Names the request among this worker's; given when it is sent or run for the first time.
    pub(crate) number: u64,
    pub(crate) state: State,
    /// The slot's route when it was last looked at: while it stays, trying again sooner than planned is of no use.
    pub(crate) seen: Option<Route>,
    /// Whether a node that did not answer may have executed it.
    pub(crate) may_have_run: bool,
    /// Whether executing it changes anything.
    pub(crate) is_write: bool,
    /// Whether it may wait at its owner for longer than any deadline.
    pub(crate) is_blocking: bool,
    /// Whether the client wants no reply.
    pub(crate) is_silent: bool,
    /// Whether the slot's owner lets it wait for copies.
    pub(crate) lacks_copies: bool,
    /// Which of the wave's gathers it is a part of.
    pub(crate) gather: Option<u16>,
    /// Where in [`Wave::local`] its reply belongs.
    pub(crate) at: usize,
}

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

/// What is known of a request when it joins a wave.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Joining {
    pub(crate) slot: u16,
    pub(crate) target: Target,
    pub(crate) manner: Manner,
    pub(crate) is_write: bool,
    pub(crate) is_blocking: bool,
    pub(crate) is_silent: bool,
    pub(crate) lacks_copies: bool,
    /// Where among the local replies its own belongs.
    pub(crate) at: usize,
}

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
            match item.may_have_run {
                _ if !item.is_write => is_freed = true,
                true => self.resolve(index, State::Failed(ForwardFailure::OutcomeUnknown)),
                false => self.resolve(index, State::Failed(ForwardFailure::TooFewCopies)),
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
        for index in 0..self.items.len() {
            let item = &self.items[index];
            if item.state == State::Waiting {
                let failure = if item.may_have_run { ForwardFailure::OutcomeUnknown } else { why };
                self.resolve(index, State::Failed(failure));
            }
        }
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

    /// Wakes the connection that waits.
    pub(crate) fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

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

/// Writes a failure as a reply.
pub(crate) fn write_failure(failure: ForwardFailure, is_resp3: bool, out: &mut Vec<u8>) {
    let version = if is_resp3 { RespVersion::V3 } else { RespVersion::V2 };
    ReplyWriter::new(out, version).error(failure.to_string());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joining(at: usize) -> Joining {
        Joining {
            slot: 1,
            target: Target::Owner,
            manner: Manner::default(),
            is_write: true,
            is_blocking: false,
            is_silent: false,
            lacks_copies: false,
            at,
        }
    }

    fn done(wave: &mut Wave, index: usize, reply: &[u8]) {
        let from = wave.replies.len();
        wave.replies.extend_from_slice(reply);
        wave.resolve(index, State::Done { from, len: reply.len() });
    }

    #[test]
    fn a_flush_that_missed_a_slot_is_asked_of_every_owner_again() {
        let mut wave = Wave::default();
        let here = Joining { target: Target::Here, ..joining(0) };
        wave.push(here, Some(0), |requests| requests.extend_from_slice(b"FLUSHALL"));
        wave.push(Joining { target: Target::Node(PeerIndex(0)), ..here }, Some(0), |_| {});
        wave.gathers.push(Gather {
            combine: crate::cluster::forward::gather::Combine::Flushed,
            parts: 2,
            places: Vec::new(),
            is_resp3: false,
        });
        let slots = |byte: u8| [b"$2048\r\n", [byte; 2048].as_slice(), b"\r\n"].concat();
        done(&mut wave, 0, &slots(0x0f));
        done(&mut wave, 1, &slots(0x70));
        let now = Instant::now();
        assert!(wave.ask_again(now, || vec![PeerIndex(0), PeerIndex(1)]));
        assert_eq!((wave.items.len(), wave.unresolved), (3, 3));
        done(&mut wave, 0, &slots(0x0f));
        done(&mut wave, 1, &slots(0x70));
        done(&mut wave, 2, &slots(0x80));
        assert!(!wave.ask_again(now, || vec![PeerIndex(0)]));
        let mut out = Vec::new();
        wave.assemble(&mut out);
        assert_eq!(out, b"+OK\r\n");
    }

    #[test]
    fn whoever_takes_over_from_a_dead_node_is_asked_in_its_place() {
        let mut wave = Wave::default();
        let here = Joining { target: Target::Here, ..joining(0) };
        wave.push(here, Some(0), |requests| requests.extend_from_slice(b"DBSIZE"));
        wave.push(Joining { target: Target::Node(PeerIndex(0)), ..here }, Some(0), |_| {});
        let combine = crate::cluster::forward::gather::Combine::Sum;
        wave.gathers.push(Gather { combine, parts: 2, places: Vec::new(), is_resp3: false });
        done(&mut wave, 0, b":7\r\n");
        wave.leave_out(|peer| peer == PeerIndex(0));
        assert_eq!(wave.unresolved, 0);
        let now = Instant::now();
        assert!(wave.ask_again(now, || vec![PeerIndex(1)]));
        assert_eq!(wave.items.last().map(|item| item.target), Some(Target::Node(PeerIndex(1))));
        done(&mut wave, 0, b":8\r\n");
        done(&mut wave, 1, b":2\r\n");
        assert!(!wave.ask_again(now, || panic!("nobody is asked again")));
        let mut out = Vec::new();
        wave.assemble(&mut out);
        assert_eq!(out, b":10\r\n");
    }

    #[test]
    fn writes_that_waited_for_copies_in_vain_are_refused_and_reads_behind_them_are_not() {
        let mut wave = Wave::default();
        let read = Joining { is_write: false, ..joining(0) };
        wave.push(Joining { lacks_copies: true, ..joining(0) }, None, |_| {});
        wave.push(joining(0), None, |_| {});
        wave.push(read, None, |_| {});
        wave.push(Joining { slot: 2, ..read }, None, |_| {});
        assert!(wave.give_up_copies());
        let refused = Err(ForwardFailure::TooFewCopies);
        assert_eq!((wave.reply(0), wave.reply(1), wave.unresolved), (refused, refused, 2));
        assert!(!wave.give_up_copies());
    }

    #[test]
    fn replies_stand_in_the_order_of_the_requests_whenever_they_came() {
        let mut wave = Wave::default();
        wave.local.extend_from_slice(b"aabb");
        wave.push(joining(2), None, |_| {});
        wave.push(joining(2), None, |_| {});
        wave.push(joining(4), None, |_| {});
        done(&mut wave, 2, b"3");
        done(&mut wave, 0, b"1");
        done(&mut wave, 1, b"2");
        let mut out = Vec::new();
        wave.assemble(&mut out);
        assert_eq!((out.as_slice(), wave.unresolved, wave.is_straight()), (&b"aa12bb3"[..], 0, false));
    }

    #[test]
    fn replies_that_came_in_order_need_no_assembling() {
        let mut wave = Wave::default();
        wave.push(joining(0), None, |_| {});
        wave.push(joining(0), None, |_| {});
        done(&mut wave, 0, b"1");
        done(&mut wave, 1, b"22");
        assert!(wave.is_straight());
    }

    #[test]
    fn a_write_that_was_sent_and_lost_has_an_unknown_outcome_and_one_that_was_not_has_none() {
        let mut wave = Wave::default();
        wave.push(joining(0), None, |_| {});
        wave.push(joining(0), None, |_| {});
        for (index, was_sent) in [(0_u16, true), (1, false)] {
            wave.open += 1;
            wave.items[usize::from(index)].state = State::Sent { peer: PeerIndex(0), frame: index };
            wave.lose(index, was_sent);
        }
        wave.give_up(|_| ForwardFailure::BetweenOwners);
        let failures: Vec<_> = (0..2).map(|index| wave.reply(index)).collect();
        assert_eq!(failures, [Err(ForwardFailure::OutcomeUnknown), Err(ForwardFailure::BetweenOwners)]);
    }
}
