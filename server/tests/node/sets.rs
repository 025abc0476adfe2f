//! Sets.

use std::collections::HashSet;

use redis::Value;

use super::{
    lines::{call, patient, refusal},
    support::TestNode,
};

#[test]
fn a_set_changes_its_encoding_as_it_grows() {
    let node = TestNode::start();
    let mut client = patient(&node);
    call::<i64>(&mut client, "SADD s 1 2 3");
    assert_eq!(call::<String>(&mut client, "OBJECT ENCODING s"), "intset");
    call::<i64>(&mut client, "SADD s text");
    assert_eq!(call::<String>(&mut client, "OBJECT ENCODING s"), "listpack");
    for member in 0..200 {
        call::<i64>(&mut client, &format!("SADD s member-{member}"));
    }
    assert_eq!(call::<String>(&mut client, "OBJECT ENCODING s"), "hashtable");
    assert_eq!(call::<i64>(&mut client, "SCARD s"), 204);
    assert_eq!(call::<Vec<i64>>(&mut client, "SMISMEMBER s 1 text 4 member-199"), [1, 1, 0, 1]);
}

#[test]
fn members_come_as_a_set_in_resp3() {
    let node = TestNode::start();
    let mut client = patient(&node);
    call::<Value>(&mut client, "HELLO 3");
    for line in ["SMEMBERS s", "SINTER s", "SUNION s t", "SDIFF s", "SPOP s 2"] {
        assert!(matches!(call(&mut client, line), Value::Set(members) if members.is_empty()), "{line}");
    }
    call::<i64>(&mut client, "SADD s 1 2");
    for line in ["SMEMBERS s", "SINTER s", "SUNION s t", "SDIFF s", "SPOP s 2"] {
        assert!(matches!(call(&mut client, line), Value::Set(members) if members.len() == 2), "{line}");
    }
}

#[test]
fn a_scan_while_members_come_and_go_meets_all_that_stay() {
    let node = TestNode::start();
    let mut client = patient(&node);
    for member in 0..1000 {
        call::<i64>(&mut client, &format!("SADD s stays-{member} goes-{member}"));
    }
    let (mut cursor, mut met, mut step) = (0_u64, HashSet::new(), 0);
    loop {
        let (next, members): (u64, Vec<String>) = call(&mut client, &format!("SSCAN s {cursor} COUNT 20"));
        met.extend(members);
        call::<i64>(&mut client, &format!("SREM s goes-{step} goes-{}", 999 - step));
        call::<i64>(&mut client, &format!("SADD s comes-{step}"));
        (cursor, step) = (next, step + 1);
        if cursor == 0 {
            break;
        }
    }
    assert!((0..1000).all(|member| met.contains(&format!("stays-{member}"))));
}

#[test]
fn spop_takes_distinct_members_and_leaves_the_others() {
    let node = TestNode::start();
    let mut client = patient(&node);
    for member in 0..500 {
        call::<i64>(&mut client, &format!("SADD s {member} m{member}"));
    }
    let popped: HashSet<String> = call(&mut client, "SPOP s 400");
    let left: HashSet<String> = call(&mut client, "SMEMBERS s");
    assert_eq!((popped.len(), left.len()), (400, 600));
    assert!(popped.is_disjoint(&left));
}

#[test]
fn counts_beyond_reason_are_refused_before_they_cost_memory() {
    let node = TestNode::start();
    let mut client = patient(&node);
    call::<i64>(&mut client, "SADD s a");
    call::<()>(&mut client, "CONFIG SET proto-max-bulk-len 1mb");
    assert!(refusal(&mut client, "SRANDMEMBER s -9223372036854775807").contains("exceeds"));
    assert!(refusal(&mut client, "SINTERCARD 3 s").contains("Number of keys can't be greater than number of args"));
    assert!(refusal(&mut client, "SINTERCARD 1 s LIMIT -1").contains("LIMIT can't be negative"));
}
