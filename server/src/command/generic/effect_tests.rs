//! What copies are told of commands on keys of any type, and on their deadlines.

use crate::session::harness::{self, NOW_MS};

/// The effects of the last line, in the order of the alphabet.
fn effects_of(lines: &[&str]) -> Vec<String> {
    let mut effects = harness::effects_of(lines);
    effects.sort();
    effects
}

#[test]
fn each_deleted_key_has_an_effect_of_its_own() {
    assert_eq!(effects_of(&["MSET a 1 b 2", "DEL a b missing"]), ["DEL a", "DEL b"]);
    assert_eq!(effects_of(&["SET a 1", "DEL a"]), ["DEL a"]);
    assert_eq!(effects_of(&["DEL a"]), [""; 0]);
}

#[test]
fn a_relative_deadline_is_told_as_an_absolute_one() {
    let told = [format!("PEXPIREAT k {}", NOW_MS + 100_000)];
    for line in ["EXPIRE k 100", "PEXPIRE k 100000 NX"] {
        assert_eq!(effects_of(&["SET k v", line]), told, "{line}");
    }
    assert_eq!(effects_of(&["SET k v", "EXPIREAT k 4102444800"]), ["PEXPIREAT k 4102444800000"]);
    assert_eq!(effects_of(&["SET k v", "EXPIRE k 100 XX"]), [""; 0]);
    assert_eq!(effects_of(&["SET k v EX 100", "PERSIST k"]), ["PERSIST k"]);
}

#[test]
fn a_deadline_in_the_past_is_told_as_a_deletion() {
    for line in ["EXPIRE k -1", "PEXPIRE k 0", "EXPIREAT k 1"] {
        assert_eq!(effects_of(&["SET k v", line]), ["DEL k"], "{line}");
    }
}

#[test]
fn what_sort_stores_is_told_as_a_list() {
    assert_eq!(effects_of(&["RPUSH l 3 1 2", "SORT l STORE to"]), ["DEL to", "RPUSH to 1 2 3"]);
    assert_eq!(effects_of(&["RPUSH to 1", "SORT missing STORE to"]), ["DEL to"]);
}
