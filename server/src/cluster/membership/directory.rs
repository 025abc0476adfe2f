//! What members say of themselves, and how that and other news spreads with the gossip.

use std::{collections::BTreeMap, sync::Arc};

use foca::{BroadcastHandler, Invalidates};
use parking_lot::Mutex;
use rondache_protocol::bus::{
    codec::{self, CodecError},
    hello::NAME_LEN_MAX,
    identity::{Identity, NodeId},
};
use serde::{Deserialize, Serialize};

use super::{gossiper::Gossiper, hearsay::Hearsay, refusals::Refusals};
use crate::cluster::member::MemberInfo;

/// A piece of news, beside foca's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum News {
    /// What a member says of itself.
    Info(MemberInfo),
    /// A member's address refuses connections.
    Refuses {
        /// Whose.
        of: Identity,
        /// Who found it.
        by: Identity,
    },
}

/// Why a piece of news is dropped.
#[derive(Debug, thiserror::Error)]
pub(super) enum NewsError {
    /// It is none, or one of a newer version.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// A name or a zone is too long to travel.
    #[error("a member's name or zone is longer than {NAME_LEN_MAX} bytes")]
    LongName,
}

/// What replaces which news on its way.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NewsKey {
    Info(NodeId),
    Refuses(Identity, Identity),
}

impl Invalidates for NewsKey {
    /// Only news that is newer gets this far.
    fn invalidates(&self, other: &Self) -> bool {
        self == other
    }
}

/// What is known beside foca's own list. Shared with foca, which hands in what it receives; both live on one thread, so
/// the lock is never waited for.
#[derive(Clone, Debug)]
pub(super) struct Directory(Arc<Mutex<Known>>);

#[derive(Debug)]
pub(super) struct Known {
    pub(super) me: NodeId,
    pub(super) now_ms: u64,
    pub(super) infos: BTreeMap<NodeId, MemberInfo>,
    pub(super) refusals: Refusals,
    pub(super) hearsay: Hearsay,
    /// Set when an info was added or replaced.
    pub(super) has_changed: bool,
    /// Of whom others told that they refuse, since it was last looked at.
    pub(super) heard: Vec<Identity>,
}

impl Directory {
    pub(super) fn new(me: NodeId) -> Self {
        Self(Arc::new(Mutex::new(Known {
            me,
            now_ms: 0,
            infos: BTreeMap::new(),
            refusals: Refusals::default(),
            hearsay: Hearsay::default(),
            has_changed: false,
            heard: Vec::new(),
        })))
    }

    pub(super) fn with<R>(&self, work: impl FnOnce(&mut Known) -> R) -> R {
        work(&mut self.0.lock())
    }
}

impl Known {
    /// Keeps what a member says of itself, if it is later than what is known; answers whether it is.
    pub(super) fn put(&mut self, info: &MemberInfo) -> bool {
        let age = |info: &MemberInfo| (info.identity.generation, info.version);
        let id = info.identity.id;
        if id == self.me || self.infos.get(&id).is_some_and(|known| age(known) >= age(info)) {
            return false;
        }
        self.infos.insert(id, info.clone());
        self.has_changed = true;
        true
    }

    /// Whether a death that another tells of is to be taken for a suspicion. A node hears of its own to come back, and of
    /// one that leaves nothing else is to be expected.
    pub(super) fn doubts_death(&mut self, dead: Gossiper) -> bool {
        let is_leaving = self.infos.get(&dead.identity.id).is_some_and(|info| info.is_leaving);
        dead.identity.id != self.me && !is_leaving && self.hearsay.doubts(dead, self.now_ms)
    }
}

/// Refuses an info whose texts would not fit into a datagram.
pub(super) fn check(info: &MemberInfo) -> Result<(), NewsError> {
    if info.name.len().max(info.zone.len()) > NAME_LEN_MAX { Err(NewsError::LongName) } else { Ok(()) }
}

impl BroadcastHandler<Gossiper> for Directory {
    type Key = NewsKey;
    type Error = NewsError;

    fn receive_item(&mut self, data: &[u8], sender: Option<&Gossiper>) -> Result<Option<NewsKey>, NewsError> {
        let news: News = codec::decode(data)?;
        self.with(|known| match news {
            News::Info(info) => {
                check(&info)?;
                // What this node itself sends out is news by definition.
                let is_news = sender.is_none() || known.put(&info);
                Ok(is_news.then_some(NewsKey::Info(info.identity.id)))
            }
            News::Refuses { of, by } => {
                let now_ms = known.now_ms;
                let is_news = sender.is_none() || known.refusals.add(of, by, now_ms);
                if is_news && sender.is_some() {
                    known.heard.push(of);
                }
                Ok(is_news.then_some(NewsKey::Refuses(of, by)))
            }
        })
    }
}
