//! What clients saw, and whether it can have been.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use rondache_linearizable::{Action, Operation, Violation, check};
use rondache_protocol::resp::value::Value;

use super::{
    super::{
        node::Now,
        seeds::shows_steps,
        world::{Asks, Options},
    },
    ask::{Ask, Call, Subject, draw_slot, replies_of},
};

/// Between the values that clients write: as often a key may be incremented.
const VALUE_STEP: i64 = 1000;

/// A key of this slot was set with that value, to live so long.
#[derive(Clone, Copy, Debug)]
pub(in crate::cluster::simulation) struct Timed {
    pub(in crate::cluster::simulation) slot: u16,
    pub(in crate::cluster::simulation) value: i64,
    pub(in crate::cluster::simulation) ttl_ms: u64,
    pub(in crate::cluster::simulation) called_ms: u64,
}

/// An error that a client was answered.
#[derive(Debug)]
pub(in crate::cluster::simulation) struct SeenError {
    /// The host that it was connected to.
    pub(in crate::cluster::simulation) host: usize,
    pub(in crate::cluster::simulation) called_ms: u64,
    pub(in crate::cluster::simulation) reply: String,
}

/// What a client was told by a host that is cut off.
#[derive(Clone, Debug)]
pub(in crate::cluster::simulation) struct Told {
    pub(in crate::cluster::simulation) host: usize,
    pub(in crate::cluster::simulation) ask: Ask,
    pub(in crate::cluster::simulation) called_ms: u64,
    pub(in crate::cluster::simulation) told_ms: u64,
    /// Or an error's text.
    pub(in crate::cluster::simulation) outcome: Result<Vec<(Subject, Action)>, String>,
}

/// What clients saw.
#[derive(Debug, Default)]
pub(in crate::cluster::simulation) struct History {
    values: i64,
    calls: usize,
    operations: BTreeMap<Subject, Vec<Operation>>,
    /// Commands that gave keys deadlines and were answered since somebody looked.
    pub(in crate::cluster::simulation) timed: Vec<Timed>,
    /// Errors that clients were answered.
    pub(in crate::cluster::simulation) errors: Vec<SeenError>,
    /// When clients had the replies of their calls, or gave them up.
    ended: BTreeMap<usize, Duration>,
    /// When slots were taken over. Rising.
    takeovers: BTreeMap<u16, Vec<Duration>>,
    pub(in crate::cluster::simulation) answered: u64,
    /// Hosts without a majority: what they let read may be as of long ago, and is judged apart.
    pub(in crate::cluster::simulation) cut_off: BTreeSet<usize>,
    /// What clients of those were told.
    pub(in crate::cluster::simulation) told: Vec<Told>,
}

impl History {
    /// What a client asks next.
    pub(super) fn draw(&mut self, random: &mut fastrand::Rng, options: &Options, host: usize, now: Now) -> Call {
        self.calls += 1;
        let mut value = || {
            self.values += VALUE_STEP;
            self.values
        };
        let asks = match options.asks {
            Asks::Several if random.u8(..3) > 0 => Ask::draw_several(random, options.slots, value),
            Asks::Several | Asks::One => {
                let slot = draw_slot(random, options.slots);
                vec![Ask::draw(random, slot, value())]
            }
        };
        Call { client: self.calls, asks, host, called_ms: now.ms }
    }

    /// A client has the replies of a call.
    pub(super) fn note_answer(&mut self, call: &Call, replies: &[u8], now: Now) {
        self.note_end(call, now);
        let replies = replies_of(replies);
        let mut rest = replies.as_slice();
        for ask in &call.asks {
            let (its, others) = rest.split_at_checked(ask.replies()).expect("no reply is missing");
            let last = its.last().expect("every command has a reply");
            self.note_reply(call, ask, last, now);
            rest = others;
        }
        assert!(rest.is_empty(), "{:?} was answered {replies:?}", call.asks);
    }

    fn note_reply(&mut self, call: &Call, ask: &Ask, reply: &Value, now: Now) {
        let outcome = match reply.as_error() {
            Some(error) => Err(String::from_utf8_lossy(error).into_owned()),
            None => Ok(ask.done(reply)),
        };
        if self.cut_off.contains(&call.host) {
            let (called_ms, told_ms) = (call.called_ms, now.ms);
            self.told.push(Told { host: call.host, ask: ask.clone(), called_ms, told_ms, outcome: outcome.clone() });
        }
        match outcome {
            Ok(actions) => {
                self.answered += 1;
                if let Ask::SetFor(slot, value, ttl_ms) = *ask {
                    self.timed.push(Timed { slot, value, ttl_ms, called_ms: call.called_ms });
                }
                let is_stale = self.cut_off.contains(&call.host) && !ask.is_write();
                for (subject, action) in actions.into_iter().filter(|_| !is_stale) {
                    self.note(call, subject, action, Some(now));
                }
            }
            Err(error) => {
                if error.starts_with("UNKNOWN") {
                    self.note_unknown(call, ask);
                }
                let reply = format!("{ask:?}: {}", error.trim_end());
                if shows_steps() {
                    eprintln!("a client of host {}, from {} ms on, was answered {reply}", call.host, call.called_ms);
                }
                self.errors.push(SeenError { host: call.host, called_ms: call.called_ms, reply });
            }
        }
    }

    /// Nobody knows whether a call was executed, or will be.
    pub(super) fn note_lost(&mut self, call: &Call, now: Now) {
        self.note_end(call, now);
        call.asks.iter().for_each(|ask| self.note_unknown(call, ask));
    }

    fn note_end(&mut self, call: &Call, now: Now) {
        self.ended.insert(call.client, Duration::from_millis(now.ms));
    }

    fn note_unknown(&mut self, call: &Call, ask: &Ask) {
        for (subject, action) in ask.unknown() {
            self.note(call, subject, action, None);
        }
    }

    /// Somebody has taken a slot over.
    pub(in crate::cluster::simulation) fn note_takeover(&mut self, slot: u16, now: Now) {
        self.takeovers.entry(slot).or_default().push(Duration::from_millis(now.ms));
    }

    fn note(&mut self, call: &Call, subject: Subject, action: Action, returned: Option<Now>) {
        let (called, returned) =
            (Duration::from_millis(call.called_ms), returned.map(|now| Duration::from_millis(now.ms)));
        self.operations.entry(subject).or_default().push(Operation { client: call.client, action, called, returned });
    }

    /// Looks for keys of which somebody saw what cannot have been. A read does not wait for the copies of what it shows: it may
    /// show a write of which nobody was told by the time that its slot is taken over, and that is undone by that.
    /// Where copies answer reads, these may be behind by `stale_ms`.
    pub(in crate::cluster::simulation) fn violation(
        &self,
        stale_ms: u64,
    ) -> Option<(Subject, Violation, Vec<Operation>)> {
        self.operations.iter().find_map(|(subject, operations)| {
            let as_of_before = |operation: &Operation| match operation.action {
                Action::Read(_) => {
                    Operation { called: operation.called.saturating_sub(Duration::from_millis(stale_ms)), ..*operation }
                }
                _ => *operation,
            };
            let kept = operations.iter().filter(|operation| !self.may_be_undone(*subject, operation, operations));
            let history: Vec<Operation> = kept.map(as_of_before).collect();
            check(&history).err().map(|violation| (*subject, violation, history))
        })
    }

    /// Whether it is a read of what a write had made that nobody was told of yet when the slot was taken over.
    fn may_be_undone(&self, subject: Subject, read: &Operation, operations: &[Operation]) -> bool {
        let (Action::Read(found), Some(seen)) = (read.action, read.returned) else { return false };
        let has_made_it = |action: Action| match action {
            Action::Write(value) => found == Some(value),
            // A retry may have answered with another number than the first try.
            Action::Increment(_) | Action::IncrementUnseen => found.is_some(),
            Action::Delete(_) | Action::DeleteUnseen => found.is_none(),
            Action::Read(_) => false,
        };
        let takeovers = self.takeovers.get(&subject.slot()).map_or(&[][..], Vec::as_slice);
        let next_takeover = |since: Duration| takeovers.iter().copied().find(|at| *at >= since);
        // What ends in the very moment of a takeover may have ended before it or behind it. What nobody will be told of is undone by
        // the next one, or stays.
        let is_told_at = |write: &Operation| write.returned.or_else(|| next_takeover(self.ended[&write.client]));
        let made_it = operations.iter().filter(|write| write.called <= seen && has_made_it(write.action));
        next_takeover(seen).is_some_and(|at| made_it.filter_map(is_told_at).any(|told| told >= at))
    }
}
