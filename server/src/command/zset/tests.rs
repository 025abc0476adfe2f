//! Replies in RESP3, and what copies get to apply.

use crate::session::harness::Harness;

#[test]
fn scores_are_doubles_and_come_in_pairs_in_resp3() {
    let mut harness = Harness::unjittered().with_resp3();
    harness.run("ZADD z 1.5 a 2 b 3 c");
    assert_eq!(harness.run("ZSCORE z a"), ",1.5|");
    assert_eq!(harness.run("ZRANGE z 0 1 WITHSCORES"), "*2|*2|$1|a|,1.5|*2|$1|b|,2|");
    assert_eq!(harness.run("ZRANK z b WITHSCORE"), "*2|:1|,2|");
    assert_eq!(harness.run("ZUNION 1 z WITHSCORES").matches(",").count(), 3);
    assert_eq!(harness.run("ZPOPMIN z"), "*2|$1|a|,1.5|");
    assert_eq!(harness.run("ZPOPMIN z 1"), "*1|*2|$1|b|,2|");
    assert_eq!(harness.run("ZMPOP 1 z MAX"), "*2|$1|z|*1|*2|$1|c|,3|");
    assert_eq!(harness.run("ZMPOP 1 z MAX"), "_|");
    harness.run("ZADD z 4 d");
    assert_eq!(harness.run("BZPOPMAX z 1"), "*3|$1|z|$1|d|,4|");
}

#[test]
fn scans_reply_scores_as_strings_in_both_versions() {
    for mut harness in [Harness::unjittered(), Harness::unjittered().with_resp3()] {
        harness.run("ZADD z 1.5 a");
        assert_eq!(harness.run("ZSCAN z 0"), "*2|$1|0|*2|$1|a|$3|1.5|");
        assert_eq!(harness.run("ZSCAN z 0 NOSCORES"), "*2|$1|0|*1|$1|a|");
    }
}

#[test]
fn copies_get_results_rather_than_choices_and_sums() {
    let mut harness = Harness::unjittered();
    harness.run("ZADD z 1 a 2 b 3 c");
    harness.run("ZINCRBY z 0.1 a");
    harness.run("ZADD z NX 9 a");
    harness.run("ZPOPMAX z");
    harness.run("ZMPOP 1 z MIN COUNT 5");
    harness.run("ZPOPMIN z");
    let expected = ["ZADD z 1 a 2 b 3 c", "ZADD z 1.1 a", "ZREM z c", "ZREM z a b"];
    assert_eq!(harness.effects(), expected);
}

#[test]
fn what_is_stored_is_an_effect_on_the_destination_alone() {
    let mut harness = Harness::unjittered();
    harness.run("ZADD source 1 a 2 b");
    harness.effects();
    harness.run("ZRANGESTORE destination source 0 0");
    assert_eq!(harness.effects(), ["DEL destination", "ZADD destination 1 a"]);
    harness.run("ZUNIONSTORE destination 1 none");
    assert_eq!(harness.effects(), ["DEL destination"]);
    harness.run("ZUNIONSTORE destination 1 none");
    assert_eq!(harness.effects(), [""; 0]);
}

#[test]
fn a_copy_that_applies_the_effects_holds_the_same_sets() {
    let seed = fastrand::u64(..);
    let mut rng = fastrand::Rng::with_seed(seed);
    let (mut owner, mut copy) =
        (Harness::unjittered().with_seed(seed), Harness::unjittered().with_seed(seed.wrapping_add(1)));
    for _ in 0..3000 {
        let (key, other) = (rng.u8(..4), rng.u8(..4));
        let (member, score) = (rng.u8(..40), f64::from(rng.i8(..)) / 3.0);
        let line = match rng.u8(..12) {
            0..3 => format!("ZADD k{key} {score} m{member}"),
            3 => format!("ZADD k{key} GT CH {score} m{member} {score} n{member}"),
            4 => format!("ZINCRBY k{key} {score} m{member}"),
            5 => format!("ZPOPMIN k{key} {}", member % 4),
            6 => format!("BZPOPMAX k{key} k{other} 0.001"),
            7 => format!("ZUNIONSTORE k{key} 2 k{key} k{other} WEIGHTS 0.3 0.7"),
            8 => format!("ZRANGESTORE k{key} k{other} 0 20"),
            9 => format!("ZREMRANGEBYRANK k{key} 0 {}", member % 8),
            10 => format!("ZREM k{key} m{member} n{member}"),
            _ => format!("ZDIFFSTORE k{key} 2 k{key} k{other}"),
        };
        owner.run(&line);
        owner.replicate_to(&mut copy);
    }
    for key in 0..4 {
        let line = format!("ZRANGE k{key} 0 -1 WITHSCORES");
        assert_eq!(owner.run(&line), copy.run(&line), "seed {seed}");
    }
}

#[test]
fn no_arguments_make_a_command_panic() {
    let seed = fastrand::u64(..);
    eprintln!("seed {seed}");
    let vocabulary = [
        "a",
        "b",
        "c",
        "0",
        "1",
        "2",
        "-1",
        "3",
        "9223372036854775807",
        "-9223372036854775808",
        "1.5",
        "-inf",
        "inf",
        "(1",
        "[a",
        "(b",
        "-",
        "+",
        "nan",
        "MIN",
        "MAX",
        "COUNT",
        "LIMIT",
        "WEIGHTS",
        "AGGREGATE",
        "SUM",
        "WITHSCORES",
        "WITHSCORE",
        "BYSCORE",
        "BYLEX",
        "REV",
        "NX",
        "XX",
        "GT",
        "LT",
        "CH",
        "INCR",
        "MATCH",
        "NOSCORES",
        "",
    ];
    Harness::unjittered().run_nonsense(seed, super::HANDLERS, &vocabulary);
}
