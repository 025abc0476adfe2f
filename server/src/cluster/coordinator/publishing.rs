//! When a new plan is made, and whose plan holds.

use super::{Coordinator, Io, message::CoordinatorMessage, plan::Plan};
use crate::cluster::member::MemberInfo;

/// When the oldest member makes its next plan.
#[derive(Debug, Default)]
pub(super) struct Publishing {
    due_ms: Option<u64>,
    /// Until when a plan that gives a live member nothing is taken for out of date.
    awaited_until_ms: u64,
    check_ms: u64,
    /// How many slots were not where the plan wants them when it was last looked at.
    drifted: usize,
}

impl Publishing {
    pub(super) fn put_off(&mut self, due_ms: u64) {
        self.due_ms = Some(due_ms);
    }

    /// Members came or went: another plan is to come.
    pub(super) fn await_another(&mut self, until_ms: u64) {
        self.awaited_until_ms = until_ms;
    }
}

impl Coordinator {
    /// Makes a plan if it is this node's turn and time.
    pub(super) fn tick_publishing(&mut self, io: &mut Io<'_>) {
        if io.now_ms >= self.publishing.check_ms {
            self.publishing.check_ms = io.now_ms + self.settings.plan_check_ms;
            self.check_plan(io.now_ms);
        }
        let is_mine = self.view.oldest().is_some_and(|oldest| oldest.info.identity == self.me);
        let is_due = self.publishing.due_ms.is_some_and(|due_ms| io.now_ms >= due_ms);
        if is_due && is_mine && self.table.is_complete() && !self.awaits_strangers(io.now_ms) {
            self.publishing.due_ms = None;
            self.publish(io);
        }
    }

    /// Whether the plan is out of date: it leaves out a member that is there. Whoever was cut off made plans without the
    /// others, and where the two sides meet again one of these may win by its number; nothing is to move by it.
    pub(super) fn awaits_plan(&self, now_ms: u64) -> bool {
        let Some(plan) = self.plan.as_ref().filter(|_| now_ms < self.publishing.awaited_until_ms) else { return false };
        let counts = |info: &MemberInfo| !info.is_leaving && info.weight > 0;
        self.view.live().any(|member| counts(&member.info) && !plan.names(&member.info.identity))
    }

    /// Takes over a plan that is later than this node's. One that another made while it thought itself the oldest may
    /// have been made for fewer members: the oldest looks at it again.
    pub(super) fn learn_plan(&mut self, now_ms: u64, plan: Plan) {
        if self.plan.as_ref().is_none_or(|mine| plan.rank() > mine.rank()) {
            if plan.publisher() != self.me {
                self.publishing.put_off(now_ms + self.settings.plan_debounce_ms);
            }
            self.plan = Some(plan);
            self.reconsider_all();
        }
    }

    fn publish(&mut self, io: &mut Io<'_>) {
        let members: Vec<&MemberInfo> = self.view.live().map(|member| &member.info).collect();
        let slots = self.planner.plan(&members, &self.table, self.settings.copies);
        let number = self.plan.as_ref().map_or(0, Plan::number) + 1;
        let plan = Plan::new(number, self.me, &slots);
        if self.plan.as_ref().is_some_and(|before| before.wants_the_same(&plan)) {
            return;
        }
        io.broadcast(CoordinatorMessage::Plan(plan.clone()));
        self.learn_plan(io.now_ms, plan);
    }

    /// Lets a plan be made where nothing moves towards the present one: it may want what cannot be.
    fn check_plan(&mut self, now_ms: u64) {
        let drifted = self.survey().slots_to_move();
        if drifted > 0 && drifted == self.publishing.drifted {
            self.publishing.put_off(now_ms);
        }
        self.publishing.drifted = drifted;
    }
}
