//! Commands that wait, through any node.

use super::support::Cluster;

#[test]
fn a_client_waits_at_the_owner_and_is_served_by_whoever_pushes() {
    let cluster = Cluster::start(2);
    for at in 0..2 {
        let (mut waits, mut pushes) = (cluster.connect(at), cluster.connect(1 - at));
        waits.send(&["BLPOP {b}list 0", "PING"]);
        pushes.call("RPUSH {b}list v", ":1\r\n");
        waits.expect("*2\r\n$7\r\n{b}list\r\n$1\r\nv\r\n+PONG\r\n");
    }
}

#[test]
fn a_wait_elsewhere_ends_at_its_timeout() {
    let cluster = Cluster::start(2);
    for owner in 0..2 {
        let mut client = cluster.connect(0);
        client.call(&format!("BLPOP {} 0.05", cluster.key_of(owner, 0)), "*-1\r\n");
    }
}

#[test]
fn a_wait_elsewhere_ends_when_somebody_says_so() {
    let cluster = Cluster::start(2);
    let (mut waits, mut says) = (cluster.connect(0), cluster.connect(0));
    let id = waits.ask("CLIENT ID");
    waits.send(&[&format!("BLPOP {} 0", cluster.key_of(1, 0))]);
    while says.ask(&format!("CLIENT UNBLOCK {} ERROR", id.trim_start_matches(':'))) != ":1" {}
    assert!(waits.line().starts_with("-UNBLOCKED "));
    waits.call("PING", "+PONG\r\n");
}

#[test]
fn a_wait_goes_on_where_the_slot_goes() {
    let cluster = Cluster::start(2);
    for (from, to) in [(1, 0), (0, 1)] {
        let key = cluster.key_of(from, 3);
        let slot = rondache_protocol::slot::slot_of(key.as_bytes());
        let mut waits = cluster.connect(0);
        waits.send(&[&format!("BLPOP {key} 0")]);
        cluster.wait_for_blocked(from);
        cluster.assign(slot, to);
        let mut pushes = cluster.connect(1);
        pushes.call(&format!("RPUSH {key} v"), ":1\r\n");
        waits.expect(&format!("*2\r\n${}\r\n{key}\r\n$1\r\nv\r\n", key.len()));
    }
}

#[test]
fn a_client_that_leaves_takes_nothing() {
    let cluster = Cluster::start(2);
    let key = cluster.key_of(1, 0);
    let mut waits = cluster.connect(0);
    waits.send(&[&format!("BLPOP {key} 0")]);
    cluster.wait_for_blocked(1);
    drop(waits);
    while !cluster.nodes[1].node().blocked.is_empty() {
        std::thread::yield_now();
    }
    let mut client = cluster.connect(0);
    client.send(&[&format!("RPUSH {key} v"), &format!("LLEN {key}")]);
    client.expect(":1\r\n:1\r\n");
}
