//! The queue of one connection: requests on their way out, and who waits for which reply. No I/O, no clock.
//!
//! Replies come in the order of the requests, so a request needs no id on the wire: the front of `in_flight` owns the next
//! reply. What a caller waits on is a *slot*, which is used again once its request is done; nothing is allocated per
//! request. A caller that stops waiting gives its slot back at once, and its reply is dropped when it comes.

use std::{collections::VecDeque, task::Waker, time::Instant};

use rondache_protocol::resp::value::Value;

use crate::error::{BusyLimit, LinkError};

/// What became of a request.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// One command's reply.
    One(Value),
    /// Several commands' replies, in order.
    Many(Vec<Value>),
    /// It failed.
    Failed(Failure),
}

impl Outcome {
    /// Whether the node did what it was asked to: of several commands, the last.
    #[inline]
    pub(crate) fn is_ok(&self) -> bool {
        match self {
            Self::One(reply) => reply.as_error().is_none(),
            Self::Many(replies) => replies.last().is_some_and(|reply| reply.as_error().is_none()),
            Self::Failed(_) => false,
        }
    }
}

/// Why a request failed.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) kind: FailureKind,
    /// Whether a node may have executed it, at least in part.
    pub(crate) sent: bool,
    /// The replies that came before; of a request of several commands these were executed.
    pub(crate) replies: Vec<Value>,
}

impl Failure {
    /// Whether the request was sent, and nothing came back in its time.
    pub(crate) fn is_silence(&self) -> bool {
        self.sent && matches!(self.kind, FailureKind::Timeout)
    }
}

#[derive(Clone, Debug)]
pub(crate) enum FailureKind {
    Timeout,
    Link(LinkError),
}

/// Why a request was not taken.
#[derive(Clone, Debug)]
pub(crate) enum Refusal {
    Busy(BusyLimit),
    /// There is no connection: begin one, then try again.
    Idle,
    Down(LinkError),
    Closed,
}

/// The connection's state, as far as requests are concerned.
#[derive(Clone, Debug)]
pub(crate) enum Status {
    /// No connection, and nothing against beginning one.
    Idle,
    /// Being made; requests queue up already.
    Connecting,
    Up,
    /// The last attempt failed; the next is due at that time.
    Down {
        until: Instant,
        why: LinkError,
    },
    /// For good.
    Closed,
}

/// Limits of a queue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QueueLimits {
    pub(crate) in_flight: usize,
    pub(crate) bytes: usize,
}

/// A request on its way: what the next replies belong to.
#[derive(Debug)]
struct Pending {
    /// Who waits, or [`NOBODY`].
    slot: u32,
    replies_left: u32,
    /// From so many bytes written on (counted since the connection began) a node may have executed it.
    committed_at: u64,
    deadline: Instant,
}

const NOBODY: u32 = u32::MAX;

#[derive(Debug)]
enum Slot {
    Vacant,
    Waiting {
        /// The request's number, which tells its place in `in_flight`.
        number: u64,
        waker: Waker,
        /// The replies so far, if it asked for several.
        gathered: Option<Vec<Value>>,
    },
    Done(Outcome),
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) status: Status,
    limits: QueueLimits,
    /// Encoded requests that the driver hasn't taken yet.
    out: Vec<u8>,
    /// Bytes that the driver took and may not have written yet.
    taken_len: usize,
    /// Bytes that were ever put into `out` of this connection.
    enqueued_bytes: u64,
    in_flight: VecDeque<Pending>,
    /// The number of the front of `in_flight`.
    first_number: u64,
    slots: Vec<Slot>,
    vacant: Vec<u32>,
    /// No request in flight has an earlier deadline.
    earliest: Option<Instant>,
    /// The driver, and whether it was woken since it last looked here.
    driver: Option<Waker>,
    driver_awake: bool,
    /// Callers that wait for room.
    for_room: Vec<Waker>,
    /// Connection attempts that failed in a row.
    pub(crate) failures: u32,
}

impl Queue {
    pub(crate) fn new(limits: QueueLimits) -> Self {
        Self {
            status: Status::Idle,
            limits,
            out: Vec::new(),
            taken_len: 0,
            enqueued_bytes: 0,
            in_flight: VecDeque::new(),
            first_number: 0,
            slots: Vec::new(),
            vacant: Vec::new(),
            earliest: None,
            driver: None,
            driver_awake: false,
            for_room: Vec::new(),
            failures: 0,
        }
    }

    /// Takes a request of so many commands, written by `encode`, which answers after how many bytes a node may
    /// execute some of it. Answers the slot to wait on, and the driver if it has to be woken.
    #[inline]
    pub(crate) fn enqueue(
        &mut self,
        commands: u32,
        deadline: Instant,
        waker: &Waker,
        encode: impl FnOnce(&mut Vec<u8>) -> usize,
    ) -> Result<(u32, Option<Waker>), Refusal> {
        self.admit()?;
        let number = self.first_number + self.in_flight.len() as u64;
        let gathered = (commands != 1).then(|| Vec::with_capacity(commands.min(1024) as usize));
        let waiting = Slot::Waiting { number, waker: waker.clone(), gathered };
        let slot = self.place(waiting);
        self.append(slot, commands, deadline, encode);
        Ok((slot, self.wake_driver()))
    }

    /// Takes a request whose replies nobody waits for.
    pub(crate) fn enqueue_unattended(&mut self, deadline: Instant, bytes: &[u8]) {
        self.append(NOBODY, 1, deadline, |out| {
            out.extend_from_slice(bytes);
            bytes.len()
        });
    }

    fn append(&mut self, slot: u32, commands: u32, deadline: Instant, encode: impl FnOnce(&mut Vec<u8>) -> usize) {
        let before = self.out.len();
        let first_len = encode(&mut self.out);
        let committed_at = self.enqueued_bytes + first_len as u64;
        self.enqueued_bytes += (self.out.len() - before) as u64;
        self.in_flight.push_back(Pending { slot, replies_left: commands, committed_at, deadline });
        if self.earliest.is_none_or(|earliest| deadline < earliest) {
            self.earliest = Some(deadline);
        }
    }

    #[inline]
    fn admit(&self) -> Result<(), Refusal> {
        match &self.status {
            Status::Up | Status::Connecting => {}
            Status::Idle => return Err(Refusal::Idle),
            Status::Down { why, .. } => return Err(Refusal::Down(why.clone())),
            Status::Closed => return Err(Refusal::Closed),
        }
        if self.in_flight.len() >= self.limits.in_flight {
            return Err(Refusal::Busy(BusyLimit::InFlight(self.limits.in_flight)));
        }
        // A single command may be longer than the limit: it passes when it is alone.
        if self.out.len() + self.taken_len >= self.limits.bytes {
            return Err(Refusal::Busy(BusyLimit::QueuedBytes(self.limits.bytes)));
        }
        Ok(())
    }

    fn place(&mut self, slot: Slot) -> u32 {
        if let Some(index) = self.vacant.pop()
            && let Some(place) = self.slots.get_mut(index as usize)
        {
            *place = slot;
            return index;
        }
        self.slots.push(slot);
        // `in_flight_max` keeps the number of slots far below 2³².
        (self.slots.len() - 1) as u32
    }

    fn wake_driver(&mut self) -> Option<Waker> {
        if self.driver_awake {
            return None;
        }
        self.driver_awake = true;
        self.driver.clone()
    }

    /// What became of the request in a slot; if nothing yet, `waker` is told when it is.
    #[inline]
    pub(crate) fn poll_slot(&mut self, index: u32, waker: &Waker) -> Option<Outcome> {
        let slot = self.slots.get_mut(index as usize)?;
        match slot {
            Slot::Waiting { waker: known, .. } => {
                known.clone_from(waker);
                None
            }
            Slot::Vacant => None,
            Slot::Done(_) => {
                let Slot::Done(outcome) = std::mem::replace(slot, Slot::Vacant) else {
                    return None;
                };
                self.vacant.push(index);
                Some(outcome)
            }
        }
    }

    /// Nobody waits on the slot any more. Its replies will be dropped.
    pub(crate) fn abandon(&mut self, index: u32) {
        let Some(slot) = self.slots.get_mut(index as usize) else {
            return;
        };
        if let Slot::Waiting { number, .. } = slot {
            let place = usize::try_from(*number - self.first_number).unwrap_or(usize::MAX);
            if let Some(pending) = self.in_flight.get_mut(place) {
                pending.slot = NOBODY;
            }
        }
        *slot = Slot::Vacant;
        self.vacant.push(index);
    }

    /// Whom to tell once there is room again; `None` if there is.
    pub(crate) fn wait_for_room(&mut self, waker: &Waker) -> bool {
        if !matches!(self.admit(), Err(Refusal::Busy(_))) {
            return true;
        }
        if !self.for_room.iter().any(|known| known.will_wake(waker)) {
            self.for_room.push(waker.clone());
        }
        false
    }

    /// Hands out replies in order; those who waited for them are added to `wakers`.
    pub(crate) fn complete(
        &mut self,
        replies: impl Iterator<Item = Value>,
        wakers: &mut Vec<Waker>,
    ) -> Result<(), LinkError> {
        for value in replies {
            let pending = self.in_flight.front_mut().ok_or(LinkError::Unexpected)?;
            pending.replies_left = pending.replies_left.saturating_sub(1);
            let (index, is_last) = (pending.slot, pending.replies_left == 0);
            if is_last {
                self.in_flight.pop_front();
                self.first_number += 1;
            }
            if let Some(slot) = self.slots.get_mut(index as usize) {
                fill(slot, value, is_last, wakers);
            }
        }
        if self.in_flight.is_empty() {
            self.earliest = None;
        }
        wakers.append(&mut self.for_room);
        Ok(())
    }

    /// Lets requests fail whose deadline has passed. They keep their place in the order, and their replies are dropped.
    pub(crate) fn expire(&mut self, now: Instant, written: u64, wakers: &mut Vec<Waker>) {
        if self.earliest.is_none_or(|earliest| earliest > now) {
            return;
        }
        self.earliest = None;
        for pending in self.in_flight.iter_mut().filter(|pending| pending.slot != NOBODY) {
            if pending.deadline <= now {
                let slot = self.slots.get_mut(pending.slot as usize);
                pending.slot = NOBODY;
                if let Some(slot) = slot {
                    let failure = |replies| Failure {
                        kind: FailureKind::Timeout,
                        sent: written >= pending.committed_at,
                        replies,
                    };
                    fail(slot, failure, wakers);
                }
            } else if self.earliest.is_none_or(|earliest| pending.deadline < earliest) {
                self.earliest = Some(pending.deadline);
            }
        }
    }

    /// The connection is gone after so many written bytes: all requests fail, and the queue is as new.
    pub(crate) fn fail_all(&mut self, why: &LinkError, written: u64, wakers: &mut Vec<Waker>) {
        self.first_number += self.in_flight.len() as u64;
        for pending in self.in_flight.drain(..) {
            if let Some(slot) = self.slots.get_mut(pending.slot as usize) {
                let kind = FailureKind::Link(why.clone());
                fail(slot, |replies| Failure { kind, sent: written >= pending.committed_at, replies }, wakers);
            }
        }
        self.out = Vec::new();
        (self.taken_len, self.enqueued_bytes) = (0, 0);
        self.earliest = None;
        (self.driver, self.driver_awake) = (None, false);
        wakers.append(&mut self.for_room);
    }

    /// Exchanges what is to be sent for an empty buffer. The bytes taken before are written.
    pub(crate) fn take_out(&mut self, empty: &mut Vec<u8>) {
        std::mem::swap(&mut self.out, empty);
        self.taken_len = empty.len();
    }

    /// The bytes that were taken are written.
    pub(crate) fn taken_is_written(&mut self) {
        self.taken_len = 0;
    }

    /// Whether something is to be sent.
    pub(crate) fn has_output(&self) -> bool {
        !self.out.is_empty()
    }

    /// The driver goes to sleep: whoever brings work wakes it.
    pub(crate) fn driver_sleeps(&mut self, waker: &Waker) {
        self.driver_awake = false;
        match &mut self.driver {
            Some(known) => known.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
    }

    /// The connection, or its end, was asked for: wake the driver.
    pub(crate) fn rouse(&mut self) -> Option<Waker> {
        self.wake_driver()
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    pub(crate) fn earliest_deadline(&self) -> Option<Instant> {
        self.earliest
    }
}

/// Gives a slot its reply, if someone waits there.
#[inline]
fn fill(slot: &mut Slot, value: Value, is_last: bool, wakers: &mut Vec<Waker>) {
    let Slot::Waiting { gathered, .. } = slot else {
        return;
    };
    let outcome = match gathered {
        None => Outcome::One(value),
        Some(values) => {
            values.push(value);
            if !is_last {
                return;
            }
            Outcome::Many(std::mem::take(values))
        }
    };
    if let Slot::Waiting { waker, .. } = std::mem::replace(slot, Slot::Done(outcome)) {
        wakers.push(waker);
    }
}

fn fail(slot: &mut Slot, failure: impl FnOnce(Vec<Value>) -> Failure, wakers: &mut Vec<Waker>) {
    let Slot::Waiting { gathered, .. } = slot else {
        return;
    };
    let replies = gathered.take().unwrap_or_default();
    let done = Slot::Done(Outcome::Failed(failure(replies)));
    if let Slot::Waiting { waker, .. } = std::mem::replace(slot, done) {
        wakers.push(waker);
    }
}

#[cfg(test)]
mod tests;
