//! Lists.

use redis::Value;

use super::{
    lines::{call, patient, refusal},
    support::TestNode,
};

#[test]
fn a_list_of_any_length_keeps_its_order_and_tells_its_encoding() {
    let node = TestNode::start();
    let mut client = patient(&node);
    for element in 0..2000 {
        call::<i64>(&mut client, &format!("RPUSH l element-{element:05}"));
    }
    assert_eq!(call::<String>(&mut client, "OBJECT ENCODING l"), "quicklist");
    let elements: Vec<String> = call(&mut client, "LRANGE l 990 1009");
    assert_eq!(elements, (990..1010).map(|element| format!("element-{element:05}")).collect::<Vec<_>>());
    call::<()>(&mut client, "LTRIM l -3 -1");
    assert_eq!(call::<String>(&mut client, "OBJECT ENCODING l"), "listpack");
    assert_eq!(call::<Vec<String>>(&mut client, "LRANGE l 0 -1"), ["element-01997", "element-01998", "element-01999"]);
}

#[test]
fn elements_of_any_bytes_and_a_megabyte_come_back() {
    let node = TestNode::start();
    let mut client = patient(&node);
    let large: Vec<u8> = (0..1 << 20).map(|at| (at % 251) as u8).collect();
    let elements: [&[u8]; 4] = [b"", b"\r\n\0", &large, b"last"];
    let _: i64 = redis::cmd("RPUSH").arg("l").arg(&elements[..]).query(&mut client).unwrap();
    let read: Vec<Vec<u8>> = call(&mut client, "LRANGE l 0 -1");
    assert_eq!(read, elements);
    let index: i64 = redis::cmd("LPOS").arg("l").arg(&large).query(&mut client).unwrap();
    assert_eq!(index, 2);
}

#[test]
fn lpushx_needs_a_list() {
    let node = TestNode::start();
    let mut client = patient(&node);
    assert_eq!(call::<i64>(&mut client, "LPUSHX l a"), 0);
    assert_eq!(call::<i64>(&mut client, "EXISTS l"), 0);
    call::<i64>(&mut client, "RPUSH l a");
    assert_eq!(call::<i64>(&mut client, "RPUSHX l b c"), 3);
}

#[test]
fn what_is_missing_is_null_of_the_right_kind() {
    let node = TestNode::start();
    let mut client = patient(&node);
    assert_eq!(call::<Value>(&mut client, "LPOP l"), Value::Nil);
    assert_eq!(call::<Value>(&mut client, "LPOP l 1"), Value::Nil);
    assert_eq!(call::<Value>(&mut client, "LMPOP 1 l LEFT"), Value::Nil);
    call::<i64>(&mut client, "RPUSH l a");
    assert_eq!(call::<Value>(&mut client, "LPOP l 0"), Value::Array(Vec::new()));
    assert_eq!(call::<Value>(&mut client, "LINDEX l 1"), Value::Nil);
}

#[test]
fn linsert_and_lrem_work_at_the_elements_they_name() {
    let node = TestNode::start();
    let mut client = patient(&node);
    call::<i64>(&mut client, "RPUSH l a b a b a");
    assert_eq!(call::<i64>(&mut client, "LINSERT l BEFORE b x"), 6);
    assert_eq!(call::<i64>(&mut client, "LINSERT l AFTER none x"), -1);
    assert_eq!(call::<i64>(&mut client, "LREM l -2 a"), 2);
    assert_eq!(call::<Vec<String>>(&mut client, "LRANGE l 0 -1"), ["a", "x", "b", "b"]);
}

#[test]
fn another_type_is_refused() {
    let node = TestNode::start();
    let mut client = patient(&node);
    call::<()>(&mut client, "SET s text");
    for line in
        ["LPUSH s a", "LPOP s", "LRANGE s 0 -1", "LLEN s", "LSET s 0 a", "LPOS s a", "LPUSHX s a", "LTRIM s 0 1"]
    {
        assert!(refusal(&mut client, line).contains("WRONGTYPE"), "{line}");
    }
    assert_eq!(call::<String>(&mut client, "GET s"), "text");
}
