//! Clients that keep copies of what they read hear of changes of keys wherever they live.

use std::{
    sync::mpsc::{Receiver, channel},
    time::Instant,
};

use redis::{Client, Connection, PushInfo, PushKind, Value, cmd};
use rondache_cluster_tests::process::{NodeProcess, SETTLE_TIMEOUT};

use super::shared;

/// A connection that tracks, and what it is told.
pub(crate) struct Tracking {
    connection: Connection,
    told: Receiver<PushInfo>,
}

impl Tracking {
    pub(crate) fn start(node: &NodeProcess, options: &[&str]) -> Self {
        let client = Client::open(format!("redis://{}/?protocol=resp3", node.addr())).expect("a well-formed address");
        let mut connection = client.get_connection().expect("a connection");
        let (sender, told) = channel();
        connection.set_push_sender(sender);
        cmd("CLIENT").arg("TRACKING").arg("ON").arg(options).exec(&mut connection).expect("CLIENT TRACKING");
        Self { connection, told }
    }

    pub(crate) fn ask<T: redis::FromRedisValue>(&mut self, words: &[&str]) -> T {
        cmd(words[0]).arg(&words[1..]).query(&mut self.connection).unwrap_or_else(|error| panic!("{words:?}: {error}"))
    }

    /// Waits until it was told that every one of `keys` is stale. A null says so of all: it was told when the node had
    /// just begun to follow the others.
    pub(crate) fn wait_for(&mut self, mut keys: Vec<String>) {
        let began = Instant::now();
        while !keys.is_empty() {
            assert!(began.elapsed() < SETTLE_TIMEOUT, "not told of {keys:?}");
            // Messages are read on the way to a reply.
            self.ask::<Value>(&["PING"]);
            for info in self.told.try_iter().filter(|info| info.kind == PushKind::Invalidate) {
                match info.data.first() {
                    Some(Value::Array(stale)) => {
                        let stale: Vec<String> =
                            stale.iter().map(|key| redis::from_redis_value(key.clone()).expect("a key")).collect();
                        keys.retain(|key| !stale.contains(key));
                    }
                    _ => keys.clear(),
                }
            }
        }
    }
}

pub(crate) fn keys(prefix: &str) -> Vec<String> {
    (0..30).map(|number| format!("{prefix}{number}")).collect()
}

/// Writes keys through a node.
pub(crate) fn write(node: &NodeProcess, keys: &[String], value: &str) {
    let mut connection = shared::connect(node);
    for key in keys {
        cmd("SET").arg(key).arg(value).exec(&mut connection).expect("SET");
    }
}

#[test]
fn a_reader_at_any_node_hears_of_changes_made_through_any_other() {
    let cluster = shared::cluster();
    for (at, node) in cluster.nodes.iter().enumerate() {
        let mut reader = Tracking::start(node, &[]);
        for (by, writer) in cluster.nodes.iter().enumerate() {
            let keys = keys(&format!("{at}:{by}:"));
            for value in ["one", "two"] {
                for key in &keys {
                    reader.ask::<Option<String>>(&["GET", key]);
                }
                write(writer, &keys, value);
                reader.wait_for(keys.clone());
                assert_eq!(reader.ask::<String>(&["GET", &keys[0]]), value);
            }
        }
    }
}

#[test]
fn keys_read_by_one_command_over_many_slots_or_in_a_transaction_are_tracked() {
    let cluster = shared::cluster();
    let mut reader = Tracking::start(&cluster.nodes[0], &[]);
    let keys = keys("m");
    let mut words = vec!["MGET"];
    words.extend(keys.iter().map(String::as_str));
    let values: Vec<Option<String>> = reader.ask(&words);
    assert_eq!(values, vec![None; keys.len()]);
    write(&cluster.nodes[1], &keys, "v");
    reader.wait_for(keys);
    for number in 0..10 {
        let key = format!("t{number}");
        reader.ask::<()>(&["MULTI"]);
        reader.ask::<Value>(&["GET", &key]);
        reader.ask::<Vec<Option<String>>>(&["EXEC"]);
        write(&cluster.nodes[2], std::slice::from_ref(&key), "v");
        reader.wait_for(vec![key]);
    }
}

#[test]
fn a_broadcasting_client_hears_of_every_key_under_its_prefix() {
    let cluster = shared::cluster();
    let mut listener = Tracking::start(&cluster.nodes[2], &["BCAST", "PREFIX", "b:"]);
    let keys = keys("b:");
    for writer in &cluster.nodes {
        write(writer, &keys, "v");
        listener.wait_for(keys.clone());
    }
}

#[test]
fn flushing_through_another_node_makes_all_copies_stale() {
    let cluster = shared::cluster();
    let mut reader = Tracking::start(&cluster.nodes[0], &[]);
    write(&cluster.nodes[0], &keys("f"), "v");
    for key in keys("f") {
        reader.ask::<String>(&["GET", &key]);
    }
    cmd("FLUSHALL").exec(&mut shared::connect(&cluster.nodes[1])).expect("FLUSHALL");
    reader.wait_for(vec!["everything".to_owned()]);
    assert_eq!(reader.ask::<Option<String>>(&["GET", "f1"]), None);
}
