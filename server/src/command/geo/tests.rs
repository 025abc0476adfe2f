//! Replies in RESP3, and what copies get to apply.

use super::super::testing::Bench;

fn with_palermo(mut bench: Bench) -> Bench {
    bench.run("GEOADD places 13.361389 38.115556 Palermo");
    bench.take_effects();
    bench
}

#[test]
fn coordinates_are_doubles_and_distances_strings_in_resp3() {
    let mut bench = with_palermo(Bench::new(1).with_resp3());
    assert_eq!(bench.run("GEOPOS places Palermo none"), "*2|*2|,13.36138933897018433|,38.11555639549629859|_|");
    let search = "GEOSEARCH places FROMMEMBER Palermo BYRADIUS 1 km WITHDIST WITHHASH";
    assert_eq!(bench.run(search), "*1|*3|$7|Palermo|$6|0.0000|:3479099956230698|");
}

#[test]
fn a_stored_search_is_an_effect_on_the_destination_alone() {
    let mut bench = with_palermo(Bench::new(1));
    bench.run("GEOSEARCHSTORE near places FROMMEMBER Palermo BYRADIUS 1 km");
    assert_eq!(bench.effect_lines(), ["DEL near", "ZADD near 3479099956230698 Palermo"]);
    bench.run("GEORADIUS places 0 0 1 km STORE near");
    assert_eq!(bench.effect_lines(), ["DEL near"]);
    bench.run("GEOSEARCH places FROMMEMBER Palermo BYRADIUS 1 km");
    assert_eq!(bench.effect_lines(), [""; 0]);
}

#[test]
fn options_that_contradict_each_other_are_refused() {
    let mut bench = with_palermo(Bench::new(1));
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
        let reply = bench.run(&format!("GEOSEARCH places {options}"));
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
    let mut bench = Bench::new(seed);
    bench.run("GEOADD a 1 1 a 0 0 b -180 85 c 180 -85 d");
    bench.run("ZADD b inf a -inf b 1e308 c -1 d 0.5 e");
    bench.run_nonsense(super::HANDLERS, &vocabulary);
    for shape in ["BYRADIUS 1e308 mi", "BYRADIUS inf km", "BYRADIUS 0 m", "BYBOX 1e308 0 mi", "BYBOX inf inf m"] {
        for center in ["0 0", "180 85", "-180 -85.05112878", "179.9999 85.05112878"] {
            for key in ["a", "b"] {
                let reply = bench.run(&format!("GEOSEARCH {key} FROMLONLAT {center} {shape} WITHDIST WITHCOORD"));
                assert!(reply.starts_with('*') || reply.contains("WRONGTYPE"), "{shape} {center} {key}: {reply}");
            }
        }
    }
}
