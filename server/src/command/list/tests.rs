use crate::session::harness::Harness;

#[test]
fn a_list_goes_with_its_last_element() {
    let mut node = Harness::unjittered();
    for emptying in ["LPOP l", "RPOP l 5", "LTRIM l 1 0", "LREM l 0 a", "LMPOP 1 l LEFT", "LMOVE l other LEFT LEFT"] {
        node.call("RPUSH l a");
        node.call(emptying);
        assert_eq!(node.call("EXISTS l"), ":0", "{emptying}");
    }
}

#[test]
fn a_move_within_a_list_rotates_it() {
    let mut node = Harness::unjittered();
    node.call("RPUSH l a b c");
    assert_eq!(node.call("RPOPLPUSH l l"), "c");
    assert_eq!(node.call("LMOVE l l LEFT RIGHT"), "c");
    assert_eq!(node.call("LRANGE l 0 -1"), "a b c");
    node.call("RPUSH one x");
    assert_eq!(node.call("RPOPLPUSH one one"), "x");
    assert_eq!(node.call("LRANGE one 0 -1"), "x");
}

#[test]
fn a_move_onto_another_type_takes_nothing() {
    let mut node = Harness::unjittered();
    node.call("RPUSH l a");
    node.call("SET s v");
    assert!(node.call("LMOVE l s LEFT LEFT").starts_with("-WRONGTYPE"));
    assert_eq!(node.call("LRANGE l 0 -1"), "a");
    assert_eq!(node.call("LMOVE none s LEFT LEFT"), "$-1");
}

#[test]
fn a_move_is_one_effect_in_a_slot_and_two_over_slots() {
    let mut node = Harness::unjittered();
    node.call("RPUSH {t}a 1 2");
    node.effects();
    node.call("RPOPLPUSH {t}a {t}b");
    assert_eq!(node.effects(), ["LMOVE {t}a {t}b RIGHT LEFT"]);
    node.call("BLMOVE {t}b elsewhere LEFT RIGHT 0");
    let mut effects = node.effects();
    effects.sort_unstable();
    assert_eq!(effects, ["lpop {t}b", "rpush elsewhere 2"]);
}

#[test]
fn pops_that_choose_a_key_are_recorded_under_it() {
    let mut node = Harness::unjittered();
    node.call("RPUSH b 1 2 3 4");
    node.effects();
    node.call("LMPOP 2 a b LEFT COUNT 2");
    node.call("BRPOP a b 0");
    node.call("BLMPOP 0 2 a b RIGHT COUNT 9");
    assert_eq!(node.effects(), ["lpop b 2", "rpop b 1", "rpop b 1"]);
}

#[test]
fn a_command_that_finds_nothing_waits() {
    let mut node = Harness::unjittered();
    for waiting in ["BLPOP a b 0", "BRPOP a 1", "BLMPOP 1 1 a LEFT", "BLMOVE a b LEFT LEFT 1", "BRPOPLPUSH a b 0.5"] {
        assert_eq!(node.call(waiting), "(blocked)", "{waiting}");
    }
    node.call("SET a v");
    assert!(node.call("BLPOP a 0").starts_with("-WRONGTYPE"));
}

#[test]
fn bad_arguments_are_refused_in_known_words() {
    let mut node = Harness::unjittered();
    node.call("RPUSH l a");
    for (line, refusal) in [
        ("LPOP l -1", "-ERR value is out of range, must be positive"),
        ("LPOP l x", "-ERR value is out of range, must be positive"),
        ("LPOP l 1 2", "-ERR wrong number of arguments for 'lpop' command"),
        ("LINSERT l NEXT a b", "-ERR syntax error"),
        ("LSET l 1 x", "-ERR index out of range"),
        ("LSET l -2 x", "-ERR index out of range"),
        ("LSET none 0 x", "-ERR no such key"),
        ("LPOS l a COUNT -1", "-ERR COUNT can't be negative"),
        ("LPOS l a MAXLEN -1", "-ERR MAXLEN can't be negative"),
        ("LMPOP 0 l LEFT", "-ERR numkeys should be greater than 0"),
        ("LMPOP 9223372036854775807 l LEFT", "-ERR syntax error"),
        ("LMPOP 1 l LEFT COUNT 0", "-ERR count should be greater than 0"),
        ("LMPOP 1 l LEFT COUNT 1 COUNT 1", "-ERR syntax error"),
        ("BLPOP none -1", "-ERR timeout is negative"),
        ("BLPOP none x", "-ERR timeout is not a float or out of range"),
    ] {
        assert_eq!(node.call(line), refusal, "{line}");
    }
    assert_eq!(node.call("LRANGE l 0 -1"), "a");
}

#[test]
fn positions_follow_rank_count_and_maxlen() {
    let mut node = Harness::unjittered();
    node.call("RPUSH l a b c 1 2 3 c c");
    assert_eq!(node.call("LPOS l c"), ":2");
    assert_eq!(node.call("LPOS l c RANK -1"), ":7");
    assert_eq!(node.call("LPOS l c COUNT 0"), ":2 :6 :7");
    assert_eq!(node.call("LPOS l c COUNT 2 RANK -2"), ":6 :2");
    assert_eq!(node.call("LPOS l c COUNT 0 MAXLEN 3"), ":2");
    assert_eq!(node.call("LPOS l none"), "$-1");
    assert_eq!(node.call("LPOS l none COUNT 1"), "");
}
