//! Garbage, and valid pipelines with errors in them.

use super::{victim::Victim, wire::request};

/// Bytes that mean something to the parser, which plain chance would rarely produce.
const MEANINGFUL: [&[u8]; 16] = [
    b"*",
    b"$",
    b"\r\n",
    b"\n",
    b"*1\r\n",
    b"*3\r\n",
    b"*-1\r\n",
    b"*0\r\n",
    b"$0\r\n",
    b"$-1\r\n",
    b"$3\r\nGET\r\n",
    b"\"",
    b"'",
    b"\\x",
    b"\0",
    b" ",
];

fn garbage(rng: &mut fastrand::Rng) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..rng.usize(1..60) {
        if rng.bool() {
            bytes.extend_from_slice(MEANINGFUL[rng.usize(..MEANINGFUL.len())]);
        } else {
            bytes.extend((0..rng.usize(..20)).map(|_| rng.u8(..)));
        }
    }
    bytes
}

fn valid_pipeline(rng: &mut fastrand::Rng) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..rng.usize(1..20) {
        let key = format!("k{}", rng.u8(..8));
        let value = "v".repeat(rng.usize(..200));
        match rng.u8(..5) {
            0 => bytes.extend(request(&["SET", &key, &value])),
            1 => bytes.extend(request(&["GET", &key])),
            2 => bytes.extend(request(&["LPUSH", &key, &value, &value])),
            3 => bytes.extend(request(&["HSET", &key, "field", &value])),
            _ => bytes.extend(format!("SET {key} \"a\\x00b\" \r\n").into_bytes()),
        }
    }
    bytes
}

fn mutate(bytes: &mut Vec<u8>, rng: &mut fastrand::Rng) {
    for _ in 0..rng.usize(1..4) {
        let at = rng.usize(..bytes.len());
        match rng.u8(..5) {
            0 => bytes[at] = rng.u8(..),
            1 => bytes.truncate(at + 1),
            2 => bytes.insert(at, b'0' + rng.u8(..10)),
            3 => drop(bytes.remove(at)),
            _ => drop(bytes.splice(at..at, MEANINGFUL[rng.usize(..MEANINGFUL.len())].iter().copied())),
        }
        if bytes.is_empty() {
            bytes.push(b'*');
        }
    }
}

/// Sends bytes in pieces of any size, says that no more will come, and reads what is answered to the end.
fn feed(victim: &Victim, bytes: &[u8], rng: &mut fastrand::Rng) {
    let mut wire = victim.connect();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (piece, others) = rest.split_at(rng.usize(1..=rest.len()));
        wire.send(piece);
        rest = others;
    }
    // The node may have closed it already.
    let _ = wire.stream().shutdown(std::net::Shutdown::Write);
    let last = wire.last_words();
    assert!(!last.contains("internal error"), "{:?}", bytes.escape_ascii().to_string());
}

fn feed_often(make: fn(&mut fastrand::Rng) -> Vec<u8>) {
    let seed = fastrand::u64(..);
    eprintln!("seed {seed}");
    let mut rng = fastrand::Rng::with_seed(seed);
    let victim = Victim::start();
    let mut bystander = victim.connect();
    for _ in 0..500 {
        let bytes = make(&mut rng);
        feed(&victim, &bytes, &mut rng);
        assert_eq!(bystander.ask("PING"), "PONG");
    }
}

#[test]
fn garbage_harms_nobody_but_its_own_connection() {
    feed_often(garbage);
}

#[test]
fn a_pipeline_with_errors_in_it_harms_nobody_but_its_own_connection() {
    feed_often(|rng| {
        let mut bytes = valid_pipeline(rng);
        mutate(&mut bytes, rng);
        bytes
    });
}

#[test]
fn inline_requests_may_hold_any_byte_but_a_line_end() {
    let victim = Victim::start();
    let mut wire = victim.connect();
    wire.send(b"SET k \"a\\x00\\\"\\r\\n\" \r\nSTRLEN k\r\n'GET' k\r\n\r\n  \r\nPI\0NG\r\nPING\r\n");
    let replies: Vec<_> = (0..5).map(|_| super::wire::text_of(&wire.reply().expect("the connection stays"))).collect();
    assert_eq!(replies[..3], ["OK", "5", "a\0\"\r\n"]);
    assert!(replies[3].starts_with("ERR unknown command"), "{}", replies[3]);
    assert_eq!(replies[4], "PONG");
}
