//! What proves that two nodes belong together: keys made of the cluster's secret and its name.

use std::fmt;

/// Bytes of a proof.
pub const PROOF_LEN: usize = 32;

/// The keys of a cluster. An empty secret makes keys too: they keep clusters of different names apart, and nothing else.
#[derive(Clone)]
pub struct ClusterKeys {
    hello: [u8; blake3::KEY_LEN],
    datagram: [u8; blake3::KEY_LEN],
}

impl fmt::Debug for ClusterKeys {
    /// Tells nothing of the keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClusterKeys")
    }
}

impl ClusterKeys {
    /// The keys of the cluster of that name and secret.
    #[must_use]
    pub fn new(cluster_name: &str, secret: &str) -> Self {
        let mut material = (cluster_name.len() as u64).to_le_bytes().to_vec();
        material.extend_from_slice(cluster_name.as_bytes());
        material.extend_from_slice(secret.as_bytes());
        Self {
            hello: blake3::derive_key("rondache v1 bus handshake", &material),
            datagram: blake3::derive_key("rondache v1 gossip datagram", &material),
        }
    }

    /// Proves knowledge of the secret over `parts`, which are told apart by their lengths.
    pub(crate) fn prove(&self, parts: &[&[u8]]) -> blake3::Hash {
        keyed(&self.hello, parts)
    }

    /// What authenticates a datagram. Compare in constant time: `blake3::Hash` does.
    #[must_use]
    pub fn seal(&self, parts: &[&[u8]]) -> blake3::Hash {
        keyed(&self.datagram, parts)
    }
}

fn keyed(key: &[u8; blake3::KEY_LEN], parts: &[&[u8]]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new_keyed(key);
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize()
}
