use std::{ops::Range, time::Instant};

use rondache_protocol::bus::{forward::Manner, replicate::SlotPosition};

use super::*;
use crate::cluster::{
    forward::{
        error::ForwardFailure,
        gather::{Combine, Gather},
    },
    routing::PeerIndex,
};

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
    wave.gathers.push(Gather { combine: Combine::Flushed, parts: 2, places: Vec::new(), is_resp3: false });
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
    let combine = Combine::Sum;
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

#[test]
fn a_frame_that_is_too_long_costs_its_own_requests_and_no_others() {
    let mut wave = Wave::default();
    (0..4).for_each(|_| wave.push(joining(0), None, |_| {}));
    wave.open = 2;
    for (index, frame) in [(0, 0), (1, 1), (2, 1)] {
        wave.items[index].state = State::Sent { peer: PeerIndex(frame), frame };
    }
    wave.items[2].may_have_run = true;
    wave.fail_frame(1, ForwardFailure::TooLong);
    assert_eq!(wave.reply(1), Err(ForwardFailure::TooLong));
    assert_eq!(wave.reply(2), Err(ForwardFailure::OutcomeUnknown), "another owner may have executed it");
    assert!(matches!(wave.items[0].state, State::Sent { .. }) && wave.items[3].state == State::Waiting);
    assert_eq!((wave.open, wave.unresolved), (1, 2));
}

/// What became of a part of a split command.
type Part<'p> = Result<&'p [u8], ForwardFailure>;

/// What the client reads whose command, split over slots, came to this.
fn gathered(combine: Combine, is_write: bool, parts: &[Part<'_>]) -> String {
    let mut wave = Wave::default();
    for index in 0..parts.len() {
        wave.push(Joining { slot: index as u16, is_write, ..joining(0) }, Some(0), |_| {});
    }
    wave.gathers.push(Gather { combine, parts: parts.len(), places: Vec::new(), is_resp3: false });
    for (index, part) in parts.iter().enumerate() {
        match part {
            Ok(reply) => done(&mut wave, index, reply),
            Err(failure) => wave.resolve(index, State::Failed(*failure)),
        }
    }
    let mut out = Vec::new();
    wave.assemble(&mut out);
    String::from_utf8(out).unwrap()
}

const DEL: Combine = Combine::Sum;
const MSET: Combine = Combine::Ok;

#[test]
fn a_split_write_all_of_which_ran_is_answered_with_the_whole() {
    assert_eq!(gathered(DEL, true, &[Ok(b":2\r\n"), Ok(b":0\r\n"), Ok(b":40\r\n")]), ":42\r\n");
    assert_eq!(gathered(MSET, true, &[Ok(b"+OK\r\n"), Ok(b"+OK\r\n")]), "+OK\r\n");
}

#[test]
fn a_split_write_has_an_unknown_outcome_where_one_part_ran_and_another_did_not() {
    let unknown = format!("-{}\r\n", ForwardFailure::OutcomeUnknown);
    let not_run: [Part<'_>; 4] = [
        Err(ForwardFailure::BetweenOwners),
        Err(ForwardFailure::TooFewCopies),
        Err(ForwardFailure::TooLong),
        Ok(b"-OOM command not allowed when used memory > 'maxmemory'.\r\n"),
    ];
    for (combine, ran) in [(DEL, &b":1\r\n"[..]), (MSET, b"+OK\r\n")] {
        for not_run in not_run {
            for parts in [[Ok(ran), not_run], [not_run, Ok(ran)], [not_run, Err(ForwardFailure::OutcomeUnknown)]] {
                assert_eq!(gathered(combine, true, &parts), unknown, "{combine:?} {parts:?}");
            }
        }
    }
}

#[test]
fn a_split_write_that_ran_but_was_not_confirmed_everywhere_says_that() {
    let unconfirmed = ForwardFailure::Unconfirmed;
    let parts: [Part<'_>; 3] = [Ok(b":1\r\n"), Err(unconfirmed), Err(ForwardFailure::BetweenOwners)];
    assert_eq!(gathered(DEL, true, &parts), format!("-{unconfirmed}\r\n"));
}

#[test]
fn a_split_write_of_which_nothing_ran_is_refused_as_its_first_part_was_and_may_be_sent_again() {
    let (down, between) = (ForwardFailure::Down, ForwardFailure::BetweenOwners);
    assert!(down.is_retryable() && between.is_retryable());
    for combine in [DEL, MSET] {
        assert_eq!(gathered(combine, true, &[Err(down), Err(between)]), format!("-{down}\r\n"));
        assert_eq!(gathered(combine, true, &[Ok(b"-OOM full\r\n"), Err(between)]), "-OOM full\r\n");
    }
}

#[test]
fn a_split_read_of_which_a_part_failed_gets_that_part_s_error() {
    let down = ForwardFailure::Down;
    assert_eq!(gathered(Combine::Sum, false, &[Ok(b":1\r\n"), Err(down)]), format!("-{down}\r\n"));
}

/// An item's write, or that of the local reply there, which nobody has confirmed.
fn unconfirmed(nth: Option<usize>, reply: Range<usize>, is_lost: bool) -> Withheld {
    let written = Written { slot: 1, at: SlotPosition { epoch: 1, seq: 1 } };
    Withheld { written, others: vec![], copies: vec![], wanted: 1, reply, nth, is_lost }
}

#[test]
fn a_write_that_ran_here_and_was_lost_with_its_slot_waits_for_the_next_owner_and_so_do_the_reads_behind_it() {
    let mut wave = Wave::default();
    let read = Joining { is_write: false, ..joining(0) };
    let joining = [read, joining(0), read, Joining { slot: 2, ..read }];
    joining.into_iter().for_each(|joining| wave.push(joining, None, |_| {}));
    (0..4).for_each(|index| done(&mut wave, index, b"+"));
    wave.disavow(&[unconfirmed(Some(1), 0..0, true)]);
    let waits: Vec<bool> = wave.items.iter().map(|item| item.state == State::Waiting).collect();
    assert_eq!((waits, wave.unresolved), (vec![false, true, true, false], 2));
    let retries: Vec<bool> = wave.items.iter().map(|item| item.may_have_run).collect();
    assert_eq!(retries, [false, true, false, false]);
}

#[test]
fn a_write_that_was_lost_is_not_put_behind_a_later_one_that_is_safe() {
    let mut wave = Wave::default();
    (0..3).for_each(|_| wave.push(joining(0), None, |_| {}));
    (0..3).for_each(|index| done(&mut wave, index, b"+"));
    wave.disavow(&[unconfirmed(Some(2), 0..0, true), unconfirmed(Some(0), 0..0, true)]);
    assert_eq!((wave.reply(0), wave.reply(1)), (Err(ForwardFailure::OutcomeUnknown), Ok(&b"+"[..])));
    assert_eq!((wave.items[2].state, wave.unresolved), (State::Waiting, 1));
}

#[test]
fn what_the_session_itself_wrote_or_all_nodes_did_has_an_unknown_outcome_once_it_was_lost() {
    let mut wave = Wave::default();
    wave.local.extend_from_slice(b"+1\r\n+2\r\n");
    wave.push(Joining { slot: NO_SLOT, target: Target::Here, ..joining(8) }, None, |_| {});
    done(&mut wave, 0, b"+3\r\n");
    wave.disavow(&[unconfirmed(None, 0..4, false), unconfirmed(None, 4..8, true), unconfirmed(Some(0), 0..0, true)]);
    let mut out = Vec::new();
    wave.assemble(&mut out);
    let (unconfirmed, unknown) = (ForwardFailure::Unconfirmed, ForwardFailure::OutcomeUnknown);
    assert_eq!(String::from_utf8(out).unwrap(), format!("-{unconfirmed}\r\n-{unknown}\r\n-{unknown}\r\n"));
}
