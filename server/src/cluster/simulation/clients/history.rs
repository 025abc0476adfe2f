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

/// For how long a write may wait for its copies while nothing is wrong.
const UNCONFIRMED_MAX: Duration = Duration::from_millis(100);
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
    /// When nodes died or froze. Rising.
    pub(in crate::cluster::simulation) deaths_ms: Vec<u64>,
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
    pub(super) fn note_lost(&mut self, call: &Call) {
        call.asks.iter().for_each(|ask| self.note_unknown(call, ask));
    }

    fn note_unknown(&mut self, call: &Call, ask: &Ask) {
        for (subject, action) in ask.unknown() {
            self.note(call, subject, action, None);
        }
    }

    fn note(&mut self, call: &Call, subject: Subject, action: Action, returned: Option<Now>) {
        let (called, returned) =
            (Duration::from_millis(call.called_ms), returned.map(|now| Duration::from_millis(now.ms)));
        self.operations.entry(subject).or_default().push(Operation { client: call.client, action, called, returned });
    }

    /// Looks for keys of which somebody saw what cannot have been. A read does not wait for the copies of what it shows: right
    /// before a death, it may show a write that nobody was told of, and that dies with its owner.
    /// Where copies answer reads, these may be behind by `stale_ms`.
    pub(in crate::cluster::simulation) fn violation(
        &self,
        stale_ms: u64,
    ) -> Option<(Subject, Violation, Vec<Operation>)> {
        let is_kept = |operation: &Operation| {
            let is_read = matches!(operation.action, Action::Read(_));
            let is_before = |death_ms: &u64| {
                let death = Duration::from_millis(*death_ms);
                operation.returned.is_some_and(|returned| returned <= death && returned + UNCONFIRMED_MAX > death)
            };
            !(is_read && self.deaths_ms.iter().any(is_before))
        };
        self.operations.iter().find_map(|(subject, operations)| {
            let as_of_before = |operation: &Operation| match operation.action {
                Action::Read(_) => {
                    Operation { called: operation.called.saturating_sub(Duration::from_millis(stale_ms)), ..*operation }
                }
                _ => *operation,
            };
            let kept = operations.iter().filter(|operation| is_kept(operation));
            let history: Vec<Operation> = kept.map(as_of_before).collect();
            check(&history).err().map(|violation| (*subject, violation, history))
        })
    }
}
