//! Headers that promise more than may come.

use super::{victim::Victim, wire::text_of};

/// What a node may use over what it used before: its buffers for a connection, and what the allocator keeps.
const SLACK_BYTES: u64 = 32 << 20;

#[test]
fn a_header_beyond_a_limit_is_refused_and_the_connection_closed() {
    let victim = Victim::start();
    for (header, error) in [
        ("*2\r\n$3\r\nGET\r\n$629145600\r\n", "ERR Protocol error: invalid bulk length"),
        ("*2\r\n$3\r\nGET\r\n$-2\r\n", "ERR Protocol error: invalid bulk length"),
        ("*2\r\n$3\r\nGET\r\n$99999999999999999999\r\n", "ERR Protocol error: invalid bulk length"),
        ("*2\r\n$3\r\nGET\r\n:1\r\n", "ERR Protocol error: expected '$', got ':'"),
        ("*1048577\r\n", "ERR Protocol error: invalid multibulk length"),
        ("*9223372036854775808\r\n", "ERR Protocol error: invalid multibulk length"),
        ("*x\r\n", "ERR Protocol error: invalid multibulk length"),
        ("GET \"a\r\n", "ERR Protocol error: unbalanced quotes in request"),
    ] {
        let mut wire = victim.connect();
        wire.send(header.as_bytes());
        assert_eq!(wire.last_words(), error, "{header:?}");
        victim.assert_alive();
    }
}

#[test]
fn a_line_that_never_ends_is_refused() {
    let victim = Victim::start();
    for (first, error) in [("*1", "too big mbulk count string"), ("a", "too big inline request")] {
        let mut wire = victim.connect();
        wire.send(first.as_bytes());
        wire.send(&[b'1'; 70_000]);
        assert_eq!(wire.last_words(), format!("ERR Protocol error: {error}"));
    }
}

#[test]
fn a_promise_of_much_takes_no_memory_until_it_is_kept() {
    let victim = Victim::start();
    victim.assert_alive();
    let before = victim.rss_bytes();
    let mut wires: Vec<_> = (0..100).map(|_| victim.connect()).collect();
    for (at, wire) in wires.iter_mut().enumerate() {
        let header: &[u8] =
            if at % 2 == 0 { b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\nbegin" } else { b"*1048576\r\n$3" };
        wire.send(header);
    }
    victim.assert_alive();
    let grown = victim.rss_bytes().saturating_sub(before);
    assert!(grown < SLACK_BYTES, "grew by {grown} bytes");
}

#[test]
fn a_million_arguments_that_come_slowly_are_a_request_like_any_other() {
    let victim = Victim::start();
    let mut wire = victim.connect();
    let mut bytes = b"*1048576\r\n$6\r\nEXISTS\r\n".to_vec();
    for _ in 1..1_048_576 {
        bytes.extend_from_slice(b"$1\r\nk\r\n");
    }
    for (number, piece) in bytes.chunks(100_003).enumerate() {
        wire.send(piece);
        if number % 10 == 0 {
            victim.assert_alive();
        }
    }
    assert_eq!(wire.reply().map(|reply| text_of(&reply)).as_deref(), Some("0"));
}

#[test]
fn a_client_that_has_not_authenticated_may_send_little() {
    let victim = Victim::start_with(&["--threads", "1", "--requirepass", "secret"]);
    let mut wire = victim.connect();
    wire.send(b"*100\r\n");
    assert_eq!(wire.last_words(), "ERR Protocol error: unauthenticated multibulk length");
    let mut wire = victim.connect();
    wire.send(b"*2\r\n$4\r\nAUTH\r\n$100000\r\n");
    assert_eq!(wire.last_words(), "ERR Protocol error: unauthenticated bulk length");
    let mut wire = victim.connect();
    assert_eq!(wire.ask("GET k"), "NOAUTH Authentication required.");
    assert!(wire.ask("AUTH wrong").starts_with("WRONGPASS"));
    assert_eq!(wire.ask("AUTH secret"), "OK");
    wire.call(&[&b"SET"[..], b"k", &vec![b'v'; 100_000]]).expect("a reply");
    assert_eq!(wire.ask("STRLEN k"), "100000");
}
