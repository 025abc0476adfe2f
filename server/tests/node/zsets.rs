//! Sorted sets.

use std::time::{Duration, Instant};

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

fn words(connection: &mut Connection, line: &str) -> Vec<String> {
    call(connection, line)
}

fn refusal(connection: &mut Connection, line: &str) -> String {
    try_call::<Value>(connection, line).expect_err(line).to_string()
}

#[test]
fn zadd_counts_new_members_or_with_ch_changed_ones() {
    let node = TestNode::start();
    let mut connection = node.connect();
    assert_eq!(call::<i64>(&mut connection, "ZADD z 1 a 2 b"), 2);
    assert_eq!(call::<i64>(&mut connection, "ZADD z 1 a 3 b 4 c"), 1);
    assert_eq!(call::<i64>(&mut connection, "ZADD z CH 1 a 5 b 6 d"), 2);
    assert_eq!(words(&mut connection, "ZRANGE z 0 -1 WITHSCORES"), ["a", "1", "c", "4", "b", "5", "d", "6"]);
}

#[test]
fn zadd_options_keep_scores_that_they_exclude() {
    let node = TestNode::start();
    let mut connection = node.connect();
    assert_eq!(call::<i64>(&mut connection, "ZADD z XX 1 a"), 0);
    assert_eq!(call::<i64>(&mut connection, "ZCARD z"), 0);
    call::<i64>(&mut connection, "ZADD z 5 a");
    call::<i64>(&mut connection, "ZADD z NX 6 a");
    call::<i64>(&mut connection, "ZADD z GT 4 a");
    call::<i64>(&mut connection, "ZADD z LT 6 a");
    assert_eq!(call::<f64>(&mut connection, "ZSCORE z a"), 5.0);
    assert_eq!(call::<Option<f64>>(&mut connection, "ZADD z GT INCR -1 a"), None);
    assert_eq!(call::<Option<f64>>(&mut connection, "ZADD z GT INCR 1.5 a"), Some(6.5));
}

#[test]
fn a_zadd_with_a_bad_score_or_option_changes_nothing() {
    let node = TestNode::start();
    let mut connection = node.connect();
    assert!(refusal(&mut connection, "ZADD z 1 a x b").contains("not a valid float"));
    assert!(refusal(&mut connection, "ZADD z nan a").contains("not a valid float"));
    assert!(refusal(&mut connection, "ZADD z 1 a 2").contains("syntax error"));
    assert!(refusal(&mut connection, "ZADD z NX XX 1 a").contains("XX and NX options"));
    assert!(refusal(&mut connection, "ZADD z INCR 1 a 2 b").contains("single increment-element pair"));
    assert_eq!(call::<i64>(&mut connection, "ZCARD z"), 0);
}

#[test]
fn an_increment_that_is_not_a_number_leaves_the_score() {
    let node = TestNode::start();
    let mut connection = node.connect();
    call::<i64>(&mut connection, "ZADD z inf a");
    assert!(refusal(&mut connection, "ZINCRBY z -inf a").contains("not a number (NaN)"));
    assert_eq!(call::<String>(&mut connection, "ZSCORE z a"), "inf");
    assert_eq!(call::<String>(&mut connection, "ZINCRBY z 2.5 b"), "2.5");
}

#[test]
fn the_key_goes_with_its_last_member() {
    let node = TestNode::start();
    let mut connection = node.connect();
    for removal in
        ["ZREM z a b", "ZREMRANGEBYRANK z 0 -1", "ZREMRANGEBYSCORE z 1 2", "ZREMRANGEBYLEX z - +", "ZPOPMIN z 9"]
    {
        call::<i64>(&mut connection, "ZADD z 1 a 1 b");
        call::<Value>(&mut connection, removal);
        // It would be refused as of the wrong type.
        assert_eq!(call::<Option<String>>(&mut connection, "GET z"), None, "{removal}");
    }
}

#[test]
fn ranges_are_read_from_either_end() {
    let node = TestNode::start();
    let mut connection = node.connect();
    call::<i64>(&mut connection, "ZADD z 1 a 2 b 3 c 4 d 5 e");
    assert_eq!(words(&mut connection, "ZRANGE z 1 -2"), ["b", "c", "d"]);
    assert_eq!(words(&mut connection, "ZRANGE z 0 1 REV"), ["e", "d"]);
    assert_eq!(words(&mut connection, "ZRANGE z (1 4 BYSCORE LIMIT 1 9"), ["c", "d"]);
    assert_eq!(words(&mut connection, "ZRANGE z +inf (2 BYSCORE REV LIMIT 1 1"), ["d"]);
    assert_eq!(words(&mut connection, "ZREVRANGEBYSCORE z 2 -inf WITHSCORES"), ["b", "2", "a", "1"]);
    assert_eq!(words(&mut connection, "ZRANGEBYSCORE z 1 5 LIMIT -1 2"), [""; 0]);
    assert_eq!(call::<i64>(&mut connection, "ZCOUNT z (1 +inf"), 4);
    assert_eq!(call::<i64>(&mut connection, "ZRANGESTORE y z 1 2"), 2);
    assert_eq!(words(&mut connection, "ZREVRANGE y 0 -1 WITHSCORES"), ["c", "3", "b", "2"]);
}

#[test]
fn members_of_equal_scores_are_found_by_name() {
    let node = TestNode::start();
    let mut connection = node.connect();
    call::<i64>(&mut connection, "ZADD z 0 a 0 b 0 c 0 d");
    assert_eq!(words(&mut connection, "ZRANGEBYLEX z [b (d"), ["b", "c"]);
    assert_eq!(words(&mut connection, "ZRANGE z + (b BYLEX REV"), ["d", "c"]);
    assert_eq!(call::<i64>(&mut connection, "ZLEXCOUNT z - [c"), 3);
    assert!(refusal(&mut connection, "ZRANGEBYLEX z b c").contains("not valid string range item"));
}

#[test]
fn ranks_count_from_either_end() {
    let node = TestNode::start();
    let mut connection = node.connect();
    call::<i64>(&mut connection, "ZADD z 1 a 2 b 3 c");
    assert_eq!(call::<Option<i64>>(&mut connection, "ZRANK z a"), Some(0));
    assert_eq!(call::<Option<i64>>(&mut connection, "ZREVRANK z a"), Some(2));
    assert_eq!(call::<Option<i64>>(&mut connection, "ZRANK z none"), None);
    assert_eq!(call::<(i64, f64)>(&mut connection, "ZRANK z c WITHSCORE"), (2, 3.0));
}

#[test]
fn unions_weigh_and_aggregate_sorted_and_plain_sets() {
    let node = TestNode::start();
    let mut connection = node.connect();
    call::<i64>(&mut connection, "ZADD x 1 a 2 b");
    call::<i64>(&mut connection, "ZADD y 10 b 20 c");
    assert_eq!(words(&mut connection, "ZUNION 2 x y WITHSCORES"), ["a", "1", "b", "12", "c", "20"]);
    assert_eq!(words(&mut connection, "ZINTER 2 x y WEIGHTS 2 3 AGGREGATE MAX WITHSCORES"), ["b", "30"]);
    assert_eq!(words(&mut connection, "ZDIFF 2 x y WITHSCORES"), ["a", "1"]);
    assert_eq!(call::<i64>(&mut connection, "ZINTERCARD 2 x y LIMIT 1"), 1);
    assert_eq!(call::<i64>(&mut connection, "ZUNIONSTORE x 2 x y WEIGHTS 1 0"), 3);
    assert_eq!(words(&mut connection, "ZRANGE x 0 -1 WITHSCORES"), ["c", "0", "a", "1", "b", "2"]);
}

#[test]
fn pops_take_from_the_end_they_name() {
    let node = TestNode::start();
    let mut connection = node.connect();
    call::<i64>(&mut connection, "ZADD z 1 a 2 b 3 c 4 d");
    assert_eq!(words(&mut connection, "ZPOPMAX z 2"), ["d", "4", "c", "3"]);
    assert_eq!(words(&mut connection, "BZPOPMIN none z 0"), ["z", "a", "1"]);
    let popped: (String, Vec<(String, f64)>) = call(&mut connection, "ZMPOP 2 none z MIN COUNT 5");
    assert_eq!(popped, ("z".to_owned(), vec![("b".to_owned(), 2.0)]));
    assert_eq!(call::<Value>(&mut connection, "ZMPOP 1 z MIN"), Value::Nil);
}

#[test]
fn a_blocked_pop_gets_the_member_that_another_client_adds() {
    let node = TestNode::start();
    let (mut waiting, mut adding) = (node.connect(), node.connect());
    let waiter = std::thread::spawn(move || words(&mut waiting, "BZPOPMAX z 20"));
    // The client may not be waiting yet at the first turns; then its command finds the member at once.
    let deadline = Instant::now() + Duration::from_secs(10);
    while !waiter.is_finished() && Instant::now() < deadline {
        call::<i64>(&mut adding, "ZADD z 7 a");
    }
    assert_eq!(waiter.join().expect("the waiting client got a reply"), ["z", "a", "7"]);
}

#[test]
fn a_scan_visits_every_member_of_a_large_set() {
    let node = TestNode::start();
    let mut connection = node.connect();
    let mut added = redis::cmd("ZADD");
    added.arg("z");
    for number in 0..1000 {
        added.arg(number).arg(format!("member:{number}"));
    }
    assert_eq!(added.query::<i64>(&mut connection).unwrap(), 1000);
    let (mut cursor, mut seen) = (0, std::collections::BTreeSet::new());
    loop {
        let (next, page): (u64, Vec<(String, f64)>) =
            call(&mut connection, &format!("ZSCAN z {cursor} COUNT 100 MATCH member:*"));
        seen.extend(page.into_iter().map(|(member, _)| member));
        cursor = next;
        if cursor == 0 {
            break;
        }
    }
    assert_eq!(seen.len(), 1000);
}

#[test]
fn random_members_are_distinct_unless_the_count_is_negative() {
    let node = TestNode::start();
    let mut connection = node.connect();
    call::<i64>(&mut connection, "ZADD z 1 a 2 b 3 c");
    let mut all = words(&mut connection, "ZRANDMEMBER z 9");
    all.sort_unstable();
    assert_eq!(all, ["a", "b", "c"]);
    assert_eq!(words(&mut connection, "ZRANDMEMBER z -9").len(), 9);
    assert!(refusal(&mut connection, "ZRANDMEMBER z -9223372036854775807").contains("out of range"));
}
