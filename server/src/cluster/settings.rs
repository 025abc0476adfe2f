//! The settings that belong to the cluster: the last change wins, everywhere.
//!
//! `CONFIG SET` on one node makes a [`Change`]; every node that hears of it takes it if its version is higher than that of what it
//! holds. A node that has yet to join holds its own values with the version 0, which loses against any cluster's; the
//! node that founds a cluster raises its own to 1. Pure: the caller sends, and puts values into force.
//!
//! Bound: one entry per name, [`ENTRIES_MAX`] names, so that a newer node's unknown settings are kept for others to learn and cannot grow
//! without end.

use std::collections::BTreeMap;

use rondache_protocol::bus::identity::NodeId;
use serde::{Deserialize, Serialize};

use crate::config::{
    parameters::{self, Parameter},
    settings::{Settings, SettingsCell},
};

/// Most names that are kept.
pub const ENTRIES_MAX: usize = 256;
/// Longest name.
const NAME_LEN_MAX: usize = 64;
/// Longest value: rules of the TTL jitter may be many.
const VALUE_LEN_MAX: usize = 256 * 1024;

/// Which of two changes wins: the later one; of two that did not know of each other, that of the greater node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Version {
    /// One more than the change that was replaced; 0: a node's own value, never agreed on.
    pub counter: u64,
    /// Where it was changed.
    pub node: NodeId,
}

/// A setting's value, and since when it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The parameter's name.
    pub name: String,
    /// Its value, as `CONFIG GET` shows it.
    pub value: String,
    /// Which of several wins.
    pub version: Version,
}

/// What nodes send each other: a change, or all that one holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsMessage {
    /// The changes, each name once.
    pub changes: Vec<Change>,
}

/// A value of this node's that gave way to another's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// The parameter's name.
    pub name: String,
    /// What the node had.
    pub own: String,
    /// What holds now.
    pub value: String,
    /// Whether somebody had set the node's own value: it is neither the default nor something agreed on before.
    pub is_clash: bool,
}

/// The cluster's settings as a node knows them.
#[derive(Debug)]
pub struct SharedSettings {
    node: NodeId,
    entries: BTreeMap<String, (String, Version)>,
}

/// The parameters that belong to the cluster.
pub fn shared_parameters() -> impl Iterator<Item = &'static Parameter> {
    parameters::all().filter(|parameter| parameter.is_of_cluster)
}

impl SharedSettings {
    /// What a node starts with: its own values, which any cluster's replace.
    #[must_use]
    pub fn new(node: NodeId, settings: &Settings) -> Self {
        let version = Version { counter: 0, node };
        let own = shared_parameters().map(|parameter| (parameter.name.to_owned(), (parameter.get(settings), version)));
        Self { node, entries: own.collect() }
    }

    /// Makes this node's values those of a new cluster.
    pub fn found(&mut self) {
        for (_, version) in self.entries.values_mut() {
            version.counter = version.counter.max(1);
        }
    }

    /// Notes a change that was made here, and answers what to tell the others.
    pub fn set(&mut self, name: &str, value: String) -> Change {
        let counter = self.entries.get(name).map_or(0, |(_, version)| version.counter) + 1;
        let version = Version { counter, node: self.node };
        self.entries.insert(name.to_owned(), (value.clone(), version));
        Change { name: name.to_owned(), value, version }
    }

    /// Takes what another node knows, and answers the changes that won and are to be put into force.
    pub fn merge(&mut self, message: SettingsMessage) -> Vec<Change> {
        let mut won = Vec::new();
        for change in message.changes {
            let known = self.entries.get(&change.name);
            let is_newer = known.is_none_or(|(_, version)| change.version > *version);
            let fits = change.name.len() <= NAME_LEN_MAX
                && change.value.len() <= VALUE_LEN_MAX
                && (known.is_some() || self.entries.len() < ENTRIES_MAX);
            // A value that was never agreed on binds nobody.
            if is_newer && fits && change.version.counter > 0 {
                let is_change = known.is_none_or(|(value, _)| *value != change.value);
                self.entries.insert(change.name.clone(), (change.value.clone(), change.version));
                if is_change {
                    won.push(change);
                }
            }
        }
        won
    }

    /// All that this node knows to be agreed on.
    #[must_use]
    pub fn message(&self) -> SettingsMessage {
        let agreed = self.entries.iter().filter(|(_, (_, version))| version.counter > 0);
        let changes = agreed
            .map(|(name, (value, version))| Change { name: name.clone(), value: value.clone(), version: *version })
            .collect();
        SettingsMessage { changes }
    }

    /// A digest of what is agreed on: nodes with the same one need not send each other anything.
    #[must_use]
    pub fn digest(&self) -> u64 {
        let mut hash = xxhash_rust::xxh3::Xxh3::new();
        for (name, (value, version)) in self.entries.iter().filter(|(_, (_, version))| version.counter > 0) {
            hash.update(name.as_bytes());
            hash.update(&[0]);
            hash.update(value.as_bytes());
            hash.update(&version.counter.to_le_bytes());
            hash.update(&version.node.0.to_le_bytes());
        }
        hash.digest()
    }
}

/// Puts changes of other nodes into force, and answers what they replaced. One that this version of the program cannot
/// read is left out, with a warning.
pub fn put_into_force(cell: &SettingsCell, changes: &[Change]) -> Vec<Replaced> {
    let defaults = Settings::default();
    let mut replaced = Vec::new();
    let changed = cell.update(|settings| {
        for change in changes {
            let Some(parameter) = parameters::lookup(&change.name).filter(|parameter| parameter.is_of_cluster) else {
                continue;
            };
            let own = parameter.get(settings);
            if let Err(refusal) = parameter.set(settings, &change.value) {
                tracing::warn!(setting = change.name, refusal, "a setting of the cluster cannot be read here");
                continue;
            }
            if own != change.value {
                let is_clash = own != parameter.get(&defaults);
                replaced.push(Replaced { name: change.name.clone(), own, value: change.value.clone(), is_clash });
            }
        }
        Ok::<(), std::convert::Infallible>(())
    });
    let Ok(()) = changed;
    replaced
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn node(id: u128) -> SharedSettings {
        SharedSettings::new(NodeId(id), &Settings::default())
    }

    fn value<'a>(node: &'a SharedSettings, name: &str) -> &'a str {
        &node.entries[name].0
    }

    #[test]
    fn a_change_here_reaches_another_node() {
        let (mut a, mut b) = (node(1), node(2));
        let change = a.set("replicas", "2".to_owned());
        assert_eq!(b.merge(SettingsMessage { changes: vec![change.clone()] }), [change]);
        assert_eq!(value(&b, "replicas"), "2");
        assert_eq!(a.digest(), b.digest());
    }

    #[test]
    fn a_joiner_takes_the_clusters_values_and_gives_none_of_its_own() {
        let (mut founder, mut joiner) = (node(1), node(u128::MAX));
        founder.found();
        joiner.entries.get_mut("replicas").unwrap().0 = "3".to_owned();
        assert_eq!(founder.merge(joiner.message()), []);
        let won = joiner.merge(founder.message());
        assert_eq!(won.iter().map(|change| change.name.as_str()).collect::<Vec<_>>(), ["replicas"]);
        assert_eq!((value(&joiner, "replicas"), value(&founder, "replicas")), ("1", "1"));
    }

    #[test]
    fn a_later_change_wins_over_an_earlier_one_of_a_greater_node() {
        let (mut a, mut b) = (node(1), node(2));
        let early = b.set("replicas", "5".to_owned());
        a.merge(SettingsMessage { changes: vec![early.clone()] });
        let late = a.set("replicas", "6".to_owned());
        b.merge(SettingsMessage { changes: vec![late, early] });
        assert_eq!(value(&b, "replicas"), "6");
    }

    #[test]
    fn what_is_put_into_force_tells_whom_it_replaced() {
        let mut settings = Settings::default();
        settings.cluster.replicas = 3;
        let cell = SettingsCell::new(settings);
        let version = Version { counter: 1, node: NodeId(1) };
        let change = |name: &str, value: &str| Change { name: name.to_owned(), value: value.to_owned(), version };
        let changes = [
            change("replicas", "2"),
            change("ttl-jitter", "5"),
            change("replicas", "x"),
            change("maxmemory", "1"),
            change("new", "1"),
        ];
        let replaced = put_into_force(&cell, &changes);
        let told: Vec<_> =
            replaced.iter().map(|r| (r.name.as_str(), r.own.as_str(), r.value.as_str(), r.is_clash)).collect();
        assert_eq!(told, [("replicas", "3", "2", true), ("ttl-jitter", "10", "5", false)]);
        let settings = cell.load();
        assert_eq!((settings.cluster.replicas, settings.ttl_jitter_percent, settings.maxmemory_bytes), (2, 5, 0));
    }

    #[test]
    fn too_long_or_too_many_is_not_kept() {
        let mut a = node(1);
        let version = Version { counter: 1, node: NodeId(2) };
        let named = |name: String| Change { name, value: String::new(), version };
        let mut changes = vec![named("x".repeat(NAME_LEN_MAX + 1))];
        changes.extend((0..2 * ENTRIES_MAX).map(|index| named(format!("new-{index}"))));
        a.merge(SettingsMessage { changes });
        assert_eq!(a.entries.len(), ENTRIES_MAX);
    }

    proptest! {
        #[test]
        fn nodes_agree_in_whatever_order_they_hear(
            sets in prop::collection::vec((0_usize..3, 0_usize..3, 0_u8..9), 1..20),
            deliveries in prop::collection::vec((0_usize..3, 0_usize..3), 0..30),
        ) {
            let names = ["replicas", "write-acks", "ttl-jitter"];
            let mut nodes = [node(1), node(2), node(3)];
            nodes[0].found();
            let mut deliveries = deliveries.into_iter();
            for (at, name, value) in sets {
                nodes[at].set(names[name], value.to_string());
                if let Some((from, to)) = deliveries.next() {
                    let message = nodes[from].message();
                    nodes[to].merge(message);
                }
            }
            for _ in 0..2 {
                for (from, to) in [(0, 1), (1, 2), (2, 0), (2, 1), (1, 0), (0, 2)] {
                    let message = nodes[from].message();
                    nodes[to].merge(message);
                }
            }
            prop_assert_eq!(nodes[0].message(), nodes[1].message());
            prop_assert_eq!(nodes[1].message(), nodes[2].message());
        }
    }
}
