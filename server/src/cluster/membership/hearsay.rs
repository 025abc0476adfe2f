//! Deaths that others tell of.
//!
//! Gossip cannot take back a death. But who was cut off holds all others for dead, and says so as soon as it meets one of
//! them again: a majority that took its word would turn against its own living members, take over what these own, and
//! confirm the claims that the one who was cut off made meanwhile. So a death that is only told counts as a suspicion. It is
//! believed once this node has suspected the member for a while itself; a living member takes a suspicion back before.
//! In a real death the suspicion comes first, so that nothing is late.

use std::{collections::BTreeMap, time::Duration};

use rondache_protocol::bus::identity::NodeId;

use super::{gossiper::Gossiper, lives::Life};

/// A living member.
#[derive(Clone, Copy, Debug)]
struct Living {
    gossiper: Gossiper,
    suspect_since_ms: Option<u64>,
}

/// Who was said to be dead, and is not believed to be. Bound: one entry per member.
#[derive(Debug, Default)]
pub(super) struct Hearsay {
    living: BTreeMap<NodeId, Living>,
    /// When each was first said to be dead, and by which age.
    told: BTreeMap<NodeId, ((u64, u32), u64)>,
    /// For how long a member must have been a suspect.
    patience_ms: u64,
}

impl Hearsay {
    /// Takes over who lives, and for how long a member must have been a suspect.
    pub(super) fn refresh<'a>(&mut self, living: impl Iterator<Item = &'a Life>, patience: Duration) {
        self.patience_ms = patience.as_millis() as u64;
        let living = living.map(|life| {
            let Life { gossiper, suspect_since_ms, .. } = *life;
            (gossiper.identity.id, Living { gossiper, suspect_since_ms })
        });
        self.living = living.collect();
    }

    /// Whether the death of a member, of which another tells, is to be taken for a suspicion.
    pub(super) fn doubts(&mut self, dead: Gossiper, now_ms: u64) -> bool {
        let patience_ms = self.patience_ms;
        let Some(living) = self.living.get(&dead.identity.id) else { return false };
        let is_old_news = dead.age() < living.gossiper.age();
        let is_suspect = living.suspect_since_ms.is_some_and(|since_ms| now_ms.saturating_sub(since_ms) >= patience_ms);
        if is_old_news || (is_suspect && dead.age() == living.gossiper.age()) {
            return false;
        }
        let told = self.told.entry(dead.identity.id).or_insert((dead.age(), now_ms));
        if told.0 != dead.age() {
            *told = (dead.age(), now_ms);
        }
        true
    }

    /// Those whose deaths were told and who have been suspects for long enough: they are dead.
    pub(super) fn take_believed(&mut self, now_ms: u64) -> Vec<Gossiper> {
        let patience_ms = self.patience_ms;
        let mut believed = Vec::new();
        self.told.retain(|id, (age, told_ms)| {
            let Some(living) = self.living.get(id).filter(|living| living.gossiper.age() <= *age) else { return false };
            let is_young = now_ms.saturating_sub(*told_ms) < patience_ms;
            let is_same = living.gossiper.age() == *age;
            match living.suspect_since_ms.filter(|_| is_same) {
                Some(since_ms) if now_ms.saturating_sub(since_ms) >= patience_ms => believed.push(living.gossiper),
                Some(_) => return true,
                // It may be suspected in a moment.
                None => return is_young,
            }
            false
        });
        believed
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use rondache_protocol::bus::identity::Identity;

    use super::*;

    fn life(renewal: u32, suspect_since_ms: Option<u64>) -> Life {
        let identity = Identity { generation: 1, id: NodeId(2) };
        let bus = SocketAddr::from(([127, 0, 0, 1], 1));
        Life { gossiper: Gossiper { identity, renewal, bus }, suspect_since_ms, dead_since_ms: None }
    }

    fn hearsay(life: &Life) -> Hearsay {
        let mut hearsay = Hearsay::default();
        hearsay.refresh([life].into_iter(), Duration::from_millis(600));
        hearsay
    }

    #[test]
    fn the_death_of_a_member_that_seems_well_is_doubted_and_forgotten_when_it_stays_well() {
        let member = life(0, None);
        let mut hearsay = hearsay(&member);
        assert!(hearsay.doubts(member.gossiper, 1_000));
        assert!(hearsay.take_believed(1_500).is_empty());
        assert!(hearsay.take_believed(2_000).is_empty());
        assert!(hearsay.told.is_empty());
    }

    #[test]
    fn the_death_of_a_suspect_is_believed_after_a_while() {
        let member = life(0, Some(900));
        let mut hearsay = hearsay(&member);
        assert!(hearsay.doubts(member.gossiper, 1_000));
        assert!(hearsay.take_believed(1_400).is_empty());
        assert!(!hearsay.doubts(member.gossiper, 1_500));
        assert_eq!(hearsay.take_believed(1_500), [member.gossiper]);
    }

    #[test]
    fn the_death_of_an_earlier_renewal_is_no_news() {
        let mut hearsay = hearsay(&life(1, Some(0)));
        assert!(!hearsay.doubts(life(0, None).gossiper, 5_000), "gossip drops it by itself");
        assert!(hearsay.doubts(life(2, None).gossiper, 5_000), "its suspicion was of an earlier one");
    }
}
