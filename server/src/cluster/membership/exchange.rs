//! Push-pull: two members compare what they know, and each tells the other what is news to it.
//!
//! ```text
//! a ── Digest ──► b     equal: done, at 40 bytes
//! a ◄── Brief ─── b     who, in which state, 30 bytes a member
//! a ── Entries ─► b     what b does not know, and what a wants to know
//! a ◄─ Entries ── b
//! ```

use rondache_protocol::bus::identity::{Identity, NodeId};
use serde::{Deserialize, Serialize};

use crate::cluster::member::MemberInfo;

/// A member, as a member knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What it says of itself.
    pub info: MemberInfo,
    /// How often it has come back from the dead in this life.
    pub renewal: u32,
    /// For how long it has been dead (ms), if it is.
    pub dead_for_ms: Option<u64>,
}

/// An [`Entry`] without what the member says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brief {
    /// Which life of which node.
    pub identity: Identity,
    /// How often it has come back from the dead in this life.
    pub renewal: u32,
    /// The version of what it says of itself.
    pub version: u32,
    /// Whether it is dead.
    pub is_dead: bool,
}

/// A message of a push-pull.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Exchange {
    /// The opening: a hash over all [`Brief`]s.
    Digest(u64),
    /// The answer to a digest that is not the same.
    Brief(Vec<Brief>),
    /// What may be news, and about whom the sender wants to hear.
    Entries {
        /// What may be news to the receiver.
        entries: Vec<Entry>,
        /// Nodes of which the receiver seems to know more.
        wanted: Vec<NodeId>,
    },
}

impl Brief {
    /// Whether this is news to one who knows `other` of the same node.
    #[must_use]
    pub fn is_news_to(&self, other: Option<&Self>) -> bool {
        other.is_none_or(|other| {
            let life = |brief: &Self| (brief.identity.generation, brief.renewal, brief.is_dead);
            life(self) > life(other) || (self.identity == other.identity && self.version > other.version)
        })
    }
}

impl From<&Entry> for Brief {
    fn from(entry: &Entry) -> Self {
        Self {
            identity: entry.info.identity,
            renewal: entry.renewal,
            version: entry.info.version,
            is_dead: entry.dead_for_ms.is_some(),
        }
    }
}

/// The hash of what is known, in the order of the nodes' ids.
pub(super) fn digest<'a>(briefs: impl Iterator<Item = &'a Brief>) -> u64 {
    let mut hasher = xxhash_rust::xxh3::Xxh3Default::new();
    for brief in briefs {
        hasher.update(&brief.identity.id.0.to_le_bytes());
        hasher.update(&brief.identity.generation.to_le_bytes());
        hasher.update(&brief.renewal.to_le_bytes());
        hasher.update(&brief.version.to_le_bytes());
        hasher.update(&[u8::from(brief.is_dead)]);
    }
    hasher.digest()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brief(generation: u64, renewal: u32, version: u32, is_dead: bool) -> Brief {
        Brief { identity: Identity { generation, id: NodeId(1) }, renewal, version, is_dead }
    }

    #[test]
    fn a_later_life_renewal_death_or_version_is_news() {
        let known = brief(5, 1, 7, false);
        for news in [brief(6, 0, 1, true), brief(5, 2, 7, false), brief(5, 1, 7, true), brief(5, 1, 8, false)] {
            assert!(news.is_news_to(Some(&known)), "{news:?}");
        }
        for old in [known, brief(4, 9, 9, true), brief(5, 0, 7, true), brief(5, 1, 6, false)] {
            assert!(!old.is_news_to(Some(&known)), "{old:?}");
        }
        assert!(known.is_news_to(None));
    }
}
