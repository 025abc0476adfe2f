//! Clients that don't read, don't go on, or never stop.

use std::io::Write;

use super::{
    victim::Victim,
    wire::{request, text_of},
};

/// What a node may hold for a client that doesn't read, in all the buffers between the two.
const UNREAD_BYTES_MAX: u64 = 64 << 20;

#[test]
fn a_client_that_never_reads_costs_a_bounded_amount_of_memory() {
    let victim = Victim::start();
    let mut working = victim.connect();
    working.call(&["SET".as_bytes(), b"big", &vec![b'v'; 1 << 20]]).expect("a reply");
    let before = victim.rss_bytes();
    let mut silent: Vec<_> = (0..4).map(|_| victim.connect()).collect();
    // Half a gigabyte of replies for each of them.
    let pipeline = request(&["GET", "big"]).repeat(500);
    for wire in &mut silent {
        wire.send(&pipeline);
    }
    let mut grown_max = 0;
    for _ in 0..2_000 {
        assert!(working.ask("INCR n").parse::<u64>().is_ok(), "another client works on");
        grown_max = grown_max.max(victim.rss_bytes().saturating_sub(before));
    }
    assert!(grown_max < UNREAD_BYTES_MAX, "grew by {grown_max} bytes");
    // Each of them still gets everything once it reads.
    let first = &mut silent[0];
    for _ in 0..500 {
        assert_eq!(first.reply().map(|reply| text_of(&reply).len()), Some(1 << 20));
    }
}

#[test]
fn connections_that_stop_in_the_middle_of_a_request_cost_little() {
    let victim = Victim::start();
    let before = victim.rss_bytes();
    let mut wires: Vec<_> = (0..300).map(|_| victim.connect()).collect();
    let whole = request(&["SET", "key", "value"]);
    for (number, wire) in wires.iter_mut().enumerate() {
        wire.send(&whole[..number % whole.len()]);
    }
    victim.assert_alive();
    let grown = victim.rss_bytes().saturating_sub(before);
    assert!(grown < 300 * 100_000, "grew by {grown} bytes");
    // Each of them can go on where it stopped.
    for (number, wire) in wires.iter_mut().enumerate() {
        wire.send(&whole[number % whole.len()..]);
        assert_eq!(wire.reply().map(|reply| text_of(&reply)).as_deref(), Some("OK"));
    }
}

#[test]
fn a_client_that_pipelines_without_end_leaves_room_for_others() {
    const REQUESTS: usize = 200_000;
    let victim = Victim::start();
    let mut endless = victim.connect();
    let mut bystander = victim.connect();
    let before = victim.rss_bytes();
    let mut stream = endless.stream();
    let writer = std::thread::spawn(move || {
        let good = request(&["SET", "k", "v"]);
        let bad = [request(&["NONSENSE", "a"]), request(&["GET"]), request(&["LPUSH", "k", "v"])];
        for number in 0..REQUESTS / 100 {
            let mut block = good.repeat(99);
            block.extend_from_slice(&bad[number % bad.len()]);
            stream.write_all(&block).expect("the node goes on reading");
        }
    });
    for number in 1..=REQUESTS {
        let reply = text_of(&endless.reply().expect("the connection stays"));
        assert_eq!(number % 100 == 0, reply != "OK", "{reply}");
        if number % 1000 == 0 {
            assert_eq!(bystander.ask("PING"), "PONG");
        }
    }
    writer.join().expect("all was sent");
    let grown = victim.rss_bytes().saturating_sub(before);
    assert!(grown < UNREAD_BYTES_MAX, "grew by {grown} bytes");
}

#[test]
fn a_subscriber_that_never_reads_is_closed_at_its_limit() {
    let victim = Victim::start();
    let mut silent = victim.connect();
    silent.call(&["SUBSCRIBE", "c"]);
    let mut publisher = victim.connect();
    let before = victim.rss_bytes();
    let message = "m".repeat(1 << 20);
    // 32 MB is the limit of a subscriber, and the sockets hold some.
    let mut grown_max = 0;
    for _ in 0..200 {
        let receivers = text_of(&publisher.call(&["PUBLISH", "c", &message]).expect("a reply"));
        grown_max = grown_max.max(victim.rss_bytes().saturating_sub(before));
        if receivers == "0" {
            break;
        }
    }
    assert_eq!(text_of(&publisher.call(&["PUBLISH", "c", "last"]).expect("a reply")), "0");
    assert!(grown_max < 2 * UNREAD_BYTES_MAX, "grew by {grown_max} bytes");
}
