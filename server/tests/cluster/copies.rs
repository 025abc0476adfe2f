//! What users see of copies: writes that wait for them, reads from them, and writes that need a majority.

use super::formed::Formed;

fn with_acks(settings: &mut rondache_server::config::settings::Settings) {
    settings.cluster.write_acks = 1;
}

#[test]
fn a_write_that_was_acknowledged_is_in_the_copy_whichever_node_it_came_through() {
    let formed = Formed::start(2, with_acks);
    for number in 0..40 {
        let at = number % 2;
        let key = format!("w{number}");
        let slot = rondache_protocol::slot::slot_of(key.as_bytes());
        formed.connect(at).call(&format!("SET {key} v{number}"), "+OK\r\n");
        let copy = formed.copy(slot).expect("the slot has a copy");
        let mut reader = formed.connect_redirecting(copy);
        reader.call("READONLY", "+OK\r\n");
        let value = format!("v{number}");
        reader.call(&format!("GET {key}"), &format!("${}\r\n{value}\r\n", value.len()));
    }
}

#[test]
fn replies_of_a_pipeline_with_withheld_writes_keep_their_order() {
    let formed = Formed::start(3, with_acks);
    for at in 0..3 {
        let mut client = formed.connect(at);
        let mut lines = Vec::new();
        let mut expected = String::new();
        for number in 0..100 {
            lines.extend([format!("SET p{number} {number}"), format!("INCR p{number}"), format!("ECHO e{number:03}")]);
            lines.extend(["MULTI".to_owned(), format!("INCR p{number}"), format!("INCR p{number}"), "EXEC".to_owned()]);
            expected += &format!("+OK\r\n:{}\r\n$4\r\ne{number:03}\r\n", number + 1);
            expected += &format!("+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:{}\r\n:{}\r\n", number + 2, number + 3);
        }
        client.send(&lines.iter().map(String::as_str).collect::<Vec<_>>());
        client.expect(&expected);
    }
}

#[test]
fn a_blocked_pop_is_answered_once_the_copy_has_it() {
    let formed = Formed::start(2, with_acks);
    let key = formed.key_with(0, 1);
    for at in 0..2 {
        let (mut waiting, mut pushing) = (formed.connect(at), formed.connect(1 - at));
        waiting.send(&[&format!("BLPOP {key} 0")]);
        formed.wait_until("it waits", |formed| !formed.nodes[0].node().blocked.is_empty());
        pushing.call(&format!("RPUSH {key} a"), ":1\r\n");
        waiting.expect(&format!("*2\r\n${}\r\n{key}\r\n$1\r\na\r\n", key.len()));
    }
}

#[test]
fn wait_counts_the_copies_that_have_what_the_connection_wrote_through_any_node() {
    let formed = Formed::start(2, |_| {});
    for at in 0..2 {
        let mut client = formed.connect(at);
        client.call(&format!("SET {} 1", formed.key_with(0, 1)), "+OK\r\n");
        client.call(&format!("SET {} 1", formed.key_with(1, 0)), "+OK\r\n");
        client.call("WAIT 1 20000", ":1\r\n");
        client.send(&[&format!("INCR {}", formed.key_with(0, 1)), "WAIT 1 20000", "ECHO after"]);
        client.line();
        client.expect(":1\r\n$5\r\nafter\r\n");
    }
}

#[test]
fn wait_answers_how_many_there_are_when_its_time_is_over() {
    let formed = Formed::start(2, |_| {});
    for at in 0..2 {
        let mut client = formed.connect(at);
        let key = formed.key_with(0, 1);
        client.send(&[&format!("SET {key} 1"), "WAIT 2 200", &format!("GET {key}")]);
        client.expect("+OK\r\n:1\r\n$1\r\n1\r\n");
        assert!(client.ask("WAIT 1 -1").starts_with("-ERR timeout is negative"));
    }
}

#[test]
fn a_write_without_enough_copies_is_refused_before_it_is_executed() {
    let formed = Formed::start(2, |settings| settings.cluster.write_acks = 2);
    let key = formed.key_with(0, 1);
    for at in 0..2 {
        let mut client = formed.connect(at);
        assert!(client.ask(&format!("SET {key} 1")).starts_with("-NOREPLICAS "));
        client.call("MULTI", "+OK\r\n");
        client.call(&format!("SET {key} 1"), "+QUEUED\r\n");
        assert!(client.ask("EXEC").starts_with("-NOREPLICAS "));
        client.call(&format!("GET {key}"), "$-1\r\n");
    }
}

#[test]
fn a_node_that_is_alone_refuses_writes_that_need_a_copy() {
    let formed = Formed::alone(with_acks);
    let mut client = formed.connect(0);
    assert!(client.ask("SET k 1").starts_with("-NOREPLICAS "));
    client.call("GET k", "$-1\r\n");
    client.call("CONFIG SET write-acks 0", "+OK\r\n");
    client.call("SET k 1", "+OK\r\n");
}

#[test]
fn a_write_waits_for_the_copy_that_is_made_in_place_of_a_dead_one() {
    let formed = Formed::start(3, |settings| {
        with_acks(settings);
        settings.cluster.request_deadline_ms = 60_000;
    });
    let watched = formed.key_with(0, 2);
    let mut clients = [formed.connect(0), formed.connect(1)];
    clients[0].call(&format!("SET {watched} 1"), "+OK\r\n");
    clients[0].call(&format!("WATCH {watched}"), "+OK\r\n");
    // At once: it gives nothing away before.
    formed.nodes[2].node().shutdown.cancel();
    formed.wait_until("its copies are missed", |formed| {
        let routing = &formed.nodes[0].node().cluster.routing;
        routing.peers().iter().any(|peer| peer.is_dead)
    });
    clients[0].send(&["MULTI", &format!("INCR {watched}"), "EXEC", &format!("GET {watched}")]);
    clients[0].expect("+OK\r\n+QUEUED\r\n*1\r\n:2\r\n$1\r\n2\r\n");
    for number in 0..400 {
        let key = format!("waits:{number}");
        let client = &mut clients[number % 2];
        client.send(&[
            &format!("INCR {key}"),
            &format!("INCR {key}"),
            &format!("GET {key}"),
            &format!("MSET {key} 7 k{key} 8"),
        ]);
        client.expect(":1\r\n:2\r\n$1\r\n2\r\n+OK\r\n");
    }
    clients[1].call(&format!("GET {watched}"), "$1\r\n2\r\n");
}

#[test]
fn a_node_whose_only_companion_died_refuses_writes_at_once() {
    let formed = Formed::start(2, |settings| {
        with_acks(settings);
        // Longer than the client's patience.
        settings.cluster.request_deadline_ms = 600_000;
    });
    let key = formed.key_with(0, 1);
    let mut client = formed.connect(0);
    client.call(&format!("SET {key} 1"), "+OK\r\n");
    formed.nodes[1].node().shutdown.cancel();
    formed.wait_until("the death is known", |formed| formed.nodes[0].node().cluster.awaited.possible() == 0);
    assert!(client.ask(&format!("SET {key} 2")).starts_with("-NOREPLICAS "));
    client.call(&format!("GET {key}"), "$1\r\n1\r\n");
}

#[test]
fn a_flush_is_acknowledged_once_the_copies_are_empty_and_refused_where_there_are_too_few() {
    let formed = Formed::start(2, with_acks);
    for (at, flush) in [(0, "FLUSHALL"), (1, "FLUSHDB")] {
        let mut client = formed.connect(at);
        let keys = [formed.key_with(0, 1), formed.key_with(1, 0)];
        keys.iter().for_each(|key| client.call(&format!("SET {key} 1"), "+OK\r\n"));
        client.call(flush, "+OK\r\n");
        for (copy, key) in [1, 0].into_iter().zip(&keys) {
            let mut reader = formed.connect_redirecting(copy);
            reader.call("READONLY", "+OK\r\n");
            reader.call(&format!("GET {key}"), "$-1\r\n");
        }
    }
    let mut client = formed.connect(0);
    client.call("SET k 1", "+OK\r\n");
    client.call("CONFIG SET write-acks 2", "+OK\r\n");
    // Each owner refuses by its own setting.
    formed.wait_until("the setting is everywhere", |formed| {
        formed.nodes.iter().all(|node| node.node().settings.load().cluster.write_acks == 2)
    });
    for at in 0..2 {
        for flush in ["FLUSHALL", "FLUSHDB"] {
            assert!(formed.connect(at).ask(flush).starts_with("-NOREPLICAS "));
        }
    }
    client.call("GET k", "$1\r\n1\r\n");
}

#[test]
fn without_a_majority_writes_are_refused_and_reads_go_on() {
    let formed = Formed::start(2, |settings| {
        settings.cluster.partition_policy = rondache_server::config::cluster::PartitionPolicy::Majority;
    });
    let key = formed.key_with(0, 1);
    let mut client = formed.connect(0);
    client.call(&format!("SET {key} 1"), "+OK\r\n");
    // At once: one that leaves in order does not count.
    formed.nodes[1].node().shutdown.cancel();
    formed.wait_until("the node knows that it is left alone", |formed| !formed.nodes[0].node().cluster.may_write());
    let refusal = client.ask(&format!("SET {key} 2"));
    assert!(refusal.starts_with("-CLUSTERDOWN ") && refusal.contains("majority"), "{refusal}");
    client.call(&format!("GET {key}"), "$1\r\n1\r\n");
}

#[test]
fn a_copy_is_read_on_the_main_port_where_read_from_says_so() {
    let formed = Formed::start(2, with_acks);
    let key = formed.key_with(0, 1);
    let mut client = formed.connect(1);
    client.call("CONFIG SET read-from nearest", "+OK\r\n");
    client.call(&format!("SET {key} 1"), "+OK\r\n");
    let hits = || formed.nodes[1].node().stats.sum(|worker| worker.hits.get());
    let before = hits();
    client.call(&format!("GET {key}"), "$1\r\n1\r\n");
    assert_eq!(hits(), before + 1, "the copy itself answered");
    // In one pipeline a read follows the write before it.
    client.send(&[&format!("SET {key} 2"), &format!("GET {key}")]);
    client.expect("+OK\r\n$1\r\n2\r\n");
    client.call("MULTI", "+OK\r\n");
    client.call(&format!("GET {key}"), "+QUEUED\r\n");
    client.call("EXEC", "*1\r\n$1\r\n2\r\n");
}

#[test]
fn a_copy_of_another_node_is_read_unless_the_client_watches_or_the_copy_is_gone() {
    let formed = Formed::start(3, |settings| {
        with_acks(settings);
        settings.cluster.read_from = rondache_server::config::cluster::ReadFrom::Replica;
    });
    let key = formed.key_with(0, 1);
    let slot = rondache_protocol::slot::slot_of(key.as_bytes());
    formed.wait_until("the copy is chosen", |formed| {
        let cluster = &formed.nodes[2].node().cluster;
        let chosen = cluster.read_routes.peer(slot).and_then(|peer| cluster.routing.peer(peer));
        chosen.is_some_and(|peer| peer.identity == formed.nodes[1].node().cluster.identity)
    });
    let mut client = formed.connect(2);
    let hits = |at: usize| formed.nodes[at].node().stats.sum(|worker| worker.hits.get());
    client.call(&format!("SET {key} 1"), "+OK\r\n");
    let before = (hits(0), hits(1));
    client.call(&format!("GET {key}"), "$1\r\n1\r\n");
    client.call(&format!("MGET {key} {key}"), "*2\r\n$1\r\n1\r\n$1\r\n1\r\n");
    assert_eq!((hits(0), hits(1)), (before.0, before.1 + 3), "the copy answered");
    // Reads and writes of a pipeline keep their order, though they go to different nodes.
    let lines = [format!("GET {key}"), format!("INCR {key}"), format!("GET {key}"), format!("INCR {key}")];
    client.send(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    client.expect("$1\r\n1\r\n:2\r\n$1\r\n2\r\n:3\r\n");
    let before = hits(1);
    client.call(&format!("WATCH {key}"), "+OK\r\n");
    client.call(&format!("GET {key}"), "$1\r\n3\r\n");
    assert_eq!(hits(1), before, "the owner answered");
    client.call("UNWATCH", "+OK\r\n");
    client.call("FLUSHALL", "+OK\r\n");
    client.call(&format!("SET {key} 4"), "+OK\r\n");
    let mut cursor = "0".to_owned();
    let mut found = false;
    loop {
        client.send(&[&format!("SCAN {cursor} COUNT 10000")]);
        client.line();
        client.line();
        cursor = client.line();
        let count: usize = client.line().trim_start_matches('*').parse().expect("a count");
        for _ in 0..count {
            client.line();
            found |= client.line() == key;
        }
        if cursor == "0" {
            break;
        }
    }
    assert!(found, "walks ask owners");
    formed.nodes[1].node().shutdown.cancel();
    client.call(&format!("GET {key}"), "$1\r\n4\r\n");
}

#[test]
fn a_copy_hides_what_has_expired() {
    let formed = Formed::start(2, with_acks);
    let key = formed.key_with(0, 1);
    let mut client = formed.connect(1);
    client.call("CONFIG SET read-from replica", "+OK\r\n");
    client.call(&format!("SET {key} 1 PX 30"), "+OK\r\n");
    let mut redirecting = formed.connect_redirecting(1);
    redirecting.call("READONLY", "+OK\r\n");
    let deadline = std::time::Instant::now() + std::time::Duration::from_millis(31);
    while std::time::Instant::now() < deadline {
        std::thread::yield_now();
    }
    client.call(&format!("GET {key}"), "$-1\r\n");
    redirecting.call(&format!("GET {key}"), "$-1\r\n");
}
