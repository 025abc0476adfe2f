//! Serialized values with errors in them.

use rondache_protocol::resp::value::Value;
use rondache_server::util::crc64;

use super::{
    victim::Victim,
    wire::{Wire, text_of},
};

/// How values of every encoding come to be.
const MAKERS: [&str; 9] = [
    "SET text a-longer-text-a-longer-text-a-longer-text-a-longer-text",
    "SET number 12345",
    "RPUSH list a b c 1 2 3 70000",
    "SADD integers 1 2 3 70000",
    "SADD texts a b c",
    "HSET hash f v g w",
    "ZADD zset 1 a 2.5 b inf c",
    "PFADD hll a b c",
    "HSET volatile f v",
];

fn payloads(wire: &mut Wire) -> Vec<Vec<u8>> {
    let keys = MAKERS.map(|line| {
        wire.ask(line);
        line.split(' ').nth(1).unwrap_or_default()
    });
    wire.ask("HEXPIRE volatile 1000 FIELDS 1 f");
    for number in 0..600 {
        wire.ask(&format!("ZADD large {number} member:{number}"));
    }
    let keys = keys.into_iter().chain(["large"]);
    keys.map(|key| match wire.call(&["DUMP", key]) {
        Some(Value::Bulk(payload)) => payload.to_vec(),
        other => panic!("DUMP {key}: {other:?}"),
    })
    .collect()
}

/// Puts a right checksum behind a payload that was changed, so that it gets past the first check.
fn sign(payload: &mut Vec<u8>) {
    let body_len = payload.len().saturating_sub(8);
    payload.truncate(body_len);
    let checksum = crc64::update(0, payload);
    payload.extend_from_slice(&checksum.to_le_bytes());
}

fn mutate(payload: &mut Vec<u8>, rng: &mut fastrand::Rng) {
    for _ in 0..rng.usize(1..4) {
        // The last ten bytes are version and checksum.
        let at = rng.usize(..payload.len().saturating_sub(10).max(1));
        match rng.u8(..4) {
            0 => payload[at] = rng.u8(..),
            1 => payload[at] = [0, 1, 0x7f, 0x80, 0x81, 0xc0, 0xc3, 0xff][rng.usize(..8)],
            2 => payload.insert(at, rng.u8(..)),
            _ if payload.len() > 11 => drop(payload.remove(at)),
            _ => {}
        }
    }
}

#[test]
fn a_payload_with_errors_in_it_is_refused_or_makes_a_sound_value() {
    let seed = fastrand::u64(..);
    eprintln!("seed {seed}");
    let mut rng = fastrand::Rng::with_seed(seed);
    let victim = Victim::start();
    let mut wire = victim.connect();
    let payloads = payloads(&mut wire);
    let before = victim.rss_bytes();
    for _ in 0..5_000 {
        let mut payload = payloads[rng.usize(..payloads.len())].clone();
        mutate(&mut payload, &mut rng);
        sign(&mut payload);
        let restore: [&[u8]; 5] = [b"RESTORE", b"restored", b"0", &payload, b"REPLACE"];
        let Some(reply) = wire.call(&restore) else { panic!("closed by {}", payload.escape_ascii()) };
        if text_of(&reply) != "OK" {
            continue;
        }
        for line in
            ["DEBUG DIGEST-VALUE restored", "DUMP restored", "OBJECT ENCODING restored", "COPY restored copied REPLACE"]
        {
            let words: Vec<&str> = line.split(' ').collect();
            assert!(wire.call(&words).is_some(), "{line} failed after {}", payload.escape_ascii());
        }
    }
    let grown = victim.rss_bytes().saturating_sub(before);
    assert!(grown < 64 << 20, "grew by {grown} bytes");
}
