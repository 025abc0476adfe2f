use crate::session::harness::Harness;

#[test]
fn a_field_is_gone_from_its_deadline_on() {
    let mut node = Harness::unjittered();
    node.call("HSET h a 1 b 2");
    assert_eq!(node.call("HPEXPIRE h 1500 FIELDS 2 a none"), ":1 :-2");
    node.now_ms += 1499;
    assert_eq!(node.call("HGET h a"), "1");
    assert_eq!(node.call("HTTL h FIELDS 3 a b none"), ":1 :-1 :-2");
    node.now_ms += 1;
    assert_eq!(node.call("HMGET h a b"), "$-1 2");
    assert_eq!(node.call("HLEN h"), ":1");
    assert_eq!(node.call("HGETALL h"), "b 2");
    assert_eq!(node.call("HEXISTS h a"), ":0");
    assert_eq!(node.call("HSCAN h 0 NOVALUES"), "0 b");
    assert_eq!(node.call("HRANDFIELD h 5"), "b");
}

#[test]
fn a_write_removes_expired_fields_for_the_copies_too() {
    let mut node = Harness::unjittered();
    node.call("HSET h a 5");
    node.call("HPEXPIRE h 10 FIELDS 1 a");
    node.effects();
    node.now_ms += 10;
    assert_eq!(node.call("HINCRBY h a 1"), ":1");
    assert_eq!(node.effects(), ["HDEL h a", "HINCRBY h a 1"]);
    assert_eq!(node.call("HTTL h FIELDS 1 a"), ":-1");
}

#[test]
fn a_hash_goes_with_its_last_field() {
    let mut node = Harness::unjittered();
    node.call("HSET h a 1");
    assert_eq!(node.call("HEXPIRE h 0 FIELDS 1 a"), ":2");
    assert_eq!(node.call("EXISTS h"), ":0");
    node.call("HSET h a 1");
    node.call("HPEXPIRE h 5 FIELDS 1 a");
    node.now_ms += 5;
    assert_eq!(node.call("HDEL h a"), ":0");
    assert_eq!(node.call("EXISTS h"), ":0");
}

#[test]
fn setting_a_field_lifts_its_deadline_and_incrementing_it_does_not() {
    let mut node = Harness::unjittered();
    node.call("HSET h a 1 b 1");
    node.call("HEXPIRE h 100 FIELDS 2 a b");
    node.call("HSET h a 2");
    assert_eq!(node.call("HINCRBYFLOAT h b 0.5"), "1.5");
    assert_eq!(node.call("HTTL h FIELDS 2 a b"), ":-1 :100");
}

#[test]
fn conditions_decide_field_by_field() {
    let mut node = Harness::unjittered();
    node.call("HSET h a 1 b 1");
    node.call("HEXPIRE h 100 FIELDS 1 a");
    assert_eq!(node.call("HEXPIRE h 200 NX FIELDS 2 a b"), ":0 :1");
    assert_eq!(node.call("HEXPIRE h 150 GT FIELDS 2 a b"), ":1 :0");
    assert_eq!(node.call("HEXPIRE h 150 LT FIELDS 2 a b"), ":0 :1");
    assert_eq!(node.call("HPERSIST h FIELDS 3 a b c"), ":1 :1 :-2");
    assert_eq!(node.call("HEXPIRE h 10 XX FIELDS 1 a"), ":0");
    assert_eq!(node.call("HEXPIRE h 10 GT FIELDS 1 a"), ":0");
    assert_eq!(node.call("HEXPIRE h 10 LT FIELDS 1 a"), ":1");
}

#[test]
fn hgetex_answers_and_then_changes_deadlines() {
    let mut node = Harness::unjittered();
    assert_eq!(node.call("HGETEX h EX 10 FIELDS 2 a b"), "$-1 $-1");
    node.call("HSET h a 1");
    assert_eq!(node.call("HGETEX h EX 10 FIELDS 2 a b"), "1 $-1");
    assert_eq!(node.call("HPTTL h FIELDS 1 a"), ":10000");
    assert_eq!(node.call("HGETEX h PERSIST FIELDS 1 a"), "1");
    assert_eq!(node.call("HPTTL h FIELDS 1 a"), ":-1");
    assert_eq!(node.call("HGETEX h PXAT 5 FIELDS 1 a"), "1");
    assert_eq!(node.call("EXISTS h"), ":0");
    assert!(node.call("HGETEX h PERSIST EX 5 FIELDS 1 a").starts_with("-ERR Only one of"));
}

#[test]
fn hgetdel_answers_and_removes() {
    let mut node = Harness::unjittered();
    node.call("HSET h a 1 b 2");
    assert_eq!(node.call("HGETDEL h FIELDS 3 a a b"), "1 $-1 2");
    assert_eq!(node.call("EXISTS h"), ":0");
}

#[test]
fn hsetex_sets_all_fields_or_none() {
    let mut node = Harness::unjittered();
    assert_eq!(node.call("HSETEX h FXX EX 10 FIELDS 1 a 1"), ":0");
    assert_eq!(node.call("HSETEX h FNX EX 10 FIELDS 2 a 1 b 2"), ":1");
    assert_eq!(node.call("HSETEX h FNX FIELDS 2 c 1 b 3"), ":0");
    assert_eq!(node.call("HSETEX h KEEPTTL FIELDS 1 a 5"), ":1");
    assert_eq!(node.call("HSETEX h FXX FIELDS 1 b 6"), ":1");
    assert_eq!(node.call("HMGET h a b c"), "5 6 $-1");
    assert_eq!(node.call("HTTL h FIELDS 2 a b"), ":10 :-1");
    assert_eq!(node.call("HSETEX h PXAT 1 FIELDS 2 a 1 b 1"), ":1");
    assert_eq!(node.call("EXISTS h"), ":0");
}

#[test]
fn copies_are_told_final_deadlines_and_sums() {
    let mut node = Harness::unjittered();
    node.call("HSET h a 1 b 1");
    node.effects();
    node.call("HEXPIRE h 100 NX FIELDS 2 a none");
    node.call("HINCRBYFLOAT h a 0.5");
    node.call("HINCRBYFLOAT h b 0.5");
    node.call("HSETEX h FNX PX 50 FIELDS 1 c 1");
    assert_eq!(
        node.effects(),
        [
            "HPEXPIREAT h 1700000100000 FIELDS 1 a",
            "HSETEX h KEEPTTL FIELDS 1 a 1.5",
            "HSET h b 1.5",
            "HSETEX h PXAT 1700000000050 FIELDS 1 c 1"
        ]
    );
}

#[test]
fn a_copy_holds_what_its_owner_holds() {
    let (mut owner, mut copy) = (Harness::unjittered(), Harness::unjittered());
    owner.call("HSETEX h PX 500 FIELDS 3 a 1 b 2 c 3");
    owner.call("HPEXPIRE h 700 FIELDS 1 b");
    owner.call("HPERSIST h FIELDS 1 a");
    owner.replicate_to(&mut copy);
    assert_eq!(copy.call("HPTTL h FIELDS 3 a b c"), ":-1 :700 :500");
    owner.now_ms += 500;
    owner.call("HINCRBY h c 1");
    owner.replicate_to(&mut copy);
    assert_eq!(copy.call("HMGET h a b c"), "1 2 1");
    assert_eq!(copy.call("HPTTL h FIELDS 1 c"), ":-1");
}

#[test]
fn a_copy_hides_what_has_expired_and_leaves_it_to_its_owner() {
    let (mut owner, mut copy) = (Harness::unjittered(), Harness::unjittered());
    owner.call("HSETEX h PX 500 FIELDS 1 a 1");
    owner.replicate_to(&mut copy);
    copy.now_ms += 500;
    assert_eq!(copy.call("HGET h a"), "$-1");
    assert_eq!(copy.call("EXISTS h"), ":1");
}

#[test]
fn a_failed_increment_leaves_no_empty_hash() {
    let mut node = Harness::unjittered();
    assert!(node.call("HINCRBYFLOAT h a inf").starts_with("-ERR"));
    assert_eq!(node.call("EXISTS h"), ":0");
    node.call("HSET h a text b 9223372036854775807");
    assert_eq!(node.call("HINCRBY h a 1"), "-ERR hash value is not an integer");
    assert_eq!(node.call("HINCRBYFLOAT h a 1"), "-ERR hash value is not a float");
    assert_eq!(node.call("HINCRBY h b 1"), "-ERR increment or decrement would overflow");
}
