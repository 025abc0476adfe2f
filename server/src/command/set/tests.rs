use crate::session::harness::Harness;

fn sorted(reply: &str) -> Vec<&str> {
    let mut members: Vec<&str> = reply.split(' ').filter(|member| !member.is_empty()).collect();
    members.sort_unstable();
    members
}

#[test]
fn a_set_goes_with_its_last_member() {
    let mut node = Harness::unjittered();
    for emptying in ["SREM s a", "SPOP s", "SPOP s 3", "SMOVE s other a", "SINTERSTORE s s none"] {
        node.call("SADD s a");
        node.call(emptying);
        assert_eq!(node.call("EXISTS s"), ":0", "{emptying}");
    }
}

#[test]
fn unions_intersections_and_differences_are_stored() {
    let mut node = Harness::unjittered();
    node.call("SADD a 1 2 3 x");
    node.call("SADD b 2 3 4");
    assert_eq!(node.call("SUNIONSTORE r a b"), ":5");
    assert_eq!(node.call("SINTERSTORE r a b"), ":2");
    assert_eq!(sorted(&node.call("SMEMBERS r")), ["2", "3"]);
    assert_eq!(node.call("SDIFFSTORE a a b none"), ":2");
    assert_eq!(sorted(&node.call("SMEMBERS a")), ["1", "x"]);
    assert_eq!(node.call("SINTERCARD 2 b r LIMIT 1"), ":1");
    assert_eq!(node.call("SINTERCARD 2 b none"), ":0");
}

#[test]
fn a_stored_result_replaces_any_type() {
    let mut node = Harness::unjittered();
    node.call("SET r v");
    node.call("SADD a 1");
    assert_eq!(node.call("SUNIONSTORE r a"), ":1");
    assert_eq!(node.call("TYPE r"), "+set");
}

#[test]
fn another_type_among_the_sources_changes_nothing() {
    let mut node = Harness::unjittered();
    node.call("SET s v");
    node.call("SADD r 1");
    for line in ["SINTERSTORE r none s", "SUNIONSTORE r none s", "SDIFFSTORE r none s", "SINTER s none", "SMOVE r s 1"]
    {
        assert!(node.call(line).starts_with("-WRONGTYPE"), "{line}");
    }
    assert_eq!(node.call("SMEMBERS r"), "1");
}

#[test]
fn copies_are_told_which_members_were_drawn() {
    let mut node = Harness::unjittered();
    node.call("SADD s a b c");
    node.effects();
    let drawn = node.call("SPOP s");
    let effects = node.effects();
    assert_eq!(effects, [format!("SREM s {drawn}")]);
    let drawn = node.call("SPOP s 1");
    assert_eq!(node.effects(), [format!("SREM s {drawn}")]);
    node.call("SPOP s 9");
    assert_eq!(node.effects(), ["DEL s"]);
    node.call("SPOP s");
    assert_eq!(node.effects(), Vec::<String>::new());
}

#[test]
fn copies_of_another_slot_are_told_the_members() {
    let mut node = Harness::unjittered();
    node.call("SADD a 1 2");
    node.effects();
    node.call("SUNIONSTORE elsewhere a");
    assert_eq!(node.effects(), ["DEL elsewhere", "SADD elsewhere 1 2"]);
    node.call("SUNIONSTORE {a}b a");
    assert_eq!(node.effects(), ["SUNIONSTORE {a}b a"]);
    node.call("SMOVE a elsewhere 1");
    let mut effects = node.effects();
    effects.sort_unstable();
    assert_eq!(effects, ["SADD elsewhere 1", "SREM a 1"]);
}

#[test]
fn a_negative_count_draws_with_repetition() {
    let mut node = Harness::unjittered();
    node.call("SADD s a");
    assert_eq!(node.call("SRANDMEMBER s -3"), "a a a");
    assert_eq!(node.call("SRANDMEMBER s 3"), "a");
    assert!(node.call("SRANDMEMBER s -9223372036854775808").starts_with("-ERR value is out of range"));
}

#[test]
fn a_scan_meets_every_member_once() {
    let mut node = Harness::unjittered();
    for member in 0..300 {
        node.call(&format!("SADD s m{member}"));
    }
    let mut met = Vec::new();
    let mut cursor = "0".to_owned();
    loop {
        let page = node.call(&format!("SSCAN s {cursor} COUNT 7 MATCH m*"));
        let mut words = page.split(' ').map(str::to_owned);
        cursor = words.next().unwrap_or_default();
        met.extend(words);
        if cursor == "0" {
            break;
        }
    }
    assert_eq!(met.len(), 300);
    met.sort_unstable();
    met.dedup();
    assert_eq!(met.len(), 300);
}
