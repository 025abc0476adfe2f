use rondache_protocol::bus::forward::{self, Forward, Manner, ReplyEncoder, Status};

use super::{
    answers::{BadReply, RECONNECT_PAUSE},
    *,
};
use crate::cluster::{
    forward::{
        PARKED_BYTES_MAX,
        error::ForwardFailure,
        wave::{Joining, State, Target},
    },
    routing::{Route, Routing},
};

const PEER: PeerIndex = PeerIndex(0);

fn routing() -> Routing {
    let routing = Routing::default();
    (0..8).for_each(|slot| routing.set(slot, Route::Peer(PEER), false));
    routing
}

fn wave(links: &mut Links, slots: &[u16]) -> WaveKey {
    let mut wave = links.lend();
    for slot in slots {
        let joining = Joining {
            slot: *slot,
            target: Target::Owner,
            manner: Manner::default(),
            is_write: true,
            is_blocking: false,
            is_silent: false,
            lacks_copies: false,
            at: 0,
        };
        wave.push(joining, None, |requests| requests.extend_from_slice(format!("{slot};").as_bytes()));
    }
    links.insert(wave)
}

/// Takes the one frame that is queued: its id, and its groups' first numbers, retry flags and requests.
fn take_frame(links: &mut Links) -> (u64, Vec<(u64, bool, String)>) {
    let queued = links.queued(PEER).to_vec();
    let (frame, len) = frame::decode(&queued, FRAME_LEN_MAX).unwrap().unwrap();
    assert_eq!(len, queued.len(), "one frame");
    let forward = Forward::decode(frame.payload).unwrap();
    let groups = forward.groups().map(Result::unwrap);
    let groups = groups
        .map(|group| (group.first.number, group.manner.is_retry, String::from_utf8_lossy(group.requests).into_owned()))
        .collect();
    links.sent(PEER, len);
    (forward.id, groups)
}

fn reply(id: u64, statuses: &[Status]) -> Vec<u8> {
    let mut payload = Vec::new();
    let mut encoder = ReplyEncoder::begin(&mut payload, id, statuses.len());
    statuses.iter().for_each(|status| encoder.end_reply(&mut payload, *status));
    encoder.finish(&mut payload, Status::Later);
    payload
}

fn states(links: &mut Links, key: WaveKey) -> Vec<bool> {
    links.wave(key).unwrap().items.iter().map(|item| matches!(item.state, State::Done { .. })).collect()
}

#[test]
fn requests_for_one_peer_travel_in_one_frame_and_its_replies_find_them() {
    let (mut links, routing, now) = (Links::new(1), routing(), Instant::now());
    let key = wave(&mut links, &[1, 100, 2]);
    links.dispatch(key, &routing, now);
    assert_eq!(links.wave(key).unwrap().here, [1]);
    let (id, groups) = take_frame(&mut links);
    assert_eq!(groups, [(1, false, "1;2;".to_owned())]);
    links.take_reply(PEER, &reply(id, &[Status::Done, Status::Done]), now).unwrap();
    assert_eq!(states(&mut links, key), [true, false, true]);
}

#[test]
fn a_refused_write_keeps_its_number_and_is_no_retry() {
    let (mut links, routing, now) = (Links::new(1), routing(), Instant::now());
    let key = wave(&mut links, &[1, 2]);
    links.dispatch(key, &routing, now);
    let (id, _) = take_frame(&mut links);
    links.take_reply(PEER, &reply(id, &[Status::Done, Status::NotMine]), now).unwrap();
    assert!(links.wave(key).unwrap().retry_at > Some(now));
    links.dispatch(key, &routing, now);
    assert_eq!(take_frame(&mut links).1, [(2, false, "2;".to_owned())]);
}

#[test]
fn a_write_that_was_lost_with_its_slot_is_a_retry_and_what_ran_behind_it_on_the_slot_follows_it() {
    let (mut links, routing, now) = (Links::new(1), routing(), Instant::now());
    let key = wave(&mut links, &[1, 1, 2, 1]);
    links.wave(key).unwrap().items[3].is_write = false;
    links.dispatch(key, &routing, now);
    let (id, _) = take_frame(&mut links);
    links.take_reply(PEER, &reply(id, &[Status::Done, Status::Lost, Status::Done, Status::Done]), now).unwrap();
    assert_eq!(states(&mut links, key), [true, false, true, false]);
    assert_eq!(links.wave(key).unwrap().unresolved, 2);
    links.dispatch(key, &routing, now);
    assert_eq!(take_frame(&mut links).1, [(2, true, "1;".to_owned()), (4, false, "1;".to_owned())]);
}

#[test]
fn a_write_whose_link_broke_after_it_was_sent_is_a_retry_and_one_that_was_not_sent_is_none() {
    let (mut links, routing, now) = (Links::new(1), routing(), Instant::now());
    let first = wave(&mut links, &[1]);
    links.dispatch(first, &routing, now);
    let (_, groups) = take_frame(&mut links);
    let second = wave(&mut links, &[2]);
    links.dispatch(second, &routing, now);
    links.lose(PEER, now);
    let later = now + RECONNECT_PAUSE;
    links.dispatch(first, &routing, later);
    assert_eq!(take_frame(&mut links).1, [(groups[0].0, true, "1;".to_owned())]);
    links.dispatch(second, &routing, later);
    assert!(!take_frame(&mut links).1[0].1);
}

#[test]
fn a_request_does_not_overtake_an_earlier_one_of_its_slot() {
    let (mut links, routing, now) = (Links::new(1), routing(), Instant::now());
    let key = wave(&mut links, &[1, 1]);
    links.dispatch(key, &routing, now);
    let (id, _) = take_frame(&mut links);
    links.wave(key).unwrap().items[1].state = State::Waiting;
    links.dispatch(key, &routing, now);
    assert!(links.queued(PEER).is_empty(), "the first is still under way");
    links.take_reply(PEER, &reply(id, &[Status::Done]), now).unwrap();
    links.dispatch(key, &routing, now);
    assert_eq!(take_frame(&mut links).1[0].2, "1;");
}

#[test]
fn a_full_queue_holds_its_waves_up_until_there_is_room() {
    let (mut links, routing, now) = (Links::new(1), routing(), Instant::now());
    let full = wave(&mut links, &[1]);
    links.wave(full).unwrap().requests.resize(LINK_QUEUE_BYTES_MAX, 0);
    links.wave(full).unwrap().items[0].request = 0..LINK_QUEUE_BYTES_MAX;
    links.dispatch(full, &routing, now);
    let key = wave(&mut links, &[2]);
    links.dispatch(key, &routing, now);
    assert!(links.wave(key).unwrap().has_waiting());
    let len = links.queued(PEER).len();
    links.sent(PEER, len);
    assert_eq!(links.wave(key).unwrap().retry_at, None);
    links.dispatch(key, &routing, now);
    assert_eq!(take_frame(&mut links).1[0].2, "2;");
}

#[test]
fn a_reply_for_a_wave_that_ended_is_ignored_and_one_that_nobody_asked_for_ends_the_link() {
    let (mut links, routing, now) = (Links::new(1), routing(), Instant::now());
    let key = wave(&mut links, &[1]);
    links.dispatch(key, &routing, now);
    let (id, _) = take_frame(&mut links);
    let ended = links.remove(key).unwrap();
    links.give_back(ended);
    let next = wave(&mut links, &[1]);
    assert_eq!(links.take_reply(PEER, &reply(id, &[Status::Done]), now), Ok(()));
    assert!(links.wave(next).unwrap().has_waiting());
    assert_eq!(links.take_reply(PEER, &reply(id, &[Status::Done]), now), Err(BadReply::Unasked));
}

#[test]
fn what_is_under_way_gets_its_reply_though_too_much_waits_for_owners() {
    let (mut links, routing, now) = (Links::new(1), routing(), Instant::now());
    routing.set(2, Route::Parked, false);
    links.parked_bytes = PARKED_BYTES_MAX;
    let key = wave(&mut links, &[1, 2]);
    links.dispatch(key, &routing, now);
    let (id, _) = take_frame(&mut links);
    assert_eq!(links.wave(key).unwrap().reply(1), Err(ForwardFailure::TooManyWait));
    links.take_reply(PEER, &reply(id, &[Status::Done]), now).unwrap();
    assert_eq!(states(&mut links, key), [true, false]);
}

#[test]
fn requests_that_run_here_have_numbers_of_their_own() {
    let (mut links, routing, now) = (Links::new(1), routing(), Instant::now());
    let key = wave(&mut links, &[100, 1, 101]);
    links.dispatch(key, &routing, now);
    let mut numbers: Vec<_> = links.wave(key).unwrap().items.iter().map(|item| item.number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 3);
    assert!(!numbers.contains(&0));
}

#[test]
fn what_was_refused_is_tried_again_when_its_own_slot_has_another_route_and_not_when_others_have() {
    let (mut links, routing, now) = (Links::new(1), routing(), Instant::now());
    let key = wave(&mut links, &[1]);
    links.dispatch(key, &routing, now);
    let (id, _) = take_frame(&mut links);
    links.take_reply(PEER, &reply(id, &[Status::NotMine]), now).unwrap();
    routing.set(2, Route::Mine, false);
    routing.publish();
    assert!(!links.wave(key).unwrap().has_new_route(&routing));
    routing.set(1, Route::Peer(PeerIndex(1)), false);
    routing.publish();
    assert!(links.wave(key).unwrap().has_new_route(&routing));
    links.dispatch(key, &routing, now);
    assert!(!links.wave(key).unwrap().has_new_route(&routing));
    assert!(!links.queued(PeerIndex(1)).is_empty());
}

#[test]
fn the_keeper_looks_when_the_first_pause_is_over() {
    let (mut links, routing, now) = (Links::new(1), routing(), Instant::now());
    links.tick(&routing, now);
    let planned = links.next_look();
    routing.set(1, Route::Parked, false);
    let key = wave(&mut links, &[1]);
    links.dispatch(key, &routing, now);
    let pause_ends = links.wave(key).unwrap().retry_at.unwrap();
    assert!(pause_ends < planned);
    assert_eq!(links.next_look(), pause_ends);
    links.tick(&routing, now);
    assert_eq!(links.next_look(), pause_ends, "a look in between does not put it off");
}

#[test]
fn links_to_new_peers_connect_before_a_request_needs_them() {
    use rondache_protocol::bus::identity::{Identity, NodeId};

    use crate::cluster::{member::Addrs, routing::Peer};

    let (mut links, routing, now) = (Links::new(1), Routing::default(), Instant::now());
    let addr = std::net::SocketAddr::from(([127, 0, 0, 1], 1));
    let addrs = Addrs { client: addr, redirect: addr, bus: addr, admin: addr };
    for (id, is_dead) in [(1, true), (2, false)] {
        routing.put_peer(Peer { identity: Identity { id: NodeId(id), generation: 1 }, addrs, is_dead });
    }
    links.tick(&routing, now);
    assert_eq!(links.take_to_start(), [PeerIndex(1)]);
    links.tick(&routing, now);
    assert!(links.take_to_start().is_empty());
}

#[test]
fn a_wave_that_waited_owes_nothing_when_it_is_used_again() {
    let (mut links, routing, now) = (Links::new(1), routing(), Instant::now());
    routing.set(1, Route::Parked, false);
    for _ in 0..3 {
        let key = wave(&mut links, &[1]);
        links.dispatch(key, &routing, now);
        assert_eq!(links.parked_bytes, "1;".len());
        let ended = links.remove(key).unwrap();
        links.give_back(ended);
        assert_eq!(links.parked_bytes, 0);
        // The same box again, this time without a wait.
        let key = wave(&mut links, &[2]);
        links.dispatch(key, &routing, now);
        let ended = links.remove(key).unwrap();
        links.give_back(ended);
        assert_eq!(links.parked_bytes, 0);
    }
}

#[test]
fn a_link_follows_its_peer_until_it_is_lost() {
    let (mut links, now) = (Links::new(1), Instant::now());
    links.follow(PEER, true);
    let queued = links.queued(PEER).to_vec();
    let (frame, len) = frame::decode(&queued, FRAME_LEN_MAX).unwrap().unwrap();
    assert_eq!((frame.kind, forward::decode_track(frame.payload), len), (kind::TRACK, Ok(true), queued.len()));
    links.follow(PEER, true);
    assert_eq!(links.queued(PEER).len(), queued.len(), "it is asked once");
    assert!(links.lose(PEER, now));
    assert!(!links.lose(PEER, now));
    links.follow(PEER, true);
    assert!(links.queued(PEER).is_empty(), "the peer is left alone for a while");
}
