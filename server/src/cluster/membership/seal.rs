//! Authenticated datagrams: what does not come from the same cluster is dropped.
//!
//! ```text
//! 0       2         4              8     24
//! | magic | version | cluster hint | tag | payload …
//! ```
//! The tag is the first half of a keyed BLAKE3 over the rest and the whole cluster id. The hint (the id's lowest bits)
//! only tells a neighbouring cluster's datagram from a forged one. There is no protection against repetition: gossip is
//! numbered by itself, and repeats are harmless.

use rondache_protocol::bus::{identity::ClusterId, secret::ClusterKeys};

/// The longest datagram: what passes any network without being cut in pieces.
pub const DATAGRAM_LEN_MAX: usize = 1400;
/// What sealing adds.
pub const SEAL_LEN: usize = HEAD_LEN + TAG_LEN;

const MAGIC: [u8; 2] = *b"RG";
const VERSION: [u8; 2] = 1_u16.to_le_bytes();
const HEAD_LEN: usize = 8;
const TAG_LEN: usize = 16;

/// Why a datagram is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum SealError {
    /// It is too long or too short, or begins with something else.
    #[error("it is no gossip of Rondache")]
    NotGossip,
    /// It is sealed in a way that this version does not know.
    #[error("it is gossip of another version")]
    OtherVersion,
    /// It belongs to another cluster.
    #[error("it is gossip of another cluster")]
    OtherCluster,
    /// Whoever made it does not know the secret.
    #[error("it is forged, or sealed with another cluster-secret")]
    Forged,
}

/// Seals and opens the datagrams of one cluster.
#[derive(Clone, Debug)]
pub struct Sealer {
    keys: ClusterKeys,
    cluster: ClusterId,
    head: [u8; HEAD_LEN],
}

impl Sealer {
    /// Seals for that cluster.
    #[must_use]
    pub fn new(keys: ClusterKeys, cluster: ClusterId) -> Self {
        let mut head = [0; HEAD_LEN];
        head[..2].copy_from_slice(&MAGIC);
        head[2..4].copy_from_slice(&VERSION);
        head[4..].copy_from_slice(&(cluster.0 as u32).to_le_bytes());
        Self { keys, cluster, head }
    }

    /// The payload as a datagram.
    #[must_use]
    pub fn seal(&self, payload: &[u8]) -> Vec<u8> {
        let mut datagram = Vec::with_capacity(SEAL_LEN + payload.len());
        datagram.extend_from_slice(&self.head);
        datagram.extend_from_slice(&self.tag(payload));
        datagram.extend_from_slice(payload);
        datagram
    }

    /// The payload of a datagram.
    ///
    /// # Errors
    /// It does not come from this cluster.
    pub fn open<'a>(&self, datagram: &'a [u8]) -> Result<&'a [u8], SealError> {
        if datagram.len() > DATAGRAM_LEN_MAX {
            return Err(SealError::NotGossip);
        }
        let (head, rest) = datagram.split_first_chunk::<HEAD_LEN>().ok_or(SealError::NotGossip)?;
        let (tag, payload) = rest.split_first_chunk::<TAG_LEN>().ok_or(SealError::NotGossip)?;
        if head[..2] != MAGIC {
            return Err(SealError::NotGossip);
        }
        if head[2..4] != VERSION {
            return Err(SealError::OtherVersion);
        }
        if head[4..] != self.head[4..] {
            return Err(SealError::OtherCluster);
        }
        // In constant time: the differences are gathered, not looked at one by one.
        let difference = tag.iter().zip(self.tag(payload)).fold(0, |all, (theirs, mine)| all | (theirs ^ mine));
        if difference != 0 { Err(SealError::Forged) } else { Ok(payload) }
    }

    fn tag(&self, payload: &[u8]) -> [u8; TAG_LEN] {
        let hash = self.keys.seal(&[&self.head, &self.cluster.0.to_le_bytes(), payload]);
        let mut tag = [0; TAG_LEN];
        tag.copy_from_slice(&hash.as_bytes()[..TAG_LEN]);
        tag
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sealer(secret: &str, cluster: u128) -> Sealer {
        Sealer::new(ClusterKeys::new("shop", secret), ClusterId(cluster))
    }

    #[test]
    fn only_the_own_cluster_s_datagrams_are_opened() {
        let datagram = sealer("s", 7).seal(b"news");
        assert_eq!(sealer("s", 7).open(&datagram), Ok(&b"news"[..]));
        assert_eq!(sealer("t", 7).open(&datagram), Err(SealError::Forged));
        assert_eq!(sealer("s", 8).open(&datagram), Err(SealError::OtherCluster));
        // The hint is the same, the id is not.
        assert_eq!(sealer("s", 7 | 1 << 100).open(&datagram), Err(SealError::Forged));
    }

    proptest! {
        #[test]
        fn a_changed_datagram_is_not_opened(payload: Vec<u8>, at: prop::sample::Index, bit in 0..8_u32) {
            let mut datagram = sealer("s", 7).seal(&payload);
            let at = at.index(datagram.len());
            datagram[at] ^= 1_u8 << bit;
            prop_assert!(sealer("s", 7).open(&datagram).is_err());
        }

        #[test]
        fn any_bytes_are_dropped_without_harm(datagram: Vec<u8>) {
            prop_assert!(sealer("s", 7).open(&datagram).is_err());
        }
    }
}
