//! What copies are told of the family's commands.

use crate::{
    config::settings::Settings,
    session::harness::{Harness, NOW_MS, effects_of},
};

#[test]
fn a_relative_ttl_becomes_a_deadline() {
    let deadline = NOW_MS + 100_000;
    let set = [format!("SET k v PXAT {deadline}")];
    for line in ["SET k v EX 100", "SET k v PX 100000", "SETEX k 100 v", "PSETEX k 100000 v", "SET k v GET XX EX 100"] {
        assert_eq!(effects_of(&["SET k old", line]), set, "{line}");
    }
    assert_eq!(effects_of(&["SET k v NX EX 100"]), set);
    assert_eq!(effects_of(&["SET k v", "GETEX k EX 100"]), [format!("PEXPIREAT k {deadline}")]);
}

#[test]
fn the_deadline_that_is_told_is_the_jittered_one() {
    let mut harness = Harness::new(Settings { ttl_jitter_percent: 50, ..Settings::default() });
    harness.run("SET k v EX 100");
    let reply = harness.run("PEXPIRETIME k");
    let deadline = reply.trim_start_matches(':').trim_end_matches("|");
    assert_eq!(harness.effects(), [format!("SET k v PXAT {deadline}")]);
    assert!(deadline.parse::<u64>().unwrap() < NOW_MS + 100_000);
}

#[test]
fn conditions_and_wishes_for_a_reply_are_left_out() {
    assert_eq!(effects_of(&["SET k v NX GET"]), ["SET k v"]);
    assert_eq!(effects_of(&["SETNX k v"]), ["SET k v"]);
    assert_eq!(effects_of(&["GETSET k v"]), ["SET k v"]);
    assert_eq!(effects_of(&["SET k v", "SET k w IFEQ v KEEPTTL"]), ["SET k w KEEPTTL"]);
    assert_eq!(effects_of(&["SET k v", "GETDEL k"]), ["DEL k"]);
}

#[test]
fn what_changes_nothing_is_not_told() {
    for line in ["SET k w NX", "SET k w IFEQ x", "SETNX k w", "MSETNX k w l w", "GETEX k", "GETEX k PERSIST", "GET k"] {
        assert_eq!(effects_of(&["SET k v", line]), Vec::<String>::new(), "{line}");
    }
    assert_eq!(effects_of(&["GETDEL missing"]), Vec::<String>::new());
}

#[test]
fn a_deadline_in_the_past_is_a_deletion() {
    for line in ["SET k w EXAT 1", "GETEX k PXAT 1"] {
        assert_eq!(effects_of(&["SET k v", line]), ["DEL k"], "{line}");
    }
}

#[test]
fn every_key_of_several_has_an_effect_of_its_own() {
    let mut effects = effects_of(&["MSET a 1 b 2 c 3"]);
    effects.sort();
    assert_eq!(effects, ["SET a 1", "SET b 2", "SET c 3"]);
}

#[test]
fn copies_take_the_digits_of_a_float_as_they_are() {
    assert_eq!(effects_of(&["SET k 1.5", "INCRBYFLOAT k 0.1"]), ["SET k 1.6 KEEPTTL"]);
}

#[test]
fn an_expired_key_that_a_write_meets_is_deleted_first() {
    let mut harness = Harness::new(Settings::default());
    harness.run("SET k 5 PX 100");
    harness.effects();
    harness.now_ms += 100;
    assert_eq!(harness.run("INCR k"), ":1|");
    assert_eq!(harness.effects(), ["DEL k", "INCR k"]);
}
