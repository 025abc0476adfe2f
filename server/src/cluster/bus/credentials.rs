//! What this node says of itself in a handshake, and how it proves it.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::OnceLock,
};

use rondache_protocol::bus::{
    hello::{Local, NAME_LEN_MAX, Nonce, VERSIONS},
    identity::{ClusterId, Identity},
    secret::ClusterKeys,
};

/// This node's part of every handshake; shared by all threads that open connections.
#[derive(Debug)]
pub struct Credentials {
    identity: Identity,
    cluster_name: String,
    keys: ClusterKeys,
    /// Set once, when the node has joined a cluster or minted one.
    facts: OnceLock<ClusterFacts>,
}

/// What a cluster decided when it began, and what every member must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ClusterFacts {
    /// The cluster.
    pub id: ClusterId,
    /// The seed of the keys' hash: one for all nodes, so that a SCAN cursor means the same everywhere.
    pub hash_seed: u64,
}

impl Credentials {
    /// The credentials of a node that is in no cluster yet. A name that is too long is cut.
    #[must_use]
    pub fn new(identity: Identity, cluster_name: &str, secret: &str) -> Self {
        let cluster_name = cut(cluster_name).to_owned();
        let keys = ClusterKeys::new(&cluster_name, secret);
        Self { identity, cluster_name, keys, facts: OnceLock::new() }
    }

    /// Which life of which node this is.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// The cluster that the node is in, once it is.
    #[must_use]
    pub fn facts(&self) -> Option<ClusterFacts> {
        self.facts.get().copied()
    }

    /// The node is in that cluster from now on, and for the rest of its life; answers whether it was in none.
    pub fn join(&self, facts: ClusterFacts) -> bool {
        self.facts.set(facts).is_ok()
    }

    /// The keys that datagrams are sealed with.
    #[must_use]
    pub fn keys(&self) -> &ClusterKeys {
        &self.keys
    }

    /// What the node says of itself in a handshake.
    #[must_use]
    pub fn local(&self) -> Local {
        Local {
            identity: self.identity,
            cluster: self.facts().map(|facts| facts.id),
            cluster_name: self.cluster_name.clone(),
            versions: VERSIONS,
            keys: self.keys.clone(),
        }
    }
}

/// `name`, cut to what others accept as a name.
#[must_use]
pub fn cut(name: &str) -> &str {
    let mut end = name.len().min(NAME_LEN_MAX);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}

/// Bytes that nobody can foresee, from the system's randomness that seeds the standard library's hashers.
#[must_use]
pub fn nonce() -> Nonce {
    let mut hasher = blake3::Hasher::new();
    for _ in 0..4 {
        hasher.update(&RandomState::new().build_hasher().finish().to_le_bytes());
    }
    hasher.update(&fastrand::u128(..).to_le_bytes());
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_nonces_are_alike() {
        assert_ne!(nonce(), nonce());
    }

    #[test]
    fn a_long_name_is_cut_between_characters() {
        assert_eq!(cut(&"é".repeat(40)), "é".repeat(32));
        assert_eq!(cut(&format!("a{}", "é".repeat(40))), format!("a{}", "é".repeat(31)));
        assert_eq!(cut("shop"), "shop");
    }
}
