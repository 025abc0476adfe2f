//! Who is alive, suspect or dead, and since when.

use std::{collections::BTreeMap, time::Duration};

use foca::State;
use rondache_protocol::bus::identity::NodeId;

use super::gossiper::Gossiper;
use crate::cluster::member::{Health, MemberInfo};

/// How long a member that has left on purpose is still shown as dead: its rows may have to be taken over yet.
pub(super) const LEFT_FORGET_AFTER: Duration = Duration::from_secs(10);

/// The latest known life of a node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Life {
    pub(super) gossiper: Gossiper,
    pub(super) suspect_since_ms: Option<u64>,
    pub(super) dead_since_ms: Option<u64>,
}

impl Life {
    pub(super) fn health(&self) -> Health {
        match (self.dead_since_ms, self.suspect_since_ms) {
            (Some(_), _) => Health::Dead,
            (None, Some(_)) => Health::Suspect,
            (None, None) => Health::Alive,
        }
    }

    pub(super) fn is_live(&self) -> bool {
        self.dead_since_ms.is_none()
    }
}

/// All nodes but this one.
#[derive(Debug, Default)]
pub(super) struct Lives {
    all: BTreeMap<NodeId, Life>,
    has_changed: bool,
}

impl Lives {
    /// Whether anything has changed since this was last asked.
    pub(super) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.has_changed)
    }

    pub(super) fn all(&self) -> impl ExactSizeIterator<Item = &Life> {
        self.all.values()
    }

    pub(super) fn get(&self, id: NodeId) -> Option<&Life> {
        self.all.get(&id)
    }

    pub(super) fn up(&mut self, gossiper: Gossiper) {
        self.has_changed = true;
        self.all.insert(gossiper.identity.id, Life { gossiper, suspect_since_ms: None, dead_since_ms: None });
    }

    pub(super) fn down(&mut self, gossiper: Gossiper, since_ms: u64) {
        let life = Life { gossiper, suspect_since_ms: None, dead_since_ms: Some(since_ms) };
        self.has_changed = true;
        let known = self.all.entry(gossiper.identity.id).or_insert(life);
        if known.gossiper.age() <= gossiper.age() {
            *known = Life { dead_since_ms: Some(known.dead_since_ms.unwrap_or(since_ms).min(since_ms)), ..life };
        }
    }

    pub(super) fn rename(&mut self, to: Gossiper) {
        if let Some(life) = self.all.get_mut(&to.identity.id) {
            self.has_changed = true;
            life.gossiper = to;
        }
    }

    /// Takes over who is suspect.
    pub(super) fn mark_suspects<'a>(&mut self, members: impl Iterator<Item = &'a foca::Member<Gossiper>>, now_ms: u64) {
        for member in members {
            if let Some(life) = self.all.get_mut(&member.id().identity.id) {
                let is_suspect = member.state() == State::Suspect;
                self.has_changed |= life.suspect_since_ms.is_some() != is_suspect;
                life.suspect_since_ms = is_suspect.then(|| life.suspect_since_ms.unwrap_or(now_ms));
            }
        }
    }

    /// Forgets who has been dead for long enough; answers whom.
    pub(super) fn forget(
        &mut self,
        infos: &BTreeMap<NodeId, MemberInfo>,
        forget_after: Duration,
        now_ms: u64,
    ) -> Vec<NodeId> {
        let is_over = |(id, life): (&NodeId, &Life)| {
            let patience = patience(infos.get(id), forget_after);
            let is_over = life.dead_since_ms.is_some_and(|since_ms| now_ms.saturating_sub(since_ms) >= patience);
            is_over.then_some(*id)
        };
        let over: Vec<NodeId> = self.all.iter().filter_map(is_over).collect();
        for id in &over {
            self.all.remove(id);
        }
        self.has_changed |= !over.is_empty();
        over
    }

    pub(super) fn live(&self) -> impl Iterator<Item = &Life> {
        self.all().filter(|life| life.is_live())
    }
}

/// For how long a dead member is remembered (ms).
pub(super) fn patience(info: Option<&MemberInfo>, forget_after: Duration) -> u64 {
    let has_left = info.is_some_and(|info| info.is_leaving);
    let patience = if has_left { forget_after.min(LEFT_FORGET_AFTER) } else { forget_after };
    patience.as_millis() as u64
}
