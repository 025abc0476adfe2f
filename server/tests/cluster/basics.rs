//! Any node answers for any key.

use rondache_server::cluster::routing::Route;

use super::support::Cluster;

#[test]
fn every_key_is_written_and_read_through_every_node() {
    let cluster = Cluster::start(2);
    let (mut first, mut second) = (cluster.connect(0), cluster.connect(1));
    for number in 0..50 {
        let key = format!("k{number}");
        first.call(&format!("SET {key} {number}"), "+OK\r\n");
        let value = number.to_string();
        second.call(&format!("GET {key}"), &format!("${}\r\n{value}\r\n", value.len()));
    }
}

#[test]
fn pipelined_requests_for_several_nodes_are_answered_in_order() {
    let cluster = Cluster::start(3);
    for at in 0..3 {
        let mut client = cluster.connect(at);
        let lines: Vec<String> = (0..300).map(|number| format!("SET p{number} v{number}")).collect();
        client.send(&lines.iter().map(String::as_str).collect::<Vec<_>>());
        client.expect(&"+OK\r\n".repeat(300));
        let lines: Vec<String> = (0..300).map(|number| format!("GET p{number}")).collect();
        client.send(&lines.iter().map(String::as_str).collect::<Vec<_>>());
        for number in 0..300 {
            let value = format!("v{number}");
            client.expect(&format!("${}\r\n{value}\r\n", value.len()));
        }
    }
}

#[test]
fn the_selected_database_and_the_protocol_travel_with_each_request() {
    let cluster = Cluster::start(2);
    let mut client = cluster.connect(0);
    let key = cluster.key_of(1, 0);
    client.send(&[
        &format!("SET {key} zero"),
        "SELECT 3",
        &format!("GET {key}"),
        "PING",
        "SELECT 0",
        &format!("GET {key}"),
    ]);
    client.expect("+OK\r\n+OK\r\n$-1\r\n+PONG\r\n+OK\r\n$4\r\nzero\r\n");
    client.send(&["HELLO 3"]);
    while client.line() != "$7" {}
    while client.line() != "*0" {}
    client.call(&format!("GET {}", cluster.key_of(1, 1)), "_\r\n");
}

#[test]
fn a_large_value_travels_both_ways() {
    let cluster = Cluster::start(2);
    let mut client = cluster.connect(0);
    let key = cluster.key_of(1, 0);
    let value = "x".repeat(3_000_000);
    client.call(&format!("SET {key} {value}"), "+OK\r\n");
    client.call(&format!("GET {key}"), &format!("${}\r\n{value}\r\n", value.len()));
    let gets: Vec<String> = (0..20).map(|_| format!("GET {key}")).collect();
    client.send(&gets.iter().map(String::as_str).collect::<Vec<_>>());
    for _ in 0..20 {
        client.expect(&format!("${}\r\n{value}\r\n", value.len()));
    }
}

#[test]
fn errors_come_from_the_owner() {
    let cluster = Cluster::start(2);
    let mut client = cluster.connect(0);
    let key = cluster.key_of(1, 0);
    client.call(&format!("SET {key} text"), "+OK\r\n");
    client.call(&format!("INCR {key}"), "-ERR value is not an integer or out of range\r\n");
    client.call(&format!("GET {key} extra"), "-ERR wrong number of arguments for 'get' command\r\n");
}

#[test]
fn a_request_for_a_slot_between_owners_waits_for_its_next_one() {
    let cluster = Cluster::start(2);
    let key = cluster.key_of(1, 0);
    let slot = rondache_protocol::slot::slot_of(key.as_bytes());
    cluster.set(0, slot, Route::Parked);
    cluster.set(1, slot, Route::Parked);
    let mut client = cluster.connect(0);
    client.send(&[&format!("INCR {key}"), &format!("INCR {key}"), "PING"]);
    cluster.assign(slot, 0);
    client.expect(":1\r\n:2\r\n+PONG\r\n");
}

#[test]
fn a_node_that_was_told_late_refuses_and_the_request_is_tried_again() {
    let cluster = Cluster::start(2);
    let key = cluster.key_of(1, 0);
    let slot = rondache_protocol::slot::slot_of(key.as_bytes());
    cluster.tell(1, slot, 0);
    let mut client = cluster.connect(0);
    client.send(&[&format!("INCR {key}"), &format!("INCR {key}")]);
    cluster.tell(0, slot, 0);
    client.expect(":1\r\n:2\r\n");
}

#[test]
fn an_owner_that_is_never_found_is_an_error_that_says_so() {
    let cluster = Cluster::start_with(2, |settings| settings.request_deadline_ms = 50);
    let key = cluster.key_of(1, 0);
    let slot = rondache_protocol::slot::slot_of(key.as_bytes());
    cluster.set(0, slot, Route::Parked);
    let mut client = cluster.connect(0);
    assert!(client.ask(&format!("INCR {key}")).starts_with("-TRYAGAIN "));
    client.call("PING", "+PONG\r\n");
}
