//! Figures for people: how the slots stand, and what became of those whose owners went.

use super::{Coordinator, Role};
use crate::cluster::plane::Start;

/// Takeovers by this node since its start, in slots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Takeovers {
    /// With a majority.
    pub firm: u64,
    /// Without one.
    pub provisional: u64,
    /// Of both, those for which no copy was left: their keys are gone.
    pub cold: u64,
    /// Slots that this node gave up because another's claim was better.
    pub lost: u64,
}

impl Takeovers {
    pub(super) fn count(&mut self, is_firm: bool, start: Start) {
        if is_firm {
            self.firm += 1;
        } else {
            self.provisional += 1;
        }
        if start == Start::Cold {
            self.cold += 1;
        }
    }
}

/// How a node's slots stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Slots that this node owns.
    pub owned: usize,
    /// Slots of which it holds a copy in sync.
    pub copied: usize,
    /// Slots that it owns and is to give away.
    pub moving_out: usize,
    /// Slots that it is to own and does not yet.
    pub moving_in: usize,
    /// Copies under way from this node.
    pub copying: usize,
    /// Own slots whose copies are not those planned.
    pub short_of_copies: usize,
    /// Slots whose owner is gone.
    pub orphans: usize,
    /// Slots whose claims by this node are provisional.
    pub provisional: usize,
    /// Takeovers since the start.
    pub takeovers: Takeovers,
    /// The number of the plan that is followed; 0: there is none.
    pub plan: u64,
    /// Whether this node knows the table and owns all that the plan gives it.
    pub is_warm: bool,
}

impl Coordinator {
    /// How many slots this node owns.
    #[must_use]
    pub fn owned(&self) -> usize {
        self.roles.iter().filter(|role| **role == Role::Owner).count()
    }

    /// How this node's slots stand. Walks all slots: for people, not for every tick.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let mut progress = Progress {
            copying: self.reconcile.copying(),
            orphans: self.orphans.len(),
            provisional: self.confirm.len(),
            takeovers: self.takeovers,
            plan: self.plan.as_ref().map_or(0, |plan| plan.number()),
            ..Progress::default()
        };
        let survey = self.survey();
        let me = survey.nodes().iter().position(|node| *node == self.me).map(|place| place as u32);
        for slot in 0..self.settings.slots {
            match self.role(slot) {
                Role::Owner => {
                    progress.owned += 1;
                    progress.moving_out += usize::from(survey.is_to_move(slot));
                    progress.short_of_copies += usize::from(!survey.are_copies_as_planned(slot));
                }
                Role::Copy => progress.copied += 1,
                Role::Neither => {}
            }
            let planned = survey.planned(slot).next();
            progress.moving_in += usize::from(planned.is_some() && planned == me && !self.owns(slot));
        }
        progress.is_warm = self.table.is_complete() && progress.moving_in == 0 && self.has_part(progress.owned);
        progress
    }

    /// Whether this node's part is known: it owns slots, or there is a plan, which may give it none.
    fn has_part(&self, owned: usize) -> bool {
        let is_planned = || self.plan.as_ref().is_some_and(|plan| plan.names(&self.me));
        let gets_none = || self.view.get(&self.me).is_some_and(|me| me.info.weight == 0);
        owned > 0 || is_planned() || gets_none()
    }
}
