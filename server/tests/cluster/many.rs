//! Commands that concern several slots, or all nodes.

use std::collections::BTreeSet;

use rondache_protocol::slot::slot_of;
use rondache_server::cluster::routing::Route;

use super::support::Cluster;

#[test]
fn strings_of_several_slots_are_written_and_read_in_one_command() {
    let cluster = Cluster::start(3);
    for at in 0..3 {
        let mut client = cluster.connect(at);
        client.call("MSET a 1 b 2 c 3 d 4 e 5", "+OK\r\n");
        client.call(
            "MGET e missing d a c a b",
            "*7\r\n$1\r\n5\r\n$-1\r\n$1\r\n4\r\n$1\r\n1\r\n$1\r\n3\r\n$1\r\n1\r\n$1\r\n2\r\n",
        );
        client.call("EXISTS a b a missing", ":3\r\n");
        client.call("TOUCH a b c d e f", ":5\r\n");
        client.call("DEL a b missing", ":2\r\n");
        client.call("UNLINK c d e", ":3\r\n");
    }
}

#[test]
fn a_split_command_keeps_its_place_among_pipelined_ones() {
    let cluster = Cluster::start(3);
    let mut client = cluster.connect(0);
    client.send(&["SET a 1", "MSET a 2 b 2 c 2", "GET a", "MGET a b c", "DEL a b c", "GET a"]);
    client.expect("+OK\r\n+OK\r\n$1\r\n2\r\n*3\r\n$1\r\n2\r\n$1\r\n2\r\n$1\r\n2\r\n:3\r\n$-1\r\n");
}

#[test]
fn a_split_write_that_can_t_be_finished_says_whether_anything_was_executed() {
    let cluster = Cluster::start_with(3, |settings| settings.cluster.request_deadline_ms = 50);
    let [mine, b, c] = [0, 1, 2].map(|owner| cluster.key_of(owner, 0));
    let park = |key: &str| (0..3).for_each(|at| cluster.set(at, slot_of(key.as_bytes()), Route::Parked));
    let mut client = cluster.connect(0);
    client.call(&format!("SET {mine} 1"), "+OK\r\n");
    [&b, &c].into_iter().for_each(|key| park(key));
    for nothing in [format!("MSET {b} 1 {c} 1"), format!("DEL {c} {b}")] {
        assert!(client.ask(&nothing).starts_with("-TRYAGAIN "), "{nothing}");
    }
    assert!(client.ask(&format!("DEL {b} {mine}")).starts_with("-UNKNOWN "));
    client.call(&format!("GET {mine}"), "$-1\r\n");
    assert!(client.ask(&format!("MSET {mine} 2 {c} 2")).starts_with("-UNKNOWN "));
    client.call(&format!("GET {mine}"), "$1\r\n2\r\n");
}

#[test]
fn a_wrong_number_of_arguments_is_told_and_not_split() {
    let cluster = Cluster::start(2);
    let mut client = cluster.connect(0);
    client.call("MSET a 1 b", "-ERR wrong number of arguments for 'mset' command\r\n");
}

#[test]
fn other_commands_over_several_slots_are_refused() {
    let cluster = Cluster::start(2);
    let mut client = cluster.connect(0);
    for line in ["RENAME a b", "SINTERSTORE a b c", "MSETNX a 1 b 2", "PFMERGE a b"] {
        client.call(line, "-CROSSSLOT Keys in request don't hash to the same slot\r\n");
    }
    client.call("MSETNX {t}a 1 {t}b 2", ":1\r\n");
    assert!(client.ask("SWAPDB 0 1").starts_with("-ERR SWAPDB is not allowed"));
}

#[test]
fn walks_and_flushes_reach_every_node() {
    let cluster = Cluster::start(3);
    let (mut client, mut other) = (cluster.connect(0), cluster.connect(2));
    for number in 0..100 {
        client.call(&format!("SET w{number} 1"), "+OK\r\n");
    }
    client.call("DBSIZE", ":100\r\n");
    assert_eq!(other.ask("KEYS w*"), "*100");
    (0..200).for_each(|_| drop(other.line()));
    assert!(client.ask("RANDOMKEY").starts_with('$'));
    client.line();
    client.send(&["SELECT 1", "FLUSHDB", "SELECT 0", "DBSIZE", "FLUSHALL", "DBSIZE"]);
    client.expect("+OK\r\n+OK\r\n+OK\r\n:100\r\n+OK\r\n:0\r\n");
    other.call("RANDOMKEY", "$-1\r\n");
}

/// Walks to the end; answers all keys, each as often as it came.
fn scan(cluster: &Cluster, mut between: impl FnMut(usize)) -> Vec<String> {
    let mut keys = Vec::new();
    let mut cursor = "0".to_owned();
    for call in 0.. {
        let mut client = cluster.connect(call % cluster.nodes.len());
        assert_eq!(client.ask(&format!("SCAN {cursor} COUNT 10")), "*2");
        client.line();
        cursor = client.line();
        let count: usize = client.line().trim_start_matches('*').parse().expect("a count");
        for _ in 0..count {
            client.line();
            keys.push(client.line());
        }
        if cursor == "0" {
            break;
        }
        between(call);
    }
    keys
}

#[test]
fn a_scan_through_changing_nodes_returns_every_key_once() {
    let cluster = Cluster::start(3);
    let mut client = cluster.connect(0);
    let names: BTreeSet<String> = (0..200).map(|number| format!("s{number}")).collect();
    names.iter().for_each(|name| client.call(&format!("SET {name} 1"), "+OK\r\n"));
    let keys = scan(&cluster, |_| {});
    assert_eq!(keys.len(), names.len());
    assert_eq!(keys.into_iter().collect::<BTreeSet<_>>(), names);
}

#[test]
fn a_cursor_from_before_the_cluster_begins_anew() {
    let cluster = Cluster::start(2);
    let mut client = cluster.connect(0);
    client.call("SET key 1", "+OK\r\n");
    client.call(&format!("SCAN {} COUNT 1000000", 5_u64 << 32), "*2\r\n$15\r\n");
}
