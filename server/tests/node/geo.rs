//! Geospatial indices.

use redis::{Connection, FromRedisValue, Value};

use super::support::TestNode;

/// Runs a command whose words are separated by blanks.
fn try_call<T: FromRedisValue>(connection: &mut Connection, line: &str) -> redis::RedisResult<T> {
    let mut words = line.split(' ');
    let mut command = redis::cmd(words.next().unwrap_or_default());
    words.for_each(|word| {
        command.arg(word);
    });
    command.query(connection)
}

fn call<T: FromRedisValue>(connection: &mut Connection, line: &str) -> T {
    try_call(connection, line).unwrap_or_else(|error| panic!("{line}: {error}"))
}

fn words(connection: &mut Connection, line: &str) -> Vec<String> {
    call(connection, line)
}

fn sicily(node: &TestNode) -> Connection {
    let mut connection = node.connect();
    let added: i64 = call(&mut connection, "GEOADD Sicily 13.361389 38.115556 Palermo 15.087269 37.502669 Catania");
    assert_eq!(added, 2);
    connection
}

#[test]
fn places_have_positions_hashes_and_distances() {
    let node = TestNode::start();
    let mut connection = sicily(&node);
    assert_eq!(call::<String>(&mut connection, "GEODIST Sicily Palermo Catania"), "166274.1516");
    assert_eq!(call::<String>(&mut connection, "GEODIST Sicily Palermo Catania KM"), "166.2742");
    assert_eq!(call::<Option<String>>(&mut connection, "GEODIST Sicily Palermo none"), None);
    assert_eq!(words(&mut connection, "GEOHASH Sicily Palermo Catania"), ["sqc8b49rny0", "sqdtr74hyu0"]);
    let positions: Vec<Option<(String, String)>> = call(&mut connection, "GEOPOS Sicily Palermo none");
    assert_eq!(positions, [Some(("13.36138933897018433".to_owned(), "38.11555639549629859".to_owned())), None]);
}

#[test]
fn searches_find_what_lies_within_a_circle_or_a_box() {
    let node = TestNode::start();
    let mut connection = sicily(&node);
    let circle = "GEOSEARCH Sicily FROMLONLAT 15 37 BYRADIUS";
    assert_eq!(words(&mut connection, &format!("{circle} 200 km ASC")), ["Catania", "Palermo"]);
    assert_eq!(words(&mut connection, &format!("{circle} 100 km")), ["Catania"]);
    let with_distance: Vec<(String, String)> = call(&mut connection, &format!("{circle} 100 km WITHDIST"));
    assert_eq!(with_distance, [("Catania".to_owned(), "56.4413".to_owned())]);
    let boxed = "GEOSEARCH Sicily FROMMEMBER Catania BYBOX 400 200 km DESC";
    assert_eq!(words(&mut connection, boxed), ["Palermo", "Catania"]);
    assert_eq!(words(&mut connection, "GEORADIUS Sicily 15 37 200 km COUNT 1"), ["Catania"]);
}

#[test]
fn a_search_may_store_scores_or_distances() {
    let node = TestNode::start();
    let mut connection = sicily(&node);
    let search = "Sicily FROMLONLAT 15 37 BYRADIUS 200 km";
    assert_eq!(call::<i64>(&mut connection, &format!("GEOSEARCHSTORE near {search}")), 2);
    assert_eq!(words(&mut connection, "GEOHASH near Palermo"), ["sqc8b49rny0"]);
    assert_eq!(call::<i64>(&mut connection, &format!("GEOSEARCHSTORE near {search} STOREDIST")), 2);
    let distance: f64 = call(&mut connection, "ZSCORE near Catania");
    assert!((distance - 56.4413).abs() < 0.001, "{distance}");
}

#[test]
fn of_several_store_options_the_last_counts() {
    let node = TestNode::start();
    let mut connection = sicily(&node);
    let stored: i64 = call(&mut connection, "GEORADIUS Sicily 15 37 200 km STORE a STOREDIST b STORE c");
    assert_eq!(stored, 2);
    assert_eq!(call::<i64>(&mut connection, "ZCARD a"), 0);
    assert_eq!(call::<i64>(&mut connection, "ZCARD c"), 2);
}

#[test]
fn a_place_off_the_map_is_refused() {
    let node = TestNode::start();
    let mut connection = node.connect();
    let error = try_call::<Value>(&mut connection, "GEOADD g 200 0 nowhere").expect_err("off the map");
    assert!(error.to_string().contains("invalid longitude,latitude pair 200.000000,0.000000"), "{error}");
}
