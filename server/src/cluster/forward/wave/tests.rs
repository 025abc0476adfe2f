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
