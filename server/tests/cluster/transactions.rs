//! Transactions through any node.

use super::support::Cluster;

#[test]
fn a_transaction_runs_at_the_owner_of_its_slot() {
    let cluster = Cluster::start(2);
    for at in 0..2 {
        let mut client = cluster.connect(at);
        client.send(&["DEL {t}a {t}b", "MULTI", "INCR {t}a", "INCRBY {t}b 5", "GET {t}a", "EXEC", "GET {t}b"]);
        client.line();
        client.expect("+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n:1\r\n:5\r\n$1\r\n1\r\n$1\r\n5\r\n");
    }
}

#[test]
fn a_transaction_over_several_slots_is_refused() {
    let cluster = Cluster::start(2);
    let mut client = cluster.connect(0);
    client.send(&["MULTI", "SET a 1", "SET b 1", "EXEC"]);
    client.expect("+OK\r\n+QUEUED\r\n+QUEUED\r\n-CROSSSLOT Keys in request don't hash to the same slot\r\n");
    client.send(&["MULTI", "MSET a 1 b 1", "EXEC"]);
    client.expect("+OK\r\n-CROSSSLOT Keys in request don't hash to the same slot\r\n");
    client.expect("-EXECABORT Transaction discarded because of previous errors.\r\n");
}

#[test]
fn a_watched_key_that_changes_anywhere_aborts_the_transaction() {
    let cluster = Cluster::start(2);
    for at in 0..2 {
        let (mut client, mut other) = (cluster.connect(at), cluster.connect(1 - at));
        client.send(&["SET {w}k 1", "WATCH {w}k", "MULTI", "SET {w}k 2"]);
        client.expect("+OK\r\n+OK\r\n+OK\r\n+QUEUED\r\n");
        other.call("SET {w}k 9", "+OK\r\n");
        client.call("EXEC", "*-1\r\n");
        client.send(&["WATCH {w}k", "MULTI", "SET {w}k 3", "EXEC", "GET {w}k"]);
        client.expect("+OK\r\n+OK\r\n+QUEUED\r\n*1\r\n+OK\r\n$1\r\n3\r\n");
    }
}

#[test]
fn what_is_no_longer_watched_changes_nothing() {
    let cluster = Cluster::start(2);
    let key = cluster.key_of(1, 0);
    let (mut client, mut other) = (cluster.connect(0), cluster.connect(1));
    client.send(&[&format!("WATCH {key}"), "UNWATCH"]);
    client.expect("+OK\r\n+OK\r\n");
    other.call(&format!("SET {key} 1"), "+OK\r\n");
    client.send(&["MULTI", &format!("INCR {key}"), "EXEC"]);
    client.expect("+OK\r\n+QUEUED\r\n*1\r\n:2\r\n");
}

#[test]
fn a_transaction_whose_watched_slot_has_moved_is_aborted() {
    let cluster = Cluster::start(2);
    let key = cluster.key_of(1, 0);
    let mut client = cluster.connect(0);
    client.send(&[&format!("WATCH {key}"), "MULTI", &format!("SET {key} 1")]);
    client.expect("+OK\r\n+OK\r\n+QUEUED\r\n");
    cluster.assign(rondache_protocol::slot::slot_of(key.as_bytes()), 0);
    client.call("EXEC", "*-1\r\n");
}

#[test]
fn commands_over_all_nodes_are_not_queued() {
    let cluster = Cluster::start(2);
    let mut client = cluster.connect(0);
    client.call("MULTI", "+OK\r\n");
    assert!(client.ask("FLUSHALL").starts_with("-ERR FLUSHALL is not allowed in a transaction"));
}
