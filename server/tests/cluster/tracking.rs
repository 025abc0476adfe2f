//! CLIENT TRACKING of keys that other nodes own.

use super::support::{Client, Cluster};

/// A client that tracks, and what it was told.
struct Tracker {
    client: Client,
    told: Vec<String>,
}

impl Tracker {
    fn begin(mut client: Client, options: &str) -> Self {
        client.send(&["HELLO 3", &format!("CLIENT TRACKING ON {options}")]);
        while client.line() != "+OK" {}
        Self { client, told: Vec::new() }
    }

    /// Reads the next reply's first line; messages on the way are kept.
    fn reply(&mut self) -> String {
        loop {
            let line = self.client.line();
            if line != ">2" {
                return line;
            }
            self.message();
        }
    }

    fn message(&mut self) {
        assert_eq!((self.client.line(), self.client.line()), ("$10".to_owned(), "invalidate".to_owned()));
        let keys: usize = self.client.line().trim_start_matches(['*', '_']).parse().unwrap_or(0);
        for _ in 0..keys {
            self.client.line();
            let key = self.client.line();
            self.told.push(key);
        }
    }

    /// Reads messages until one tells of the key.
    fn wait_for(&mut self, key: &str) {
        while !self.told.iter().any(|told| told == key) {
            assert_eq!(self.client.line(), ">2");
            self.message();
        }
    }

    fn call(&mut self, line: &str, expected: &str) {
        self.client.send(&[line]);
        assert_eq!(self.reply(), expected, "{line}");
    }

    fn get(&mut self, key: &str) {
        self.client.send(&[&format!("GET {key}")]);
        if self.reply().starts_with('$') {
            self.reply();
        }
    }

    /// Until the other nodes tell this one of changes.
    fn wait_until_it_hears(&mut self, other: &mut Client, key: &str) {
        while !self.told.iter().any(|told| told == key) {
            self.get(key);
            other.call(&format!("SET {key} 1"), "+OK\r\n");
            self.call("PING", "+PONG");
        }
        self.told.clear();
    }
}

#[test]
fn a_client_that_does_not_want_to_hear_of_its_own_changes_does_not_wherever_they_are_made() {
    for options in ["NOLOOP", "BCAST NOLOOP"] {
        let cluster = Cluster::start(2);
        let mut tracker = Tracker::begin(cluster.connect(0), options);
        let mut other = cluster.connect(1);
        let [begun, key, last] = [0, 1, 2].map(|number| cluster.key_of(1, number));
        tracker.wait_until_it_hears(&mut other, &begun);
        tracker.get(&key);
        tracker.call(&format!("SET {key} 1"), "+OK");
        tracker.get(&key);
        tracker.client.send(&["MULTI", &format!("INCR {key}"), "EXEC"]);
        assert_eq!([(); 4].map(|()| tracker.reply()), ["+OK", "+QUEUED", "*1", ":2"]);
        tracker.get(&key);
        tracker.call(&format!("DEL {key}"), ":1");
        // Told behind whatever was told before.
        tracker.get(&last);
        other.call(&format!("SET {last} 1"), "+OK\r\n");
        tracker.wait_for(&last);
        assert!(!tracker.told.contains(&key), "{options}: {:?}", tracker.told);
        tracker.get(&key);
        other.call(&format!("SET {key} 2"), "+OK\r\n");
        tracker.wait_for(&key);
    }
}

#[test]
fn a_client_that_hears_of_all_changes_hears_on_a_redirect_port_of_that_node_s_alone() {
    let cluster = Cluster::start(2);
    let redirecting = |at: usize| Client::connect(cluster.nodes[at].redirect_addrs()[0]);
    let mut trackers = [0, 1].map(|at| Tracker::begin(redirecting(at), "BCAST"));
    let mut witness = Tracker::begin(cluster.connect(0), "BCAST");
    let mut writer = cluster.connect(0);
    let [ours, begun, theirs] = [(0, 0), (1, 0), (1, 1)].map(|(owner, number)| cluster.key_of(owner, number));
    witness.wait_until_it_hears(&mut cluster.connect(1), &begun);
    writer.call(&format!("SET {theirs} 1"), "+OK\r\n");
    witness.wait_for(&theirs);
    writer.call(&format!("SET {ours} 1"), "+OK\r\n");
    trackers[0].wait_for(&ours);
    assert_eq!(trackers[0].told, [ours]);
    trackers[1].wait_for(&theirs);
}
