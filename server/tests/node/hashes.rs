//! Hashes.

use std::collections::HashMap;

use redis::Value;

use super::{
    lines::{call, patient, refusal},
    support::TestNode,
};

#[test]
fn a_hash_changes_its_encoding_as_it_grows() {
    let node = TestNode::start();
    let mut client = patient(&node);
    for field in 0..512 {
        call::<i64>(&mut client, &format!("HSET h field-{field} {field}"));
    }
    assert_eq!(call::<String>(&mut client, "OBJECT ENCODING h"), "listpack");
    call::<i64>(&mut client, "HSET h one-more 1");
    assert_eq!(call::<String>(&mut client, "OBJECT ENCODING h"), "hashtable");
    assert_eq!(call::<i64>(&mut client, "HGET h field-511"), 511);
    let all: HashMap<String, String> = call(&mut client, "HGETALL h");
    assert_eq!(all.len(), 513);
}

#[test]
fn replies_take_their_resp3_forms() {
    let node = TestNode::start();
    let mut client = patient(&node);
    call::<Value>(&mut client, "HELLO 3");
    assert!(matches!(call(&mut client, "HGETALL h"), Value::Map(pairs) if pairs.is_empty()));
    call::<i64>(&mut client, "HSET h a 1");
    assert!(matches!(call(&mut client, "HGETALL h"), Value::Map(pairs) if pairs.len() == 1));
    let Value::Array(pairs) = call(&mut client, "HRANDFIELD h 2 WITHVALUES") else { panic!("not an array") };
    assert!(matches!(&pairs[..], [Value::Array(pair)] if pair.len() == 2));
    assert!(matches!(call(&mut client, "HGET h none"), Value::Nil));
}

#[test]
fn hset_wants_pairs() {
    let node = TestNode::start();
    let mut client = patient(&node);
    assert!(refusal(&mut client, "HSET h a 1 b").contains("wrong number of arguments for 'hset' command"));
    assert!(refusal(&mut client, "HMSET h a 1 b").contains("wrong number of arguments for 'hmset' command"));
    assert_eq!(call::<i64>(&mut client, "HSET h a 1 a 2 b 3"), 2);
    assert_eq!(call::<i64>(&mut client, "HSETNX h a 9"), 0);
    assert_eq!(call::<Vec<i64>>(&mut client, "HMGET h a b"), [2, 3]);
}

#[test]
fn field_deadlines_are_jittered_downwards_only_and_shared_by_the_fields() {
    let node = TestNode::start();
    let mut client = patient(&node);
    call::<()>(&mut client, "CONFIG SET ttl-jitter 50");
    call::<i64>(&mut client, "HSET h a 1 b 2");
    call::<Vec<i64>>(&mut client, "HEXPIRE h 1000000 FIELDS 2 a b");
    let deadlines: Vec<i64> = call(&mut client, "HPEXPIRETIME h FIELDS 2 a b");
    assert_eq!(deadlines[0], deadlines[1]);
    let ttls: Vec<i64> = call(&mut client, "HTTL h FIELDS 1 a");
    assert!((400_000..=1_000_000).contains(&ttls[0]), "{ttls:?}");
    call::<Vec<i64>>(&mut client, "HEXPIREAT h 4000000000 FIELDS 1 a");
    assert_eq!(call::<Vec<i64>>(&mut client, "HEXPIRETIME h FIELDS 1 a"), [4_000_000_000]);
}

#[test]
fn field_deadlines_that_are_none_are_refused() {
    let node = TestNode::start();
    let mut client = patient(&node);
    call::<i64>(&mut client, "HSET h a 1");
    for (line, words) in [
        ("HEXPIRE h -1 FIELDS 1 a", "invalid expire time, must be >= 0"),
        ("HEXPIRE h x FIELDS 1 a", "value is not an integer or out of range"),
        ("HEXPIRE h 9223372036854775807 FIELDS 1 a", "invalid expire time in 'hexpire' command"),
        ("HPEXPIREAT h 70368744177664 FIELDS 1 a", "invalid expire time in 'hpexpireat' command"),
        ("HEXPIRE h 10 FIELDS 0 a", "Parameter `numFields` should be greater than 0"),
        ("HEXPIRE h 10 FIELDS 2 a", "parameter must match the number of arguments"),
        ("HEXPIRE h 10 NO FIELDS 1 a", "Mandatory argument FIELDS is missing"),
        ("HGETEX h SOON FIELDS 1 a", "unknown argument: SOON"),
        ("HSETEX h FNX FXX FIELDS 1 a 1", "Only one of FXX or FNX arguments can be specified"),
        ("HSETEX h EX 1 KEEPTTL FIELDS 1 a 1", "Only one of EX, PX, EXAT, PXAT or KEEPTTL"),
    ] {
        assert!(refusal(&mut client, line).contains(words), "{line}: {}", refusal(&mut client, line));
    }
    assert_eq!(call::<Vec<i64>>(&mut client, "HTTL h FIELDS 1 a"), [-1]);
}

#[test]
fn fields_expire_without_being_asked_for_and_say_so() {
    let node = TestNode::start();
    let (mut client, mut listener) = (patient(&node), patient(&node));
    call::<()>(&mut client, "CONFIG SET notify-keyspace-events Khg");
    let mut listening = listener.as_pubsub();
    listening.subscribe("__keyspace@0__:h").expect("a subscription");
    call::<i64>(&mut client, "HSETEX h PX 1 FIELDS 2 a 1 b 2");
    let mut events = Vec::new();
    while events.last().is_none_or(|event| event != "del") {
        let message = listening.get_message().expect("an event");
        events.push(message.get_payload::<String>().expect("a name"));
    }
    assert_eq!(events, ["hset", "hexpire", "hexpired", "del"]);
}
