//! Decides who owns and who copies which slot. Pure: time, views, messages and events are handed in; out come messages
//! and orders to the data plane. So a whole cluster of coordinators runs in a deterministic simulation.
//!
//! ```text
//!    view ──┐                        ┌── own / follow / start_copy / park / grant ──► data plane
//! messages ─┼──► Coordinator ────────┤
//!   events ─┘   table, plan, view    └── rows, digests, plans, questions ───────────► other coordinators
//! ```
//!
//! | module | holds |
//! |---|---|
//! | [`message`] | what coordinators say to each other |
//! | [`sticky`] | the planner of real nodes |
//! | [`settings`] | what differs between clusters, and how long things may take |
//! | [`plan`] | plans: who is to own and to copy which slot |
//! | `publishing` | when the oldest member makes a new plan |
//! | `rows` | rows that are learnt, and what they change here |
//! | `gossip` | the exchange of tables |
//! | `reconcile` | the owner's work: copies started and dropped |
//! | `agenda` | the slots that are still to be looked at |
//! | `beaten` | rows of later epochs that lost: their winners are to rise above them |
//! | `handoff` | park, caught up, grant |
//! | `orphans` | slots whose owner is gone |
//! | `compare` | copies agree on who takes over |
//! | `contest` | a fork ends: who of two owners keeps the slot |
//! | `confirm` | provisional claims become firm |
//! | [`survey`] | table and plan side by side |
//! | [`progress`] | figures for people |

mod agenda;
mod beaten;
mod compare;
mod confirm;
mod contest;
mod gossip;
mod handoff;
pub mod message;
mod orphans;
pub mod plan;
pub mod progress;
mod publishing;
mod reconcile;
mod rows;
pub mod settings;
#[cfg(test)]
mod simulation;
pub mod sticky;
pub mod survey;
#[cfg(test)]
mod testing;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use rondache_protocol::bus::identity::Identity;

use self::{
    message::{CoordinatorMessage, Outgoing, To},
    plan::{Plan, Planner},
    progress::Takeovers,
    settings::{PartitionPolicy, Settings},
};
use super::{
    member::{MemberInfo, View},
    plane::{Claim, DataPlane, Follow, PlaneEvent, Row, Start},
    table::SlotTable,
};

/// The world, as the coordinator reaches it during one input.
pub struct Io<'a> {
    /// The time, by a clock of this node that never goes back.
    pub now_ms: u64,
    /// The data plane.
    pub plane: &'a mut dyn DataPlane,
    /// Takes what is to be sent.
    pub out: &'a mut Vec<Outgoing>,
}

impl Io<'_> {
    fn send(&mut self, to: Identity, message: CoordinatorMessage) {
        self.out.push(Outgoing { to: To::One(to), message });
    }

    fn broadcast(&mut self, message: CoordinatorMessage) {
        self.out.push(Outgoing { to: To::All, message });
    }
}

/// What this node is to a slot, as its data plane was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Owner,
    Copy,
    Neither,
}

/// One node's coordinator.
///
/// Every input is quick: none walks all slots but a new view, a new plan and the tables' first exchange.
pub struct Coordinator {
    me: Identity,
    settings: Settings,
    planner: Box<dyn Planner>,
    /// Draws whom to exchange tables with.
    random: fastrand::Rng,
    view: Arc<View>,
    /// Whether the view has one: it is asked for every slot.
    has_majority: bool,
    table: SlotTable,
    roles: Box<[Role]>,
    plan: Option<Plan>,
    publishing: publishing::Publishing,
    gossip: gossip::Gossip,
    reconcile: reconcile::Reconcile,
    handoffs: handoff::Handoffs,
    /// Slots whose owner is gone, or that were granted to this node by a grant that has not come.
    orphans: BTreeMap<u16, orphans::Orphan>,
    /// By the owner that is gone.
    compares: BTreeMap<Identity, compare::Compare>,
    /// Where each provisional takeover by this node began.
    forks: BTreeMap<u16, contest::Fork>,
    contests: BTreeMap<u16, contest::Contest>,
    confirm: confirm::Confirm,
    beaten: beaten::Beaten,
    /// Slots whose rows this node changed and has not yet broadcast.
    changed: BTreeSet<u16>,
    /// Slots of which this node holds nothing although a row names it as a copy.
    not_synced: BTreeSet<u16>,
    /// The last slot that was looked at for such.
    looked_at: u16,
    /// Whether this node owns one of [`Self::changed`] only since the last broadcast.
    has_new_owner: bool,
    is_leaving: bool,
    /// Whether it has said farewell: it begins to own nothing any more.
    has_departed: bool,
    takeovers: Takeovers,
}

impl std::fmt::Debug for Coordinator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let plan = self.plan.as_ref().map(Plan::number);
        f.debug_struct("Coordinator").field("me", &self.me).field("plan", &plan).finish_non_exhaustive()
    }
}

impl Coordinator {
    /// A coordinator that knows nobody and no slot. `seed` is random: nodes that draw alike would all exchange tables
    /// with the same member.
    #[must_use]
    pub fn new(me: Identity, settings: Settings, planner: Box<dyn Planner>, seed: u64) -> Self {
        Self {
            me,
            planner,
            random: fastrand::Rng::with_seed(seed),
            view: Arc::default(),
            has_majority: false,
            table: SlotTable::new(settings.slots),
            roles: vec![Role::Neither; usize::from(settings.slots)].into_boxed_slice(),
            plan: None,
            publishing: publishing::Publishing::default(),
            gossip: gossip::Gossip::default(),
            reconcile: reconcile::Reconcile::default(),
            handoffs: handoff::Handoffs::default(),
            orphans: BTreeMap::new(),
            compares: BTreeMap::new(),
            forks: BTreeMap::new(),
            contests: BTreeMap::new(),
            confirm: confirm::Confirm::default(),
            beaten: beaten::Beaten::default(),
            changed: BTreeSet::new(),
            not_synced: BTreeSet::new(),
            looked_at: 0,
            has_new_owner: false,
            is_leaving: false,
            has_departed: false,
            takeovers: Takeovers::default(),
            settings,
        }
    }

    /// Begins as a node that is to join: its requests wait until it knows who owns what.
    pub fn join(&mut self, io: &mut Io<'_>) {
        for slot in 0..self.settings.slots {
            io.plane.follow(slot, 0, None, Follow::Forward);
        }
    }

    /// Begins as the first node of a new cluster: it owns every slot.
    pub fn found(&mut self, io: &mut Io<'_>) {
        let claim = Claim { firm_epoch: 1, provisional: 0 };
        for slot in 0..self.settings.slots {
            let row = Row { slot, epoch: 1, version: 1, claim, owner: self.me, copies: Vec::new() };
            self.begin_to_own(io, row, Start::Warm);
        }
        self.flush(io);
    }

    /// Members came, went or changed. The view must hold this node itself.
    pub fn view_changed(&mut self, io: &mut Io<'_>, view: Arc<View>) {
        let had_majority = self.has_majority;
        let before = self.see(view);
        if self.has_majority != had_majority {
            self.doubt_again(io);
        }
        self.publishing.put_off(io.now_ms + self.settings.plan_debounce_ms);
        let has_same_lives = before.live().map(identity_of).eq(self.view.live().map(identity_of));
        // That a dead member had left on purpose may be heard late, and make a majority of the living.
        let has_same_count = before.members.len() == self.view.members.len() && had_majority == self.has_majority;
        if has_same_lives && has_same_count {
            return;
        }
        self.confirm.restart(io.now_ms + self.settings.confirm_wait_ms);
        self.publishing.await_another(io.now_ms + self.settings.plan_wait_ms);
        self.greet(io, &before);
        self.sort_out_the_dead(io);
        self.take_orphans(io);
        self.reconsider_all();
        self.flush(io);
    }

    /// Believes in a view; answers the one before.
    fn see(&mut self, view: Arc<View>) -> Arc<View> {
        self.has_majority = view.has_majority();
        std::mem::replace(&mut self.view, view)
    }

    /// Another member's coordinator said something.
    pub fn message(&mut self, io: &mut Io<'_>, from: Identity, message: CoordinatorMessage) {
        match message {
            CoordinatorMessage::Rows(rows) => rows.rows().for_each(|row| self.learn(io, from, row)),
            CoordinatorMessage::Digest(digest) => self.on_digest(io, from, &digest),
            CoordinatorMessage::Ranges(ranges) => self.on_ranges(io, from, &ranges),
            CoordinatorMessage::Plan(plan) => self.learn_plan(io.now_ms, plan),
            CoordinatorMessage::Compare(question) => self.on_compare(io, from, &question),
            CoordinatorMessage::Compared(answer) => self.on_compared(io, from, &answer),
            CoordinatorMessage::Take(slots) => self.on_take(io, from, &slots),
            CoordinatorMessage::NotSynced(slots) => self.on_not_synced(io, from, &slots),
            CoordinatorMessage::Reclaim(claims) => self.on_reclaim(io, from, &claims),
            CoordinatorMessage::Kept(rows) => rows.rows().for_each(|row| self.on_kept(io, row)),
            CoordinatorMessage::Confirm { round, rows } => self.on_confirm(io, from, round, &rows),
            CoordinatorMessage::Confirmed { round } => self.on_confirmed(io, from, round),
            CoordinatorMessage::Fence { round } => io.send(from, CoordinatorMessage::Fenced { round }),
            CoordinatorMessage::Fenced { round } => self.on_fenced(from, round),
        }
        self.send_reclaims(io);
        self.send_not_synced(io);
    }

    /// The data plane has something to tell.
    pub fn plane_event(&mut self, io: &mut Io<'_>, event: PlaneEvent) {
        match event {
            PlaneEvent::CopySynced { slot, epoch, to } => self.copy_synced(io, slot, epoch, to),
            PlaneEvent::CopyLost { slot, epoch, to } => self.copy_lost(io, slot, epoch, to),
            PlaneEvent::CaughtUp { slot, epoch, copy } => self.caught_up(io, slot, epoch, copy),
            PlaneEvent::Granted { row } => self.granted(io, row),
        }
    }

    /// Time has passed. To be called every 10 to 50 ms: what others learn of changed rows, they learn then.
    pub fn tick(&mut self, io: &mut Io<'_>) {
        self.tick_contests(io);
        self.tick_compares(io);
        self.take_orphans(io);
        self.tick_handoffs(io);
        self.tick_reconcile(io);
        self.tick_publishing(io);
        self.tick_confirm(io);
        self.tick_gossip(io);
        self.tick_not_synced(io);
        self.tick_beaten(io);
        self.flush(io);
    }

    /// Whether this node has begun to own slots that others do not know of: requests may wait for them to learn it.
    #[must_use]
    pub fn has_new_owner(&self) -> bool {
        self.has_new_owner
    }

    /// Tells the others of changed rows without waiting for the next [`Coordinator::tick`].
    pub fn tell(&mut self, io: &mut Io<'_>) {
        self.flush(io);
    }

    /// Gives all slots away, as fast as others can take them. The caller also tells the members, by
    /// [`super::member::MemberInfo::is_leaving`].
    pub fn leave(&mut self, io: &mut Io<'_>) {
        self.is_leaving = true;
        self.reconsider_all();
        self.tick(io);
    }

    /// Whether this node was told to leave and may go: it owns nothing, and who took its slots has said so. It never
    /// gets there where nobody is left to take them; the caller bounds its patience.
    #[must_use]
    pub fn has_left(&self) -> bool {
        self.is_leaving && self.handoffs.is_idle() && (self.owned() == 0 || !self.has_others())
    }

    /// The others are told farewell now. A slot that is still on its way to this node, by a giver who did not know that it
    /// leaves, is not accepted: the giver is its copy, and takes it over as soon as the farewell is heard.
    pub fn depart(&mut self) {
        self.has_departed = true;
    }

    /// Whether writes may be executed, and slots of the dead be taken over: under [`PartitionPolicy::Majority`] not without
    /// one.
    #[must_use]
    pub fn may_write(&self) -> bool {
        self.settings.policy == PartitionPolicy::Available || self.has_majority
    }

    /// How many copies each slot can come to have: what is wanted, as far as there are members to hold them. None is made
    /// without a majority.
    #[must_use]
    pub fn copies_possible(&self) -> usize {
        if !self.has_majority {
            return 0;
        }
        let holds = |info: &MemberInfo| info.identity != self.me && !info.is_leaving && info.weight > 0;
        self.view.live().filter(|member| holds(&member.info)).count().min(self.settings.copies)
    }

    /// Lets what these slots lack be seen to before the others: requests wait for it.
    pub fn hurry(&mut self, io: &mut Io<'_>, slots: &[u16]) {
        self.reconcile_first(io, slots);
    }

    /// Under which name this node owns and copies slots.
    #[must_use]
    pub fn me(&self) -> Identity {
        self.me
    }

    /// The slot table.
    #[must_use]
    pub fn table(&self) -> &SlotTable {
        &self.table
    }

    /// The plan that this node follows.
    #[must_use]
    pub fn plan(&self) -> Option<&Plan> {
        self.plan.as_ref()
    }

    /// Changes how many copies each slot is to have.
    pub fn set_copies(&mut self, now_ms: u64, copies: usize) {
        self.settings.copies = copies;
        self.publishing.put_off(now_ms);
    }

    /// Changes how many slots may be parked at once: many where nobody waits for them, few where many do.
    pub fn set_handoffs_max(&mut self, handoffs_max: usize) {
        self.settings.handoffs_max = handoffs_max;
    }

    /// Changes what happens without a majority.
    pub fn set_policy(&mut self, policy: PartitionPolicy) {
        self.settings.policy = policy;
    }

    fn role(&self, slot: u16) -> Role {
        self.roles.get(usize::from(slot)).copied().unwrap_or(Role::Neither)
    }

    fn owns(&self, slot: u16) -> bool {
        self.role(slot) == Role::Owner
    }

    fn set_role(&mut self, slot: u16, role: Role) {
        if let Some(place) = self.roles.get_mut(usize::from(slot)) {
            *place = role;
        }
    }

    /// Whether any other member is alive.
    fn has_others(&self) -> bool {
        self.view.live().any(|member| member.info.identity != self.me)
    }

    /// Whether the member may be given slots and copies.
    fn may_receive(&self, node: &Identity) -> bool {
        self.view.get(node).is_some_and(|member| member.may_serve() && !member.info.is_leaving)
    }

    /// Broadcasts the rows that this node changed.
    fn flush(&mut self, io: &mut Io<'_>) {
        self.has_new_owner = false;
        for rows in self.table.batches(std::mem::take(&mut self.changed)) {
            io.broadcast(CoordinatorMessage::Rows(rows));
        }
    }
}

fn identity_of(member: &super::member::Member) -> Identity {
    member.info.identity
}
