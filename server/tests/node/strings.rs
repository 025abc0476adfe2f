//! Strings, bitmaps and HyperLogLogs.

use redis::{Connection, FromRedisValue, Value};

use super::support::TestNode;

/// Runs a command whose words are separated by blanks.
fn call<T: FromRedisValue>(connection: &mut Connection, line: &str) -> T {
    try_call(connection, line).unwrap_or_else(|error| panic!("{line}: {error}"))
}

fn try_call<T: FromRedisValue>(connection: &mut Connection, line: &str) -> redis::RedisResult<T> {
    let mut words = line.split(' ');
    let mut command = redis::cmd(words.next().unwrap_or_default());
    words.for_each(|word| {
        command.arg(word);
    });
    command.query(connection)
}

fn text(connection: &mut Connection, line: &str) -> Option<String> {
    call(connection, line)
}

fn integer(connection: &mut Connection, line: &str) -> i64 {
    call(connection, line)
}

fn refusal(connection: &mut Connection, line: &str) -> String {
    try_call::<Value>(connection, line).expect_err(line).to_string()
}

#[test]
fn set_writes_only_under_its_condition() {
    let node = TestNode::start();
    let connection = &mut node.connect();
    assert_eq!(text(connection, "SET k 1 XX"), None);
    assert_eq!(text(connection, "SET k 1 NX"), Some("OK".into()));
    assert_eq!(text(connection, "SET k 2 NX"), None);
    assert_eq!(text(connection, "SET k 2 XX"), Some("OK".into()));
    assert_eq!(text(connection, "SET k 3 IFEQ 1"), None);
    assert_eq!(text(connection, "SET k 3 IFEQ 2"), Some("OK".into()));
    assert_eq!(text(connection, "SET missing 3 IFEQ 2"), None);
    assert_eq!(text(connection, "GET k"), Some("3".into()));
    assert_eq!(integer(connection, "EXISTS missing"), 0);
}

#[test]
fn set_with_get_answers_the_old_value_whether_it_writes_or_not() {
    let node = TestNode::start();
    let connection = &mut node.connect();
    assert_eq!(text(connection, "SET k 1 GET"), None);
    assert_eq!(text(connection, "SET k 2 GET"), Some("1".into()));
    assert_eq!(text(connection, "SET k 3 NX GET"), Some("2".into()));
    assert_eq!(text(connection, "SET k 3 IFEQ 1 GET"), Some("2".into()));
    assert_eq!(text(connection, "GET k"), Some("2".into()));
    call::<()>(connection, "RPUSH list a");
    assert!(refusal(connection, "SET list 1 GET").contains("WRONGTYPE"));
    assert!(refusal(connection, "SET list 1 IFEQ a").contains("WRONGTYPE"));
    assert_eq!(integer(connection, "LLEN list"), 1);
}

#[test]
fn a_ttl_that_no_clock_can_hold_is_refused() {
    let node = TestNode::start();
    let connection = &mut node.connect();
    for ttl in ["EX 0", "PX -1", "EX 9223372036854775", "PX 9223372036854775807", "EXAT 9223372036854775807"] {
        assert!(
            refusal(connection, &format!("SET k v {ttl}")).contains("invalid expire time in 'set' command"),
            "{ttl}"
        );
    }
    assert!(refusal(connection, "SETEX k 0 v").contains("invalid expire time in 'setex' command"));
    assert!(refusal(connection, "PSETEX k -5 v").contains("invalid expire time in 'psetex' command"));
    call::<()>(connection, "SET k v");
    assert!(refusal(connection, "GETEX k EX 0").contains("invalid expire time in 'getex' command"));
    assert!(refusal(connection, "SET k v EX 1.5").contains("not an integer"));
    assert!(refusal(connection, "SET k v EX 1 KEEPTTL").contains("syntax error"));
}

#[test]
fn a_deadline_that_has_passed_deletes_the_key() {
    let node = TestNode::start();
    let connection = &mut node.connect();
    call::<()>(connection, "SET k v");
    assert_eq!(text(connection, "SET k w EXAT 1"), Some("OK".into()));
    assert_eq!(integer(connection, "EXISTS k"), 0);
    call::<()>(connection, "SET k v");
    assert_eq!(text(connection, "GETEX k PXAT 1"), Some("v".into()));
    assert_eq!(integer(connection, "EXISTS k"), 0);
}

#[test]
fn getex_changes_the_ttl_only_when_told() {
    let node = TestNode::start();
    let connection = &mut node.connect();
    call::<()>(connection, "SET k v EX 5");
    assert_eq!(text(connection, "GETEX k"), Some("v".into()));
    assert!((1..=5).contains(&integer(connection, "TTL k")));
    assert_eq!(text(connection, "GETEX k PERSIST"), Some("v".into()));
    assert_eq!(integer(connection, "TTL k"), -1);
    call::<()>(connection, "GETEX k PXAT 33177117420000");
    assert_eq!(integer(connection, "PEXPIRETIME k"), 33_177_117_420_000);
    assert_eq!(text(connection, "GETEX missing EX 0"), None);
}

#[test]
fn jitter_shortens_relative_ttls_and_spreads_them() {
    let node = TestNode::start();
    let connection = &mut node.connect();
    call::<()>(connection, "CONFIG SET ttl-jitter 50");
    let ttls: Vec<i64> = (0..200)
        .map(|number| {
            call::<()>(connection, &format!("SET k{number} v EX 1000"));
            integer(connection, &format!("PTTL k{number}"))
        })
        .collect();
    assert!(ttls.iter().all(|ttl_ms| (490_000..=1_000_000).contains(ttl_ms)), "{ttls:?}");
    let (shortest, longest) = (ttls.iter().min().unwrap(), ttls.iter().max().unwrap());
    assert!(longest - shortest > 250_000, "the TTLs hardly differ: {ttls:?}");
}

#[test]
fn jitter_leaves_locks_short_ttls_and_absolute_deadlines_alone() {
    let node = TestNode::start();
    let connection = &mut node.connect();
    call::<()>(connection, "CONFIG SET ttl-jitter 90");
    for number in 0..20 {
        call::<()>(connection, &format!("SET lock{number} v NX EX 1000"));
        assert!(integer(connection, &format!("PTTL lock{number}")) > 900_000);
        call::<()>(connection, &format!("SET k{number} v PX 9999"));
        assert!(integer(connection, &format!("PTTL k{number}")) > 5_000);
        call::<()>(connection, &format!("SET k{number} v EXAT 33177117420"));
        assert_eq!(integer(connection, &format!("EXPIRETIME k{number}")), 33_177_117_420);
    }
}

#[test]
fn the_longest_jitter_rule_that_matches_a_key_counts() {
    let node = TestNode::start();
    let connection = &mut node.connect();
    let rules = "session:0 session:guest:90";
    let _: () = redis::cmd("CONFIG").arg(&["SET", "ttl-jitter-rules", rules]).query(connection).unwrap();
    let mut shortest_ms = i64::MAX;
    for number in 0..50 {
        call::<()>(connection, &format!("SETEX session:{number} 1000 v"));
        assert!(integer(connection, &format!("PTTL session:{number}")) > 990_000);
        call::<()>(connection, &format!("SETEX session:guest:{number} 1000 v"));
        shortest_ms = shortest_ms.min(integer(connection, &format!("PTTL session:guest:{number}")));
    }
    assert!(shortest_ms < 850_000, "{shortest_ms}");
}

#[test]
fn counters_refuse_to_overflow() {
    let node = TestNode::start();
    let connection = &mut node.connect();
    call::<()>(connection, "SET k 9223372036854775806");
    assert_eq!(integer(connection, "INCR k"), i64::MAX);
    assert!(refusal(connection, "INCR k").contains("increment or decrement would overflow"));
    assert!(refusal(connection, "DECRBY k -9223372036854775808").contains("decrement would overflow"));
    assert_eq!(integer(connection, "DECRBY k 9223372036854775807"), 0);
    assert_eq!(integer(connection, "DECR k"), -1);
    call::<()>(connection, "SET k 1x");
    assert!(refusal(connection, "INCR k").contains("not an integer"));
}

#[test]
fn a_counter_keeps_its_ttl_however_long_it_grows() {
    let node = TestNode::start();
    let connection = &mut node.connect();
    call::<()>(connection, "SET k 9 PXAT 33177117420000");
    assert_eq!(integer(connection, "INCRBY k 999999999999999999"), 1_000_000_000_000_000_008);
    assert_eq!(text(connection, "INCRBYFLOAT k 0.5"), Some("1000000000000000008.5".into()));
    assert_eq!(integer(connection, "PEXPIRETIME k"), 33_177_117_420_000);
}

#[test]
fn ranges_count_from_both_ends() {
    let node = TestNode::start();
    let connection = &mut node.connect();
    call::<()>(connection, "SET k 0123456789");
    for (range, part) in
        [("0 3", "0123"), ("-3 -1", "789"), ("5 100", "56789"), ("-100 1", "01"), ("7 3", ""), ("-1 -5", "")]
    {
        assert_eq!(text(connection, &format!("GETRANGE k {range}")), Some(part.into()), "{range}");
    }
    assert_eq!(text(connection, "GETRANGE missing 0 -1"), Some(String::new()));
}

#[test]
fn strings_grow_by_appending_and_overwriting_up_to_their_limit() {
    let node = TestNode::start();
    let connection = &mut node.connect();
    assert_eq!(integer(connection, "APPEND k abc"), 3);
    assert_eq!(integer(connection, "SETRANGE k 5 xyz"), 8);
    let value: Vec<u8> = call(connection, "GET k");
    assert_eq!(value, b"abc\0\0xyz");
    let long = "x".repeat(40_000);
    assert_eq!(integer(connection, &format!("APPEND k {long}")), 40_008);
    assert_eq!(text(connection, "GETRANGE k 5 8"), Some("xyzx".into()));
    assert!(refusal(connection, "SETRANGE k 536870911 ab").contains("maximum allowed size"));
    assert!(refusal(connection, "SETRANGE k 9223372036854775807 a").contains("maximum allowed size"));
    assert!(refusal(connection, "SETRANGE k -1 a").contains("offset is out of range"));
    assert_eq!(integer(connection, "STRLEN k"), 40_008);
}

#[test]
fn mget_answers_in_order_with_nothing_for_what_is_no_string() {
    let node = TestNode::start();
    let connection = &mut node.connect();
    call::<()>(connection, "MSET a 1 b 2 c 3");
    call::<()>(connection, "RPUSH list x");
    let values: Vec<Option<String>> = call(connection, "MGET c missing list a a b");
    assert_eq!(values, [Some("3"), None, None, Some("1"), Some("1"), Some("2")].map(|v| v.map(String::from)));
}

#[test]
fn msetnx_writes_all_keys_or_none() {
    let node = TestNode::start();
    let connection = &mut node.connect();
    assert_eq!(integer(connection, "MSETNX a 1 b 2"), 1);
    assert_eq!(integer(connection, "MSETNX c 3 b 4"), 0);
    assert_eq!(integer(connection, "EXISTS a b c"), 2);
    assert!(refusal(connection, "MSET a 1 b").contains("wrong number of arguments for 'mset' command"));
}

#[test]
fn lcs_tells_the_subsequence_its_length_and_where_it_lies() {
    let node = TestNode::start();
    let connection = &mut node.connect();
    call::<()>(connection, "MSET a ohmytext b mynewtext");
    assert_eq!(text(connection, "LCS a b"), Some("mytext".into()));
    assert_eq!(integer(connection, "LCS a b LEN"), 6);
    type Runs = (String, Vec<((i64, i64), (i64, i64), i64)>, String, i64);
    let runs: Runs = call(connection, "LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN");
    assert_eq!(runs, ("matches".into(), vec![((4, 7), (5, 8), 4)], "len".into(), 6));
    assert!(refusal(connection, "LCS a b LEN IDX").contains("please just use IDX"));
}

#[test]
fn bits_are_set_counted_and_found() {
    let node = TestNode::start();
    let connection = &mut node.connect();
    assert_eq!(integer(connection, "SETBIT k 100000 1"), 0);
    assert_eq!(integer(connection, "SETBIT k 100000 1"), 1);
    assert_eq!(integer(connection, "STRLEN k"), 12_501);
    assert_eq!(integer(connection, "GETBIT k 100000"), 1);
    assert_eq!(integer(connection, "BITCOUNT k"), 1);
    assert_eq!(integer(connection, "BITPOS k 1"), 100_000);
    assert_eq!(integer(connection, "BITPOS k 1 100001 -1 BIT"), -1);
    assert_eq!(integer(connection, "BITPOS missing 0"), 0);
    assert!(refusal(connection, "SETBIT k 4294967296 1").contains("bit offset is not an integer or out of range"));
    assert!(refusal(connection, "SETBIT k 1 2").contains("bit is not an integer or out of range"));
}

#[test]
fn bitop_of_nothing_deletes_its_destination() {
    let node = TestNode::start();
    let connection = &mut node.connect();
    call::<()>(connection, "MSET a abc b ab destination x");
    assert_eq!(integer(connection, "BITOP AND destination a b"), 3);
    let value: Vec<u8> = call(connection, "GET destination");
    assert_eq!(value, b"ab\0");
    assert_eq!(integer(connection, "BITOP OR destination missing"), 0);
    assert_eq!(integer(connection, "EXISTS destination"), 0);
    assert!(refusal(connection, "BITOP NOT destination a b").contains("single source key"));
}

#[test]
fn bitfield_answers_each_operation_and_nothing_where_one_must_not_overflow() {
    let node = TestNode::start();
    let connection = &mut node.connect();
    let line =
        "BITFIELD k SET u8 0 255 INCRBY u8 0 1 OVERFLOW FAIL INCRBY u8 #1 256 OVERFLOW SAT INCRBY i5 16 100 GET u16 0";
    let answers: Vec<Option<i64>> = call(connection, line);
    assert_eq!(answers, [Some(0), Some(0), None, Some(15), Some(0)]);
    assert!(refusal(connection, "BITFIELD_RO k SET u8 0 1").contains("only supports the GET subcommand"));
    assert!(refusal(connection, "BITFIELD k GET u64 0").contains("Invalid bitfield type"));
    assert_eq!(call::<Vec<i64>>(connection, "BITFIELD_RO missing GET i64 1000"), [0]);
}

#[test]
fn hyperloglogs_count_what_they_saw_once() {
    let node = TestNode::start();
    let connection = &mut node.connect();
    assert_eq!(integer(connection, "PFADD a x y z"), 1);
    assert_eq!(integer(connection, "PFADD a x y z"), 0);
    assert_eq!(integer(connection, "PFADD b z 1"), 1);
    assert_eq!(integer(connection, "PFCOUNT a"), 3);
    assert_eq!(integer(connection, "PFCOUNT a b missing"), 4);
    call::<()>(connection, "PFMERGE c a b");
    call::<()>(connection, "PFMERGE empty");
    assert_eq!((integer(connection, "PFCOUNT c"), integer(connection, "PFCOUNT empty")), (4, 0));
    call::<()>(connection, "SET text abc");
    assert!(refusal(connection, "PFCOUNT text").contains("WRONGTYPE"));
    assert!(refusal(connection, "PFMERGE a text").contains("WRONGTYPE"));
}
