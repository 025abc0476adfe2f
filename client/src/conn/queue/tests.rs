use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Wake, Waker},
    time::{Duration, Instant},
};

use proptest::prelude::*;
use rondache_protocol::resp::value::Value;

use super::{Failure, FailureKind, Outcome, Queue, QueueLimits, Refusal, Status};
use crate::error::{BusyLimit, LinkError};

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn queue() -> Queue {
    let mut queue = Queue::new(QueueLimits { in_flight: 100, bytes: 1000 });
    queue.status = Status::Up;
    queue
}

fn enqueue(queue: &mut Queue, commands: u32, deadline: Instant) -> u32 {
    let text = |out: &mut Vec<u8>| {
        out.extend_from_slice(&vec![b'x'; 10 * commands as usize]);
        10
    };
    queue.enqueue(commands, deadline, Waker::noop(), text).expect("there is room").0
}

fn complete(queue: &mut Queue, numbers: impl IntoIterator<Item = i64>) -> usize {
    let mut wakers = Vec::new();
    queue.complete(numbers.into_iter().map(Value::Integer), &mut wakers).expect("as many requests");
    wakers.len()
}

fn one(queue: &mut Queue, slot: u32) -> Option<i64> {
    match queue.poll_slot(slot, Waker::noop())? {
        Outcome::One(Value::Integer(number)) => Some(number),
        other => panic!("{other:?}"),
    }
}

fn later(now: Instant, ms: u64) -> Instant {
    now + Duration::from_millis(ms)
}

#[test]
fn replies_go_to_requests_in_order() {
    let (mut queue, now) = (queue(), Instant::now());
    let (a, b) = (enqueue(&mut queue, 1, now), enqueue(&mut queue, 1, now));
    assert_eq!(complete(&mut queue, [1]), 1);
    assert_eq!(one(&mut queue, b), None);
    assert_eq!(one(&mut queue, a), Some(1));
    complete(&mut queue, [2]);
    assert_eq!(one(&mut queue, b), Some(2));
}

#[test]
fn an_abandoned_request_keeps_its_place_in_the_order() {
    let (mut queue, now) = (queue(), Instant::now());
    let (a, b) = (enqueue(&mut queue, 1, now), enqueue(&mut queue, 1, now));
    queue.abandon(a);
    // Its slot is used again before its reply has come.
    let c = enqueue(&mut queue, 1, now);
    assert_eq!(c, a);
    complete(&mut queue, [1, 2, 3]);
    assert_eq!(one(&mut queue, b), Some(2));
    assert_eq!(one(&mut queue, c), Some(3));
}

#[test]
fn several_commands_are_one_request_with_one_wake_up() {
    let (mut queue, now) = (queue(), Instant::now());
    let slot = enqueue(&mut queue, 3, now);
    assert_eq!(complete(&mut queue, [1, 2]), 0);
    assert_eq!(complete(&mut queue, [3]), 1);
    let Some(Outcome::Many(values)) = queue.poll_slot(slot, Waker::noop()) else {
        panic!("three replies");
    };
    assert_eq!(values, [Value::Integer(1), Value::Integer(2), Value::Integer(3)]);
}

#[test]
fn the_driver_is_woken_once_for_many_requests() {
    let (mut queue, now) = (queue(), Instant::now());
    queue.driver_sleeps(&Waker::from(Arc::<Count>::default()));
    let nothing = |_: &mut Vec<u8>| 0;
    assert!(queue.enqueue(1, now, Waker::noop(), nothing).expect("room").1.is_some());
    assert!(queue.enqueue(1, now, Waker::noop(), nothing).expect("room").1.is_none());
}

#[test]
fn a_request_that_timed_out_does_not_shift_the_replies() {
    let (mut queue, now) = (queue(), Instant::now());
    let (a, b) = (enqueue(&mut queue, 1, later(now, 10)), enqueue(&mut queue, 1, later(now, 50)));
    assert_eq!(queue.earliest_deadline(), Some(later(now, 10)));
    let mut wakers = Vec::new();
    queue.expire(later(now, 20), 10, &mut wakers);
    assert_eq!(wakers.len(), 1);
    assert_eq!(queue.earliest_deadline(), Some(later(now, 50)));
    let failed = queue.poll_slot(a, Waker::noop());
    assert!(
        matches!(failed, Some(Outcome::Failed(Failure { kind: FailureKind::Timeout, sent: true, .. }))),
        "{failed:?}"
    );
    complete(&mut queue, [1, 2]);
    assert_eq!(one(&mut queue, b), Some(2));
}

#[test]
fn a_request_that_was_not_wholly_written_was_not_executed() {
    let (mut queue, now) = (queue(), Instant::now());
    let slots = [1, 1, 2].map(|commands| enqueue(&mut queue, commands, now));
    let mut wakers = Vec::new();
    // Ten bytes a command: the first is written, the second in part.
    queue.fail_all(&LinkError::ClosedByPeer, 19, &mut wakers);
    assert_eq!(wakers.len(), 3);
    let sent: Vec<bool> = slots
        .into_iter()
        .map(|slot| match queue.poll_slot(slot, Waker::noop()) {
            Some(Outcome::Failed(failure)) => failure.sent,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(sent, [true, false, false]);
}

#[test]
fn replies_that_came_before_a_loss_are_kept() {
    let (mut queue, now) = (queue(), Instant::now());
    let slot = enqueue(&mut queue, 2, now);
    complete(&mut queue, [1]);
    queue.fail_all(&LinkError::ClosedByPeer, 20, &mut Vec::new());
    let Some(Outcome::Failed(failure)) = queue.poll_slot(slot, Waker::noop()) else {
        panic!("a failure");
    };
    assert_eq!(failure.replies, [Value::Integer(1)]);
}

#[test]
fn a_full_queue_refuses_and_tells_when_there_is_room() {
    let (mut queue, now) = (queue(), Instant::now());
    for _ in 0..100 {
        enqueue(&mut queue, 1, now);
    }
    queue.take_out(&mut Vec::new());
    queue.taken_is_written();
    let refused = queue.enqueue(1, now, Waker::noop(), |_| 0);
    assert!(matches!(refused, Err(Refusal::Busy(BusyLimit::InFlight(100)))), "{refused:?}");
    assert!(!queue.wait_for_room(Waker::noop()));
    assert_eq!(complete(&mut queue, [1]), 2);
    assert!(queue.wait_for_room(Waker::noop()));
}

#[test]
fn bytes_count_until_they_are_written() {
    let mut queue = queue();
    let now = Instant::now();
    let long = |out: &mut Vec<u8>| {
        out.extend_from_slice(&[0; 2000]);
        2000
    };
    assert!(queue.enqueue(1, now, Waker::noop(), long).is_ok(), "alone, a long command passes");
    let mut taken = Vec::new();
    queue.take_out(&mut taken);
    let refused = queue.enqueue(1, now, Waker::noop(), long);
    assert!(matches!(refused, Err(Refusal::Busy(BusyLimit::QueuedBytes(1000)))), "{refused:?}");
    queue.taken_is_written();
    assert!(queue.enqueue(1, now, Waker::noop(), long).is_ok());
}

#[test]
fn a_reply_without_a_request_is_an_error() {
    let done = queue().complete([Value::Null].into_iter(), &mut Vec::new());
    assert!(matches!(done, Err(LinkError::Unexpected)));
}

proptest! {
    /// Whatever is abandoned and times out meanwhile, every caller gets the reply to its own request.
    #[test]
    fn every_caller_gets_its_own_reply(steps in proptest::collection::vec((0u8..5, 0usize..8), 1..200)) {
        let (mut queue, start) = (Queue::new(QueueLimits { in_flight: 100, bytes: 10_000 }), Instant::now());
        queue.status = Status::Up;
        let (mut next, mut answered, mut clock) = (0i64, 0i64, 0u64);
        let mut waiting: Vec<(u32, i64)> = Vec::new();
        for (step, choice) in steps {
            // Written at once: this is not about the limit of bytes.
            queue.take_out(&mut Vec::new());
            queue.taken_is_written();
            match step {
                0 | 1 if waiting.len() < 50 && next - answered < 90 => {
                    waiting.push((enqueue(&mut queue, 1, later(start, clock + 20 * choice as u64)), next));
                    next += 1;
                }
                2 if answered < next => {
                    complete(&mut queue, [answered]);
                    answered += 1;
                }
                3 if !waiting.is_empty() => {
                    let (slot, _) = waiting.swap_remove(choice % waiting.len());
                    queue.abandon(slot);
                }
                _ => {
                    clock += 5;
                    queue.expire(later(start, clock), 0, &mut Vec::new());
                }
            }
            waiting.retain(|(slot, number)| match queue.poll_slot(*slot, Waker::noop()) {
                None => true,
                Some(Outcome::One(value)) => {
                    assert_eq!(value, Value::Integer(*number));
                    false
                }
                Some(Outcome::Failed(_)) => false,
                Some(other) => panic!("{other:?}"),
            });
        }
    }
}
