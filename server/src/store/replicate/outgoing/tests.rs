use rondache_protocol::bus::{
    identity::NodeId,
    replicate::{Record, Records, put_heartbeat, split_frame},
};

use super::*;

fn stream(limit: usize) -> Arc<Outgoing> {
    Outgoing::with_limit(Identity { generation: 1, id: NodeId(1) }, 0, limit)
}

fn beat(stream: &Outgoing, now_ms: u64) -> Result<Appended, Overflowed> {
    stream.append(0, now_ms, |buf| put_heartbeat(buf, now_ms))
}

/// Takes all frames: their positions and beats.
fn taken(stream: &Outgoing) -> Vec<(u64, Vec<u64>)> {
    let mut frames = Vec::new();
    stream.take_frames(&mut frames, usize::MAX);
    let beats = |records| {
        Records::new(records)
            .map(|record| match record {
                Ok(Record::Heartbeat { now_ms }) => now_ms,
                other => panic!("{other:?}"),
            })
            .collect()
    };
    frames
        .iter()
        .map(|frame| {
            let (position, records) = split_frame(&frame.bytes).unwrap();
            assert_eq!(position, frame.position);
            (position, beats(records))
        })
        .collect()
}

#[test]
fn a_stream_shows_that_its_owner_is_there_only_while_nothing_else_waits() {
    let stream = stream(1 << 20);
    stream.beat(5);
    stream.beat(6);
    assert_eq!(taken(&stream), [(1, vec![5])]);
    stream.beat(7);
    assert_eq!(stream.lag(9).records, 1);
    stream.acknowledge(1);
    stream.beat(8);
    assert_eq!(taken(&stream), [(2, vec![8])]);
}

#[test]
fn records_of_a_batch_travel_in_one_frame() {
    let stream = stream(1 << 20);
    assert_eq!(beat(&stream, 5).unwrap().position, 1);
    assert_eq!(beat(&stream, 6).unwrap().position, 1);
    assert_eq!(taken(&stream), [(1, vec![5, 6])]);
    assert_eq!(beat(&stream, 7).unwrap().position, 2);
    assert_eq!(taken(&stream), [(2, vec![7])]);
    assert_eq!(taken(&stream), []);
}

#[test]
fn what_is_appended_gathers_while_something_is_under_way() {
    let stream = stream(1 << 20);
    let cx = Context::from_waker(Waker::noop());
    assert!(stream.poll_work(&cx).is_pending());
    assert!(beat(&stream, 1).unwrap().owes_wake, "an idle stream sends at once");
    assert!(stream.poll_work(&cx).is_ready());
    taken(&stream);
    assert!(stream.poll_work(&cx).is_pending());
    assert!(!beat(&stream, 2).unwrap().owes_wake && !beat(&stream, 3).unwrap().owes_wake);
    assert!(stream.poll_work(&cx).is_pending());
    stream.acknowledge(1);
    assert!(stream.poll_work(&cx).is_ready());
    assert_eq!(taken(&stream), [(2, vec![2, 3])]);
}

#[test]
fn a_full_frame_does_not_wait_for_what_is_under_way() {
    let stream = stream(1 << 20);
    let cx = Context::from_waker(Waker::noop());
    beat(&stream, 1).unwrap();
    taken(&stream);
    while beat(&stream, 2).unwrap().position == 2 {}
    assert!(stream.poll_work(&cx).is_ready());
}

#[test]
fn an_overflow_leaves_nothing_to_wait_for() {
    let stream = stream(100);
    beat(&stream, 1).unwrap();
    taken(&stream);
    stream.break_off();
    stream.append(1, 9, |buf| put_heartbeat(buf, 9)).unwrap();
    assert!(stream.poll_work(&Context::from_waker(Waker::noop())).is_ready());
}

#[test]
fn what_was_not_applied_is_sent_again_over_the_next_connection() {
    let stream = stream(1 << 20);
    for now_ms in 1..4 {
        beat(&stream, now_ms).unwrap();
        taken(&stream);
    }
    stream.acknowledge(1);
    stream.resume(2);
    assert_eq!(taken(&stream), [(3, vec![3])]);
    stream.acknowledge(3);
    assert_eq!(stream.lag(100), StreamLag::default());
}

#[test]
fn an_overflow_loses_the_copies_and_leaves_a_gap() {
    let stream = stream(100);
    while beat(&stream, 1).is_ok() {}
    assert_eq!((beat(&stream, 1), stream.generation()), (Err(Overflowed), 1));
    let began = stream.append(1, 9, |buf| put_heartbeat(buf, 9)).unwrap();
    assert_eq!(taken(&stream), [(began.position, vec![9])]);
    assert!(began.position > 1);
}

#[test]
fn a_copy_that_has_forgotten_what_it_applied_is_lost() {
    let stream = stream(1 << 20);
    beat(&stream, 1).unwrap();
    taken(&stream);
    stream.acknowledge(1);
    stream.resume(0);
    assert_eq!(stream.generation(), 1);
}

#[test]
fn what_was_never_sent_cannot_be_acknowledged() {
    let stream = stream(1 << 20);
    beat(&stream, 1).unwrap();
    stream.acknowledge(u64::MAX);
    assert_eq!(stream.acked(), 0);
    assert_eq!(taken(&stream), [(1, vec![1])]);
}

#[test]
fn a_mark_is_told_once_its_frame_is_applied() {
    let stream = stream(1 << 20);
    let event = StreamEvent::Synced { slot: 1, epoch: 2 };
    let position = beat(&stream, 1).unwrap().position;
    stream.mark(position, event);
    taken(&stream);
    assert_eq!(stream.take_events(), []);
    stream.acknowledge(position);
    assert_eq!(stream.take_events(), [event]);
    stream.mark(position, event);
    assert_eq!(stream.take_events(), [event], "it is applied already");
}

#[test]
fn a_record_larger_than_a_frame_travels_in_parts() {
    let stream = stream(1 << 20);
    let large = vec![7_u8; 3 * PART_LEN_MAX / 2];
    beat(&stream, 1).unwrap();
    let appended = stream.append(0, 2, |buf| buf.extend_from_slice(&large)).unwrap();
    let mut frames = Vec::new();
    stream.take_frames(&mut frames, usize::MAX);
    let mut whole = Vec::new();
    for frame in &frames[1..] {
        let (_, records) = split_frame(&frame.bytes).unwrap();
        for record in Records::new(records) {
            let Ok(Record::Part { bytes, .. }) = record else { panic!("{record:?}") };
            whole.extend_from_slice(bytes);
        }
    }
    assert_eq!((whole == large, frames.len(), appended.position), (true, 3, 3));
}

#[test]
fn whoever_waits_for_an_acknowledgement_is_woken_by_it() {
    let stream = stream(1 << 20);
    let position = beat(&stream, 1).unwrap().position;
    taken(&stream);
    let cx = Context::from_waker(Waker::noop());
    assert!(stream.poll_acked(position, &cx).is_pending());
    stream.acknowledge(position);
    assert!(stream.poll_acked(position, &cx).is_ready());
}
