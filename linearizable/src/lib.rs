//! Whether what clients saw of one key can have happened in some order, one operation at a time, each between its call and
//! its return (Herlihy and Wing, 1990).
//!
//! Searched just in time (Lowe, "Testing for linearizability", 2017): only where an operation returns it must have taken
//! effect, so at any time the search keeps just the possible values, each with those open operations that have taken
//! effect already.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

/// What a client did, and was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// GET; nothing where there is no key.
    Read(Option<i64>),
    /// SET.
    Write(i64),
    /// INCR, and the number that it answered.
    Increment(i64),
    /// INCR whose answer nobody has seen.
    IncrementUnseen,
    /// DEL, and whether there was a key.
    Delete(bool),
    /// DEL whose answer nobody has seen, or one of several keys that were not told apart.
    DeleteUnseen,
}

impl Action {
    /// What the key holds afterwards, if this can be what happens to a key that holds `value`.
    fn apply(self, value: Option<i64>) -> Option<Option<i64>> {
        match self {
            Self::Read(found) => (found == value).then_some(value),
            Self::Write(written) => Some(Some(written)),
            Self::Increment(result) => (value.unwrap_or(0) + 1 == result).then_some(Some(result)),
            Self::IncrementUnseen => Some(Some(value.unwrap_or(0) + 1)),
            Self::Delete(existed) => (existed == value.is_some()).then_some(None),
            Self::DeleteUnseen => Some(None),
        }
    }
}

/// One operation on one key.
///
/// A client's operations take effect in the order in which it asked for them, also where it sent several at once (a
/// pipeline): of those that have the same call, that of the history. A read alone holds up nothing behind it: one that is
/// asked again, since its reply was lost, may see what was sent behind it.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// Who asked.
    pub client: usize,
    /// What it was.
    pub action: Action,
    /// When it was sent, since whatever moment all operations are counted from.
    pub called: Duration,
    /// When the reply was there. `None`: there was none, or one that said that nobody knows the outcome: then it may have
    /// taken effect at any time after its call, or not at all, and none of its client's later operations waits for it.
    pub returned: Option<Duration>,
}

/// Operations on one key that may be open at a time; one that has no reply stays open.
pub const OPEN_MAX: usize = u64::BITS as usize;

/// The first operation that cannot have happened, whatever the order of those that overlap.
#[derive(Clone, Copy, Debug)]
pub struct Violation(pub Operation);

/// A possible state: the key's value, and a bit per open operation that has taken effect.
type State = (u64, Option<i64>);

/// An operation that was called and has not returned.
struct Open<'h> {
    operation: &'h Operation,
    /// Its own among those that are open.
    bit: u64,
    /// The bits of its client's writes that come before it, and have not returned either.
    behind: u64,
}

/// Looks for an order. The key does not exist in the beginning.
///
/// # Errors
/// There is none.
///
/// # Panics
/// More than [`OPEN_MAX`] operations are open at a time.
pub fn check(history: &[Operation]) -> Result<(), Violation> {
    let mut events: Vec<(Duration, bool, usize, &Operation)> = Vec::new();
    for (index, operation) in history.iter().enumerate() {
        events.push((operation.called, false, index, operation));
        events.extend(operation.returned.map(|returned| (returned, true, index, operation)));
    }
    // What is called at the very moment at which another returns overlaps with it.
    events.sort_by_key(|(at, is_return, index, _)| (*at, *is_return, *index));
    let mut states: HashSet<State> = HashSet::from([(0, None)]);
    let mut open: BTreeMap<usize, Open<'_>> = BTreeMap::new();
    for (_, is_return, index, operation) in events {
        if !is_return {
            let opened = Open::new(operation, open.values());
            open.insert(index, opened);
            continue;
        }
        let Some(Open { bit, .. }) = open.get(&index) else { continue };
        let bit = *bit;
        states = let_take_effect(states, &open).into_iter().filter(|(done, _)| done & bit != 0).collect();
        states = states.into_iter().map(|(done, value)| (done & !bit, value)).collect();
        open.remove(&index);
        open.values_mut().for_each(|other| other.behind &= !bit);
        if states.is_empty() {
            return Err(Violation(*operation));
        }
    }
    Ok(())
}

impl<'h> Open<'h> {
    fn new<'o>(operation: &'h Operation, open: impl Iterator<Item = &'o Open<'h>>) -> Self
    where
        'h: 'o,
    {
        let (mut used, mut behind) = (0, 0);
        for other in open {
            used |= other.bit;
            let is_read = matches!(other.operation.action, Action::Read(_));
            if other.operation.client == operation.client && other.operation.returned.is_some() && !is_read {
                behind |= other.bit;
            }
        }
        assert!(used != u64::MAX, "more than {OPEN_MAX} operations of one key are open");
        Self { operation, bit: 1 << used.trailing_ones(), behind }
    }

    fn may_take_effect(&self, done: u64) -> bool {
        done & self.bit == 0 && done & self.behind == self.behind
    }
}

/// The state after all reads that see its value: none is better off later.
fn let_read((mut done, value): State, open: &BTreeMap<usize, Open<'_>>) -> State {
    let sees = |open: &Open<'_>| open.operation.action == Action::Read(value);
    while let Some(read) = open.values().find(|open| open.may_take_effect(done) && sees(open)) {
        done |= read.bit;
    }
    (done, value)
}

/// All that can have come of these states by open operations, in any order.
fn let_take_effect(states: HashSet<State>, open: &BTreeMap<usize, Open<'_>>) -> HashSet<State> {
    let mut reached: HashSet<State> = states.into_iter().map(|state| let_read(state, open)).collect();
    let mut unseen: Vec<State> = reached.iter().copied().collect();
    while let Some((done, value)) = unseen.pop() {
        for Open { operation, bit, .. } in open.values().filter(|open| open.may_take_effect(done)) {
            if let Some(value) = operation.action.apply(value) {
                let state = let_read((done | bit, value), open);
                if reached.insert(state) {
                    unseen.push(state);
                }
            }
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(client: usize, called_ms: u64, returned_ms: u64, action: Action) -> Operation {
        let (called, returned) = (Duration::from_millis(called_ms), Duration::from_millis(returned_ms));
        Operation { client, action, called, returned: Some(returned) }
    }

    fn unseen(client: usize, called_ms: u64, action: Action) -> Operation {
        Operation { client, action, called: Duration::from_millis(called_ms), returned: None }
    }

    #[test]
    fn operations_that_overlap_may_have_happened_in_either_order() {
        let history = [
            at(0, 0, 10, Action::Write(1)),
            at(1, 0, 10, Action::Write(2)),
            at(2, 11, 12, Action::Read(Some(1))),
            at(0, 13, 20, Action::Increment(2)),
            at(1, 14, 15, Action::Read(Some(1))),
            at(2, 16, 17, Action::Read(Some(2))),
        ];
        assert!(check(&history).is_ok());
    }

    #[test]
    fn a_read_that_goes_back_in_time_is_found() {
        let history = [
            at(0, 0, 1, Action::Write(1)),
            at(0, 2, 20, Action::Write(2)),
            at(1, 3, 4, Action::Read(Some(2))),
            at(1, 5, 6, Action::Read(Some(1))),
        ];
        assert!(matches!(check(&history), Err(Violation(Operation { action: Action::Read(Some(1)), .. }))));
    }

    #[test]
    fn an_acknowledged_write_that_is_gone_is_found() {
        assert!(check(&[at(0, 0, 1, Action::Write(1)), at(1, 2, 3, Action::Read(None))]).is_err());
        assert!(check(&[at(0, 0, 1, Action::Write(1)), at(1, 2, 3, Action::Delete(false))]).is_err());
    }

    #[test]
    fn an_increment_that_was_executed_twice_is_found() {
        assert!(check(&[at(0, 0, 1, Action::Increment(1)), at(1, 2, 3, Action::Increment(3))]).is_err());
    }

    #[test]
    fn a_write_may_take_effect_long_before_its_reply_is_there() {
        let history = [at(0, 0, 100, Action::Write(1)), at(1, 1, 2, Action::Read(Some(1)))];
        assert!(check(&history).is_ok());
    }

    #[test]
    fn a_write_without_a_reply_may_have_taken_effect_at_any_time_but_once() {
        let read = |called_ms, value| at(1, called_ms, called_ms + 1, Action::Read(value));
        for reads in [[None, None], [None, Some(1)], [Some(1), Some(1)]] {
            for action in [Action::Write(1), Action::IncrementUnseen] {
                assert!(check(&[unseen(0, 0, action), read(2, reads[0]), read(4, reads[1])]).is_ok());
            }
        }
        for action in [Action::Write(1), Action::IncrementUnseen] {
            assert!(check(&[unseen(0, 0, action), read(2, Some(1)), read(4, None)]).is_err());
        }
        assert!(check(&[unseen(0, 0, Action::IncrementUnseen), read(2, Some(2))]).is_err());
    }

    #[test]
    fn what_a_client_sent_at_once_takes_effect_in_its_order() {
        let pipeline = |seen| {
            [at(0, 0, 10, Action::Write(5)), at(0, 0, 10, Action::Increment(6)), at(0, 0, 10, Action::Read(seen))]
        };
        assert!(check(&pipeline(Some(6))).is_ok());
        assert!(check(&pipeline(Some(5))).is_err());
        let other = at(1, 3, 4, Action::Write(8));
        assert!(check(&[pipeline(Some(8)).as_slice(), &[other]].concat()).is_ok());
        let asked_again = [at(0, 0, 10, Action::Read(Some(5))), at(0, 0, 10, Action::Write(5))];
        assert!(check(&asked_again).is_ok());
    }

    #[test]
    fn what_has_no_reply_holds_up_nothing_that_its_client_sent_behind_it() {
        let history =
            [unseen(0, 0, Action::Write(5)), at(0, 0, 10, Action::Read(None)), at(1, 11, 12, Action::Read(Some(5)))];
        assert!(check(&history).is_ok());
    }

    #[test]
    fn a_deletion_that_nobody_saw_may_have_found_a_key_or_none() {
        for before in [None, Some(1)] {
            let write = before.map(|value| at(0, 0, 1, Action::Write(value)));
            let rest = [at(0, 2, 3, Action::DeleteUnseen), at(0, 4, 5, Action::Read(None))];
            let history: Vec<Operation> = write.into_iter().chain(rest).collect();
            assert!(check(&history).is_ok());
        }
    }
}
