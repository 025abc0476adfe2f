//! Keys of any type: names, deadlines, walks, copies between servers.

use std::collections::BTreeSet;

use redis::{Connection, FromRedisValue, RedisResult, Value};

use super::support::TestNode;

fn try_call<T: FromRedisValue>(connection: &mut Connection, line: &str) -> RedisResult<T> {
    let mut words = line.split(' ');
    let mut command = redis::cmd(words.next().unwrap_or_default());
    words.for_each(|word| {
        command.arg(word);
    });
    command.query(connection)
}

/// Runs a command whose words are separated by blanks.
fn call<T: FromRedisValue>(connection: &mut Connection, line: &str) -> T {
    try_call(connection, line).unwrap_or_else(|error| panic!("{line}: {error}"))
}

fn integer(connection: &mut Connection, line: &str) -> i64 {
    call(connection, line)
}

fn text(connection: &mut Connection, line: &str) -> Option<String> {
    call(connection, line)
}

fn texts(connection: &mut Connection, line: &str) -> Vec<String> {
    call(connection, line)
}

fn refusal(connection: &mut Connection, line: &str) -> String {
    try_call::<Value>(connection, line).expect_err(line).to_string()
}

#[test]
fn deleting_and_counting_takes_many_keys_of_any_type() {
    let node = TestNode::start();
    let connection = &mut node.connect();
    call::<()>(connection, "MSET a 1 b 2");
    call::<()>(connection, "RPUSH list x");
    assert_eq!(integer(connection, "EXISTS a a list missing"), 3);
    assert_eq!(integer(connection, "TOUCH a missing"), 1);
    assert_eq!(call::<String>(connection, "TYPE list"), "list");
    assert_eq!(call::<String>(connection, "TYPE missing"), "none");
    assert_eq!(integer(connection, "DEL a list missing"), 2);
    assert_eq!(integer(connection, "UNLINK b"), 1);
    assert_eq!(integer(connection, "DBSIZE"), 0);
}

#[test]
fn a_renamed_key_takes_its_value_and_deadline_along() {
    let node = TestNode::start();
    let connection = &mut node.connect();
    call::<()>(connection, "SET from v PXAT 4102444800000");
    call::<()>(connection, "RPUSH to x");
    assert_eq!(integer(connection, "RENAMENX from to"), 0);
    call::<()>(connection, "RENAME from to");
    assert_eq!(text(connection, "GET to"), Some("v".into()));
    assert_eq!(integer(connection, "PEXPIRETIME to"), 4_102_444_800_000);
    assert_eq!(integer(connection, "EXISTS from"), 0);
    assert!(refusal(connection, "RENAME from to").contains("no such key"));
}

#[test]
fn a_copy_is_independent_of_its_source_also_in_another_database() {
    let node = TestNode::start();
    let connection = &mut node.connect();
    call::<()>(connection, "RPUSH list a b");
    assert_eq!(integer(connection, "COPY list list2"), 1);
    assert_eq!(integer(connection, "COPY list list2"), 0);
    assert_eq!(integer(connection, "COPY list list2 DB 3"), 1);
    call::<()>(connection, "RPUSH list c");
    assert_eq!(integer(connection, "LLEN list2"), 2);
    assert_eq!(integer(connection, "COPY list list2 REPLACE"), 1);
    assert_eq!(integer(connection, "LLEN list2"), 3);
    call::<()>(connection, "SELECT 3");
    assert_eq!(integer(connection, "LLEN list2"), 2);
    assert!(refusal(connection, "COPY list2 list2").contains("are the same"));
}

#[test]
fn a_key_moves_to_another_database_unless_it_is_there_already() {
    let node = TestNode::start();
    let connection = &mut node.connect();
    call::<()>(connection, "SET k v");
    assert_eq!(integer(connection, "MOVE k 5"), 1);
    assert_eq!(integer(connection, "MOVE k 5"), 0);
    call::<()>(connection, "SET k other");
    assert_eq!(integer(connection, "MOVE k 5"), 0);
    assert!(refusal(connection, "MOVE k 16").contains("out of range"));
    call::<()>(connection, "SWAPDB 0 5");
    assert_eq!(text(connection, "GET k"), Some("v".into()));
}

#[test]
fn conditions_decide_whether_a_deadline_is_set() {
    let node = TestNode::start();
    let connection = &mut node.connect();
    call::<()>(connection, "SET k v");
    assert_eq!(integer(connection, "TTL missing"), -2);
    assert_eq!(integer(connection, "TTL k"), -1);
    assert_eq!(integer(connection, "EXPIREAT k 4102444800 XX"), 0);
    assert_eq!(integer(connection, "EXPIREAT k 4102444800 GT"), 0);
    assert_eq!(integer(connection, "EXPIREAT k 4102444800 NX"), 1);
    assert_eq!(integer(connection, "EXPIREAT k 4102444900 LT"), 0);
    assert_eq!(integer(connection, "EXPIREAT k 4102444900 GT"), 1);
    assert_eq!(integer(connection, "EXPIRETIME k"), 4_102_444_900);
    assert!(refusal(connection, "EXPIRE k 1 NX XX").contains("not compatible"));
    assert!(refusal(connection, "EXPIRE k 1 never").contains("Unsupported option never"));
    assert_eq!(integer(connection, "PERSIST k"), 1);
    assert_eq!(integer(connection, "PERSIST k"), 0);
    assert_eq!(integer(connection, "EXPIRE k -1"), 1);
    assert_eq!(integer(connection, "EXISTS k"), 0);
}

#[test]
fn a_relative_ttl_is_shortened_and_an_absolute_deadline_is_not() {
    let node = TestNode::start();
    let connection = &mut node.connect();
    for key in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        call::<()>(connection, &format!("SET {key} v"));
        call::<()>(connection, &format!("EXPIRE {key} 100000"));
    }
    let ttls: BTreeSet<i64> =
        ["a", "b", "c", "d", "e", "f", "g", "h"].map(|key| integer(connection, &format!("PTTL {key}"))).into();
    assert!(ttls.len() > 1 && ttls.iter().all(|ttl_ms| (89_000_000..=100_000_000).contains(ttl_ms)), "{ttls:?}");
    call::<()>(connection, "PEXPIREAT a 4102444800123");
    assert_eq!(integer(connection, "PEXPIRETIME a"), 4_102_444_800_123);
}

#[test]
fn a_scan_with_filters_finds_each_key_once() {
    let node = TestNode::start();
    let connection = &mut node.connect();
    for index in 0..300 {
        call::<()>(connection, &format!("SET key:{index} v"));
        call::<()>(connection, &format!("SADD set:{index} v"));
    }
    let mut found = Vec::new();
    let mut cursor = "0".to_owned();
    loop {
        let (next, keys): (String, Vec<String>) =
            call(connection, &format!("SCAN {cursor} MATCH *:1* COUNT 7 TYPE set"));
        found.extend(keys);
        if next == "0" {
            break;
        }
        cursor = next;
    }
    assert_eq!(found.len(), 111);
    assert_eq!(found.iter().filter(|key| key.starts_with("set:1")).collect::<BTreeSet<_>>().len(), 111);
    assert_eq!(texts(connection, "KEYS key:1*").len(), 111);
    assert!(texts(connection, "KEYS *").contains(&text(connection, "RANDOMKEY").unwrap()));
    assert!(refusal(connection, "SCAN nowhere").contains("invalid cursor"));
    assert!(refusal(connection, "SCAN 0 COUNT 0").contains("syntax error"));
}

#[test]
fn walks_and_flushes_work_inside_a_transaction() {
    let node = TestNode::start();
    let connection = &mut node.connect();
    call::<()>(connection, "MSET a 1 b 2");
    for line in ["MULTI", "SET c 3", "DBSIZE", "KEYS *", "RANDOMKEY", "SWAPDB 0 1", "FLUSHALL", "DBSIZE"] {
        call::<()>(connection, line);
    }
    let (_, size, keys, _, _, _, left): (Value, i64, Vec<String>, String, Value, Value, i64) = call(connection, "EXEC");
    assert_eq!((size, keys.len(), left), (3, 3, 0));
}

#[test]
fn a_dumped_value_is_restored_under_another_name() {
    let node = TestNode::start();
    let connection = &mut node.connect();
    call::<()>(connection, "ZADD z 1.5 a -inf b");
    let payload: Vec<u8> = call(connection, "DUMP z");
    let restore = |connection: &mut Connection, key: &str, payload: &[u8], more: &[&str]| {
        redis::cmd("RESTORE").arg(key).arg(0).arg(payload).arg(more).query::<String>(connection)
    };
    assert_eq!(restore(connection, "copy", &payload, &[]).unwrap(), "OK");
    assert_eq!(texts(connection, "ZRANGE copy 0 -1 WITHSCORES"), ["b", "-inf", "a", "1.5"]);
    assert!(restore(connection, "copy", &payload, &[]).unwrap_err().to_string().contains("BUSYKEY"));
    assert!(restore(connection, "copy", &payload, &["REPLACE", "IDLETIME", "1000"]).is_ok());
    assert!(integer(connection, "OBJECT IDLETIME copy") >= 1000);
    let mut corrupt = payload;
    corrupt[3] ^= 1;
    let error = restore(connection, "other", &corrupt, &[]).unwrap_err().to_string();
    assert!(error.contains("DUMP payload version or checksum are wrong"), "{error}");
    assert_eq!(text(connection, "DUMP missing"), None);
}

#[test]
fn sort_follows_patterns_into_other_keys_and_stores_its_result() {
    let node = TestNode::start();
    let connection = &mut node.connect();
    call::<()>(connection, "RPUSH list 1 2 3");
    call::<()>(connection, "MSET weight_1 30 weight_2 10 weight_3 20 name_1 one");
    call::<()>(connection, "HSET hash_2 field two");
    assert_eq!(texts(connection, "SORT list DESC LIMIT 0 2"), ["3", "2"]);
    assert_eq!(texts(connection, "SORT list BY weight_*"), ["2", "3", "1"]);
    assert_eq!(
        call::<Vec<Option<String>>>(connection, "SORT_RO list BY nosort GET name_* GET hash_*->field GET #"),
        [Some("one"), None, Some("1"), None, Some("two"), Some("2"), None, None, Some("3"),]
            .map(|found: Option<&str>| found.map(str::to_owned))
    );
    assert_eq!(integer(connection, "SORT list BY weight_* STORE sorted"), 3);
    assert_eq!(texts(connection, "LRANGE sorted 0 -1"), ["2", "3", "1"]);
    assert!(refusal(connection, "SORT_RO list STORE x").contains("syntax error"));
    call::<()>(connection, "RPUSH list word");
    assert!(refusal(connection, "SORT list").contains("can't be converted into double"));
    assert_eq!(texts(connection, "SORT list ALPHA"), ["1", "2", "3", "word"]);
}

#[test]
fn a_watched_key_that_had_expired_before_does_not_abort_the_transaction() {
    let node = TestNode::start();
    let connection = &mut node.connect();
    call::<()>(connection, "DEBUG SET-ACTIVE-EXPIRE 0");
    call::<()>(connection, "SET k v PX 1");
    while integer(connection, "PTTL k") != -2 {}
    for line in ["WATCH k", "MULTI", "PING"] {
        call::<()>(connection, line);
    }
    assert_eq!(texts(connection, "EXEC"), ["PONG"]);
}

#[test]
fn expired_keys_and_fields_disappear_without_being_asked_for() {
    let node = TestNode::start();
    let connection = &mut node.connect();
    for index in 0..1000 {
        call::<()>(connection, &format!("SET key:{index} v PX 1"));
    }
    call::<()>(connection, "HSET hash a 1 b 2");
    call::<()>(connection, "HPEXPIRE hash 1 FIELDS 2 a b");
    let started = std::time::Instant::now();
    while integer(connection, "DBSIZE") != 0 {
        assert!(started.elapsed().as_secs() < 20, "expired keys stay");
        std::thread::yield_now();
    }
}

#[test]
fn debug_answers_a_reply_of_each_type_and_digests_that_follow_the_content() {
    let node = TestNode::start();
    let connection = &mut node.connect();
    assert_eq!(integer(connection, "DEBUG PROTOCOL integer"), 12345);
    call::<()>(connection, "SADD a 1 2 3");
    call::<()>(connection, "SADD b 3 2 1");
    call::<()>(connection, "SADD c 1 2");
    let digests = texts(connection, "DEBUG DIGEST-VALUE a b c missing");
    assert!(digests[0] == digests[1] && digests[0] != digests[2] && digests.iter().all(|digest| digest.len() == 40));
    assert_eq!(digests[3], "0".repeat(40));
    assert!(call::<String>(connection, "DEBUG OBJECT a").contains("encoding:intset"));
    assert!(refusal(connection, "DEBUG NONSENSE").contains("DEBUG HELP"));
}
