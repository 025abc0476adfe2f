//! Push-pull: two members compare all that they know, so that what gossip lost comes after all.

use std::collections::BTreeMap;

use foca::{Member as Rumour, State};
use rondache_protocol::bus::identity::Identity;

use super::Membership;
use crate::cluster::membership::{
    directory::check,
    exchange::{Brief, Entry, Exchange, digest},
    gossiper::{Gossiper, plain},
    lives::{Life, patience},
    output::Output,
};

impl Membership {
    /// A member's part of a push-pull has arrived.
    pub fn on_exchange(&mut self, now_ms: u64, from: Identity, message: Exchange) {
        if self.farewells.is_some() {
            return;
        }
        self.enter(now_ms);
        match message {
            Exchange::Digest(theirs) => {
                let briefs = self.briefs();
                if digest(briefs.iter()) != theirs {
                    self.outputs.push(Output::Control { to: from, message: Exchange::Brief(briefs) });
                }
            }
            Exchange::Brief(theirs) => self.compare(from, &theirs),
            Exchange::Entries { entries, wanted } => {
                entries.into_iter().for_each(|entry| self.learn(entry, true));
                let entries: Vec<Entry> =
                    self.entries().into_iter().filter(|entry| wanted.contains(&entry.info.identity.id)).collect();
                if !entries.is_empty() {
                    let message = Exchange::Entries { entries, wanted: Vec::new() };
                    self.outputs.push(Output::Control { to: from, message });
                }
            }
        }
        self.leave_state();
    }

    /// All that this node knows of members, itself included: what a joiner is told.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        let now_ms = self.exits.now_ms;
        let mut entries = self.directory.with(|known| {
            let entry = |life: &Life| {
                let info = known.infos.get(&life.gossiper.identity.id)?;
                (info.identity == life.gossiper.identity).then(|| Entry {
                    info: info.clone(),
                    renewal: life.gossiper.renewal,
                    dead_for_ms: life.dead_since_ms.map(|since_ms| now_ms.saturating_sub(since_ms)),
                })
            };
            self.lives.all().filter_map(entry).collect::<Vec<_>>()
        });
        let renewal = self.foca.identity().renewal;
        entries.push(Entry { info: self.me.clone(), renewal, dead_for_ms: None });
        entries.sort_unstable_by_key(|entry| entry.info.identity.id);
        entries
    }

    /// Takes over what another member knows, and tells it on if it `is_news`.
    pub(super) fn learn(&mut self, entry: Entry, is_news: bool) {
        let Entry { info, renewal, dead_for_ms } = entry;
        let now_ms = self.exits.now_ms;
        if check(&info).is_err() {
            return;
        }
        let gossiper = Gossiper { identity: info.identity, renewal, bus: plain(info.addrs.bus) };
        let (rumour, dead_for_ms) = match dead_for_ms {
            Some(dead_ms) if dead_ms >= patience(Some(&info), self.tuning.forget_after) => return,
            Some(_) if self.directory.with(|known| known.doubts_death(gossiper)) => {
                let mut known = self.foca.iter_membership_state();
                let incarnation = known.find(|member| *member.id() == gossiper).map_or(0, Rumour::incarnation);
                (Rumour::new(gossiper, incarnation, State::Suspect), None)
            }
            Some(_) => (Rumour::down(gossiper), dead_for_ms),
            None => (Rumour::alive(gossiper), None),
        };
        self.directory.with(|known| known.put(&info));
        if let Err(error) = self.foca.apply_many(std::iter::once(rumour), is_news, &mut self.exits) {
            tracing::debug!(%error, "gossip: what was told by push-pull came to nothing");
        }
        if let Some(dead_ms) = dead_for_ms
            && info.identity.id != self.me.identity.id
        {
            // Foca says nothing of dead members that it has never seen alive.
            self.lives.down(gossiper, now_ms.saturating_sub(dead_ms));
        }
    }

    fn compare(&mut self, with: Identity, theirs: &[Brief]) {
        let theirs: BTreeMap<_, _> = theirs.iter().map(|brief| (brief.identity.id, brief)).collect();
        let mine: BTreeMap<_, _> = self.briefs().into_iter().map(|brief| (brief.identity.id, brief)).collect();
        let wanted = theirs.iter().filter(|(id, brief)| brief.is_news_to(mine.get(id))).map(|(id, _)| *id).collect();
        let is_news = |entry: &Entry| Brief::from(entry).is_news_to(theirs.get(&entry.info.identity.id).copied());
        let entries = self.entries().into_iter().filter(is_news).collect();
        self.outputs.push(Output::Control { to: with, message: Exchange::Entries { entries, wanted } });
    }

    pub(super) fn briefs(&self) -> Vec<Brief> {
        self.entries().iter().map(Brief::from).collect()
    }
}
