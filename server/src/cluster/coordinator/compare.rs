//! The copies of slots whose owner is gone agree on who takes over: whoever has come the farthest.
//!
//! Each copy asks each other one once for all slots of the owner that is gone, and judges by the same rule; so usually
//! all judge alike without a further word. Who does not answer in time is left out.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use rondache_protocol::bus::identity::Identity;

use super::{
    Coordinator, Io, Role,
    message::{Answer, CoordinatorMessage, Question, SLOTS_PER_MESSAGE_MAX, SlotEpoch},
    orphans::{OwnerState, TAKE_MS},
};
use crate::cluster::plane::{Position, Row, Start};

/// Unanswered questions are asked again this often.
const ASK_AGAIN_MS: u64 = 100;
/// Whom a grant did not reach takes the slot itself after so many comparisons: the best copy does not act.
const TRIES_MAX: u32 = 3;

/// A comparison under way.
#[derive(Debug)]
pub(super) struct Compare {
    until_ms: u64,
    ask_again_ms: u64,
    /// The slots, each with its epoch.
    slots: BTreeMap<u16, u64>,
    /// What each copy was asked and has not answered.
    unanswered: BTreeMap<Identity, BTreeSet<u16>>,
    found: BTreeMap<u16, Vec<(Identity, Position)>>,
}

impl Compare {
    fn ask(&self, io: &mut Io<'_>, gone: Identity) {
        for (peer, slots) in &self.unanswered {
            let slots: Vec<SlotEpoch> =
                slots.iter().map(|slot| SlotEpoch { slot: *slot, epoch: self.slots[slot] }).collect();
            for slots in slots.chunks(SLOTS_PER_MESSAGE_MAX) {
                io.send(*peer, CoordinatorMessage::Compare(Question { gone, slots: slots.to_vec() }));
            }
        }
    }
}

impl Coordinator {
    /// Asks the other copies of an owner's slots how far they have come.
    pub(super) fn begin_compare(&mut self, io: &mut Io<'_>, gone: Identity, rows: &[Row]) {
        if let Some(under_way) = self.compares.get(&gone) {
            let due_ms = under_way.until_ms;
            rows.iter().for_each(|row| self.look_again(row.slot, due_ms));
            return;
        }
        let mut compare = Compare {
            until_ms: io.now_ms + self.settings.compare_ms,
            ask_again_ms: io.now_ms + ASK_AGAIN_MS,
            slots: rows.iter().map(|row| (row.slot, row.epoch)).collect(),
            unanswered: BTreeMap::new(),
            found: BTreeMap::new(),
        };
        for row in rows {
            for copy in self.other_live_copies(row) {
                compare.unanswered.entry(copy).or_default().insert(row.slot);
            }
            self.look_again(row.slot, compare.until_ms + TAKE_MS);
        }
        compare.ask(io, gone);
        self.compares.insert(gone, compare);
    }

    /// Another copy asks. What this node knows better than it is told, too.
    pub(super) fn on_compare(&mut self, io: &mut Io<'_>, from: Identity, question: &Question) {
        let mut positions = Vec::new();
        let mut newer = Vec::new();
        for at in question.slots.iter().take(SLOTS_PER_MESSAGE_MAX) {
            if self.table.epoch(at.slot) > at.epoch || self.owns(at.slot) {
                newer.push(at.slot);
            }
            let is_copy = self.role(at.slot) == Role::Copy;
            let position = is_copy.then(|| io.plane.position(at.slot)).filter(|position| position.epoch != 0);
            positions.push((at.slot, position));
        }
        for rows in self.table.batches(newer) {
            io.send(from, CoordinatorMessage::Rows(rows));
        }
        io.send(from, CoordinatorMessage::Compared(Answer { gone: question.gone, positions }));
    }

    pub(super) fn on_compared(&mut self, io: &mut Io<'_>, from: Identity, answer: &Answer) {
        let Some(compare) = self.compares.get_mut(&answer.gone) else { return };
        let Some(unanswered) = compare.unanswered.get_mut(&from) else { return };
        for (slot, position) in &answer.positions {
            if unanswered.remove(slot)
                && let Some(position) = position
            {
                compare.found.entry(*slot).or_default().push((from, *position));
            }
        }
        if unanswered.is_empty() {
            compare.unanswered.remove(&from);
        }
        if compare.unanswered.is_empty() {
            self.finish_compare(io, answer.gone);
        }
    }

    pub(super) fn tick_compares(&mut self, io: &mut Io<'_>) {
        let mut finished = Vec::new();
        for (gone, compare) in &mut self.compares {
            compare.unanswered.retain(|peer, _| self.view.is_alive(peer));
            if compare.unanswered.is_empty() || io.now_ms >= compare.until_ms {
                finished.push(*gone);
            } else if io.now_ms >= compare.ask_again_ms {
                compare.ask_again_ms = io.now_ms + ASK_AGAIN_MS;
                compare.ask(io, *gone);
            }
        }
        finished.into_iter().for_each(|gone| self.finish_compare(io, gone));
    }

    /// Another copy found this node's to be the best.
    pub(super) fn on_take(&mut self, io: &mut Io<'_>, from: Identity, slots: &[SlotEpoch]) {
        for at in slots.iter().take(SLOTS_PER_MESSAGE_MAX) {
            let Some(row) = self.table.row(at.slot).filter(|row| row.epoch == at.epoch) else { continue };
            let is_held = self.role(at.slot) == Role::Copy && io.plane.position(at.slot).epoch != 0;
            let is_orphan = row.owner == from || self.owner_state(&row.owner) == OwnerState::Gone;
            if is_held && is_orphan {
                self.take_over(io, &row, Start::Warm, Vec::new());
            }
        }
    }

    fn finish_compare(&mut self, io: &mut Io<'_>, gone: Identity) {
        let Some(mut compare) = self.compares.remove(&gone) else { return };
        let mut orders: BTreeMap<Identity, Vec<SlotEpoch>> = BTreeMap::new();
        for (slot, epoch) in compare.slots {
            let Some(row) = self.table.row(slot).filter(|row| row.epoch == epoch) else { continue };
            let Some(orphan) = self.orphans.get_mut(&slot) else { continue };
            orphan.tries += 1;
            orphan.due_ms = io.now_ms + TAKE_MS;
            let tries = orphan.tries;
            // Another has judged already, and leads this copy: by that it is ahead of what any was found to have. The row is on
            // its way, but for one whose owner is gone by now, too.
            let is_led = io.plane.position(slot).epoch > epoch;
            if is_led && tries == 1 {
                continue;
            }
            let found = compare.found.remove(&slot).unwrap_or_default();
            if let Some(best) = self.judge(io, &row, found, tries)
                && (tries > 1 || row.owner == self.me)
            {
                orders.entry(best).or_default().push(SlotEpoch { slot, epoch });
            }
        }
        for (best, slots) in orders {
            io.send(best, CoordinatorMessage::Take(slots));
        }
    }

    /// Takes the slot over if this node's copy is the best; else tells whose is.
    fn judge(&mut self, io: &mut Io<'_>, row: &Row, found: Vec<(Identity, Position)>, tries: u32) -> Option<Identity> {
        let mine = io.plane.position(row.slot);
        let is_held = mine.epoch != 0;
        let is_stuck = row.owner == self.me && tries >= TRIES_MAX;
        // The owner's place, before all copies', is that of one whom its grant did not reach.
        let place = |node: &Identity| Reverse(row.copies.iter().position(|copy| copy == node).map_or(0, |at| at + 1));
        let own = is_held.then_some((self.me, mine));
        let best = found.iter().copied().chain(own).max_by_key(|(node, position)| (*position, place(node)));
        match best {
            Some((best, _)) if best != self.me && !is_stuck => Some(best),
            Some(_) => {
                let in_sync = row.copies.iter().copied().filter(|copy| found.contains(&(*copy, mine))).collect();
                let start = if is_held { Start::Warm } else { Start::Cold };
                self.take_over(io, row, start, in_sync);
                None
            }
            None => {
                let first = row.copies.iter().find(|copy| **copy == self.me || self.view.is_alive(copy));
                if first == Some(&self.me) || row.owner == self.me {
                    self.take_over(io, row, Start::Cold, Vec::new());
                }
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rondache_protocol::bus::identity::NodeId;

    use super::*;
    use crate::cluster::{
        coordinator::{
            settings::Settings,
            sticky::StickyPlanner,
            testing::{Obedient, see},
        },
        member::{Health, MemberInfo},
        membership::simulation::info,
        plane::Claim,
    };

    const SLOT: u16 = 3;
    const STANDS: Position = Position { epoch: 1, seq: 7 };

    /// A node that copies a slot, and what it was made to do.
    struct Copy {
        coordinator: Coordinator,
        plane: Obedient,
        now_ms: u64,
    }

    fn members() -> [MemberInfo; 3] {
        [info(1, 1), info(2, 1), info(3, 1)]
    }

    fn id(member: u128) -> Identity {
        Identity { generation: 1, id: NodeId(member) }
    }

    /// The slot's row: 2 owns it.
    fn row(copies: [u128; 2]) -> Row {
        let claim = Claim { firm_epoch: 1, provisional: 0 };
        Row { slot: SLOT, epoch: 1, version: 1, claim, owner: id(2), copies: copies.map(id).to_vec() }
    }

    impl Copy {
        /// The first member, who knows a row of the slot and takes everybody to be alive.
        fn new(known: Row) -> Self {
            let settings = Settings { slots: 8, ..Settings::default() };
            let coordinator = Coordinator::new(id(1), settings, Box::new(StickyPlanner), 1);
            let plane = Obedient { position: STANDS, ..Obedient::default() };
            let mut copy = Self { coordinator, plane, now_ms: 1 };
            copy.see(Health::Alive);
            copy.run(|coordinator, io| coordinator.learn(io, id(2), known));
            copy
        }

        fn run(&mut self, act: impl FnOnce(&mut Coordinator, &mut Io<'_>)) {
            let (now_ms, out) = (self.now_ms, &mut Vec::new());
            act(&mut self.coordinator, &mut Io { now_ms, plane: &mut self.plane, out });
        }

        /// Believes that of the slot's owner.
        fn see(&mut self, owner: Health) {
            let [me, other, third] = members();
            let view = see([(&me, Health::Alive), (&other, owner), (&third, Health::Alive)]);
            self.run(|coordinator, io| coordinator.view_changed(io, view));
        }

        fn tick_in(&mut self, ms: u64) {
            self.now_ms += ms;
            self.run(Coordinator::tick);
        }
    }

    #[test]
    fn who_is_led_by_the_next_owner_before_it_hears_the_answer_takes_nothing_over_at_first() {
        let mut copy = Copy::new(row([3, 1]));
        copy.see(Health::Dead);
        copy.plane.position.epoch = 2;
        let answer = Answer { gone: id(2), positions: vec![(SLOT, Some(STANDS))] };
        let answer = CoordinatorMessage::Compared(answer);
        copy.run(|coordinator, io| coordinator.message(io, id(3), answer.clone()));
        assert_eq!(copy.plane.owned, []);
        copy.tick_in(2 * TAKE_MS);
        copy.run(|coordinator, io| coordinator.message(io, id(3), answer));
        assert_eq!(copy.plane.owned, [(SLOT, 2)], "that owner is gone, too: no row of it has come");
    }
}
