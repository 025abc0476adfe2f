//! Whether what clients saw of one key can have happened in some order, one operation at a time, each between its call and
//! its return (Herlihy and Wing, 1990).
//!
//! Searched just in time (Lowe, "Testing for linearizability", 2017): only where an operation returns it must have taken
//! effect, so at any time the search keeps just the possible values, each with those open operations that have taken
//! effect already.

use std::{collections::HashSet, time::Duration};

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
        }
    }
}

/// One operation on one key. A client has one at a time.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// Who asked; below [`CLIENTS_MAX`].
    pub client: usize,
    /// What it was.
    pub action: Action,
    /// When it was sent, since whatever moment all operations are counted from.
    pub called: Duration,
    /// When the reply was there. `None`: there was none, or one that said that nobody knows the outcome: then it may have
    /// taken effect at any time after its call, or not at all, and its client has no later operation.
    pub returned: Option<Duration>,
}

/// Clients that may use one key.
pub const CLIENTS_MAX: usize = u64::BITS as usize;

/// The first operation that cannot have happened, whatever the order of those that overlap.
#[derive(Clone, Copy, Debug)]
pub struct Violation(pub Operation);

/// A possible state: the key's value, and a bit per client whose open operation has taken effect.
type State = (u64, Option<i64>);

/// Looks for an order. The key does not exist in the beginning.
///
/// # Errors
/// There is none.
pub fn check(history: &[Operation]) -> Result<(), Violation> {
    let mut events: Vec<(Duration, bool, &Operation)> = Vec::new();
    for operation in history {
        events.push((operation.called, false, operation));
        events.extend(operation.returned.map(|returned| (returned, true, operation)));
    }
    // What is called at the very moment at which another returns overlaps with it.
    events.sort_by_key(|(at, is_return, _)| (*at, *is_return));
    let mut states: HashSet<State> = HashSet::from([(0, None)]);
    let mut open: Vec<&Operation> = Vec::new();
    for (_, is_return, operation) in events {
        if !is_return {
            open.push(operation);
            continue;
        }
        let bit = 1 << operation.client;
        states = let_take_effect(states, &open).into_iter().filter(|(done, _)| done & bit != 0).collect();
        states = states.into_iter().map(|(done, value)| (done & !bit, value)).collect();
        open.retain(|other| other.client != operation.client);
        if states.is_empty() {
            return Err(Violation(*operation));
        }
    }
    Ok(())
}

/// All that can have come of these states by open operations, in any order.
fn let_take_effect(states: HashSet<State>, open: &[&Operation]) -> HashSet<State> {
    let mut unseen: Vec<State> = states.iter().copied().collect();
    let mut reached = states;
    while let Some((done, value)) = unseen.pop() {
        for operation in open.iter().filter(|operation| done & (1 << operation.client) == 0) {
            if let Some(value) = operation.action.apply(value) {
                let state = (done | 1 << operation.client, value);
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
}
