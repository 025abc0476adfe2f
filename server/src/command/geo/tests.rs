//! Replies in RESP3, and what copies get to apply.

use crate::session::harness::Harness;

fn with_palermo(mut harness: Harness) -> Harness {
    harness.run("GEOADD places 13.361389 38.115556 Palermo");
    harness.effects();
    harness
}

#[test]
fn coordinates_are_doubles_and_distances_strings_in_resp3() {
    let mut harness = with_palermo(Harness::unjittered().with_resp3());
    assert_eq!(harness.run("GEOPOS places Palermo none"), "*2|*2|,13.36138933897018433|,38.11555639549629859|_|");
    let search = "GEOSEARCH places FROMMEMBER Palermo BYRADIUS 1 km WITHDIST WITHHASH";
    assert_eq!(harness.run(search), "*1|*3|$7|Palermo|$6|0.0000|:3479099956230698|");
}

#[test]
fn a_stored_search_is_an_effect_on_the_destination_alone() {
    let mut harness = with_palermo(Harness::unjittered());
    harness.run("GEOSEARCHSTORE near places FROMMEMBER Palermo BYRADIUS 1 km");
    assert_eq!(harness.effects(), ["DEL near", "ZADD near 3479099956230698 Palermo"]);
    harness.run("GEORADIUS places 0 0 1 km STORE near");
    assert_eq!(harness.effects(), ["DEL near"]);
    harness.run("GEOSEARCH places FROMMEMBER Palermo BYRADIUS 1 km");
    assert_eq!(harness.effects(), [""; 0]);
}

#[test]
fn options_that_contradict_each_other_are_refused() {
    let mut harness = with_palermo(Harness::unjittered());
    let refusals = [
        ("FROMMEMBER Palermo BYRADIUS 1 km BYBOX 1 1 km", "ERR syntax error"),
        ("FROMMEMBER Palermo ASC DESC COUNT 1", "exactly one of BYRADIUS and BYBOX"),
        ("BYRADIUS 1 km ASC ASC ASC", "exactly one of FROMMEMBER or FROMLONLAT"),
        ("FROMMEMBER Palermo BYRADIUS 1 km ANY", "requires COUNT"),
        ("FROMMEMBER Palermo BYRADIUS 1 km COUNT 0", "COUNT must be > 0"),
        ("FROMMEMBER Palermo BYRADIUS -1 km", "radius cannot be negative"),
        ("FROMMEMBER Palermo BYRADIUS 1 parsec", "unsupported unit"),
        ("FROMMEMBER nobody BYRADIUS 1 km", "could not decode"),
    ];
    for (options, refusal) in refusals {
        let reply = harness.run(&format!("GEOSEARCH places {options}"));
        assert!(reply.starts_with("-ERR") && reply.contains(refusal), "{options}: {reply}");
    }
}

#[test]
fn no_arguments_make_a_command_panic() {
    let seed = fastrand::u64(..);
    eprintln!("seed {seed}");
    let vocabulary = [
        "a",
        "b",
        "0",
        "1",
        "-1",
        "89.5",
        "180",
        "-180",
        "1e308",
        "inf",
        "-inf",
        "nan",
        "m",
        "km",
        "ft",
        "mi",
        "STORE",
        "STOREDIST",
        "FROMMEMBER",
        "FROMLONLAT",
        "BYRADIUS",
        "BYBOX",
        "ASC",
        "DESC",
        "COUNT",
        "ANY",
        "WITHDIST",
        "WITHHASH",
        "WITHCOORD",
        "NX",
        "XX",
        "CH",
        "9223372036854775807",
        "",
    ];
    let mut harness = Harness::unjittered();
    harness.run("GEOADD a 1 1 a 0 0 b -180 85 c 180 -85 d");
    harness.run("ZADD b inf a -inf b 1e308 c -1 d 0.5 e");
    harness.run_nonsense(seed, super::HANDLERS, &vocabulary);
    for shape in ["BYRADIUS 1e308 mi", "BYRADIUS inf km", "BYRADIUS 0 m", "BYBOX 1e308 0 mi", "BYBOX inf inf m"] {
        for center in ["0 0", "180 85", "-180 -85.05112878", "179.9999 85.05112878"] {
            for key in ["a", "b"] {
                let reply = harness.run(&format!("GEOSEARCH {key} FROMLONLAT {center} {shape} WITHDIST WITHCOORD"));
                assert!(reply.starts_with('*') || reply.contains("WRONGTYPE"), "{shape} {center} {key}: {reply}");
            }
        }
    }
}
