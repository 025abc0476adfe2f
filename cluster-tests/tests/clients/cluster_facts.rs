//! What each node of a live cluster says of it, and what it refuses to do to it.

use std::collections::{BTreeMap, BTreeSet};

use redis::{Connection, Value, cmd, from_redis_value};
use rondache_protocol::slot::slot_of;

use super::shared;

const SLOTS: u32 = 16384;

fn ask<T: redis::FromRedisValue>(connection: &mut Connection, line: &str) -> T {
    let mut words = line.split(' ');
    let mut command = cmd(words.next().unwrap_or_default());
    words.for_each(|word| {
        command.arg(word);
    });
    command.query(connection).unwrap_or_else(|error| panic!("{line}: {error}"))
}

/// Connections to both ports of every node.
fn connections(cluster: &shared::Lent) -> Vec<Connection> {
    let addrs = cluster.nodes.iter().flat_map(|node| [node.addr(), node.redirect_addr()]);
    addrs.map(|addr| shared::connect_to(&addr.to_string(), "resp2")).collect()
}

/// The ranges of CLUSTER SLOTS: first, last, and the port of the owner.
fn slots(connection: &mut Connection) -> Vec<(u32, u32, u16)> {
    let ranges: Vec<Vec<Value>> = ask(connection, "CLUSTER SLOTS");
    let range = |range: &Vec<Value>| {
        let number = |at: usize| from_redis_value::<u32>(range[at].clone()).expect("a number");
        let node: Vec<Value> = from_redis_value(range[2].clone()).expect("a node");
        (number(0), number(1), from_redis_value(node[1].clone()).expect("a port"))
    };
    ranges.iter().map(range).collect()
}

#[test]
fn every_node_names_the_same_owner_of_every_slot() {
    let cluster = shared::cluster();
    let ports: BTreeSet<u16> = cluster.nodes.iter().map(|node| node.redirect_addr().port()).collect();
    let mut seen = BTreeSet::new();
    for mut connection in connections(&cluster) {
        let mut owners = BTreeMap::new();
        for (first, last, port) in slots(&mut connection) {
            (first..=last).for_each(|slot| assert_eq!(owners.insert(slot, port), None, "slot {slot} is named twice"));
        }
        assert_eq!(owners.len() as u32, SLOTS);
        assert_eq!(owners.values().copied().collect::<BTreeSet<_>>(), ports);
        seen.insert(owners.into_values().collect::<Vec<_>>());
    }
    assert_eq!(seen.len(), 1, "nodes contradict each other");
}

#[test]
fn nodes_shards_and_ids_agree_with_each_other() {
    let cluster = shared::cluster();
    let mut ids = BTreeSet::new();
    for mut connection in connections(&cluster) {
        let nodes: String = ask(&mut connection, "CLUSTER NODES");
        let me: String = ask(&mut connection, "CLUSTER MYID");
        let mine = nodes.lines().find(|line| line.contains("myself,master")).expect("a line about itself");
        assert!(mine.starts_with(&me), "{mine}");
        let mut covered = 0;
        for line in nodes.lines() {
            let fields: Vec<&str> = line.split(' ').collect();
            assert_eq!((fields[3], fields[7]), ("-", "connected"), "{line}");
            for run in &fields[8..] {
                let (first, last) = run.split_once('-').unwrap_or((run, run));
                covered += last.parse::<u32>().expect("a slot") - first.parse::<u32>().expect("a slot") + 1;
            }
        }
        assert_eq!((nodes.lines().count(), covered), (3, SLOTS));
        ids.insert(nodes.lines().map(|line| line[..40].to_owned()).collect::<BTreeSet<_>>());
        let shards: Vec<Value> = ask(&mut connection, "CLUSTER SHARDS");
        assert_eq!(shards.len(), 3);
    }
    assert_eq!(ids.len(), 1, "nodes name different members");
}

#[test]
fn info_tells_of_a_cluster_in_order() {
    let cluster = shared::cluster();
    for mut connection in connections(&cluster) {
        let info: String = ask(&mut connection, "CLUSTER INFO");
        for line in ["cluster_state:ok", "cluster_slots_ok:16384", "cluster_known_nodes:3", "cluster_size:3"] {
            assert!(info.lines().any(|found| found == line), "no {line} in {info}");
        }
        let links: Vec<Value> = ask(&mut connection, "CLUSTER LINKS");
        assert!(links.len() >= 2, "{links:?}");
        let myself: String = ask(&mut connection, "CLUSTER MYSHARDID");
        assert_eq!(myself.len(), 40);
    }
}

#[test]
fn the_keys_of_a_slot_are_counted_where_it_lives() {
    let cluster = shared::cluster();
    let mut through = shared::connect(&cluster.nodes[0]);
    let slot = slot_of(b"{t}");
    for number in 0..10 {
        ask::<()>(&mut through, &format!("SET {{t}}{number} v"));
    }
    let (_, _, owner) = *slots(&mut through)
        .iter()
        .find(|(first, last, _)| (*first..=*last).contains(&u32::from(slot)))
        .expect("an owner");
    let mut connection = shared::connect_to(&format!("127.0.0.1:{owner}"), "resp2");
    assert_eq!(ask::<u32>(&mut connection, &format!("CLUSTER COUNTKEYSINSLOT {slot}")), 10);
    let keys: BTreeSet<String> = ask(&mut connection, &format!("CLUSTER GETKEYSINSLOT {slot} 100"));
    assert_eq!(keys, (0..10).map(|number| format!("{{t}}{number}")).collect());
    let stats: Vec<(u32, Value)> = ask(&mut connection, &format!("CLUSTER SLOT-STATS SLOTSRANGE {slot} {slot}"));
    assert_eq!(stats.len(), 1);
    let of_slot: BTreeMap<String, i64> = from_redis_value(stats[0].1.clone()).expect("statistics");
    assert_eq!(of_slot["key-count"], 10);
    let sum: i64 = (cluster.nodes.iter())
        .map(|node| ask::<i64>(&mut shared::connect_to(&node.redirect_addr().to_string(), "resp2"), "DBSIZE"))
        .sum();
    assert_eq!(sum, 10);
}

#[test]
fn what_would_break_the_ring_by_hand_says_what_to_do_instead() {
    let cluster = shared::cluster();
    for mut connection in connections(&cluster) {
        let me: String = ask(&mut connection, "CLUSTER MYID");
        for (line, instead) in [
            ("CLUSTER ADDSLOTS 1".to_owned(), "rondache weight"),
            ("CLUSTER ADDSLOTSRANGE 1 2".to_owned(), "rondache weight"),
            ("CLUSTER DELSLOTS 1".to_owned(), "rondache weight"),
            ("CLUSTER FLUSHSLOTS".to_owned(), "rondache weight"),
            (format!("CLUSTER SETSLOT 1 NODE {me}"), "rondache weight"),
            ("CLUSTER MEET 127.0.0.1 1".to_owned(), "--join"),
            (format!("CLUSTER FORGET {me}"), "rondache leave"),
            (format!("CLUSTER REPLICATE {me}"), "CONFIG SET replicas"),
            ("CLUSTER FAILOVER".to_owned(), "rondache leave"),
            ("CLUSTER RESET HARD".to_owned(), "rondache leave"),
            ("CLUSTER BUMPEPOCH".to_owned(), "epochs"),
        ] {
            let mut command = cmd("CLUSTER");
            line.split(' ').skip(1).for_each(|word| {
                command.arg(word);
            });
            let refusal = command.query::<Value>(&mut connection).expect_err(&line).to_string();
            assert!(refusal.contains(instead), "{line}: {refusal}");
        }
    }
}
