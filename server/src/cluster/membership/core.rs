//! Membership as a state machine: datagrams, control messages and time in; the same and a view out.

mod chores;
mod push_pull;
mod refusing;

use std::sync::Arc;

use foca::{Foca, Member as Rumour, OwnedNotification, State, Timer};
use rand::{SeedableRng, rngs::StdRng};
use rondache_protocol::bus::{codec, identity::Identity};

use self::chores::EXCHANGE_MS;
pub use super::output::{Nonsense, Output};
use super::{
    directory::{Directory, News, check},
    exchange::Entry,
    exits::Exits,
    gossiper::{GossipCodec, Gossiper, plain},
    lives::{Life, Lives},
    tuning::{self, Tuning},
};
use crate::cluster::member::{Health, Member, MemberInfo, View};

/// [`Membership::tick`] wants to be called at least this often (ms).
pub const TICK_MS: u64 = 100;
/// After a longer silence of its driver, the node has been frozen or starved: whoever seems late to it is not.
const STALL_MS: u64 = 600;
/// How often it is looked whether anything must be forgotten or asked for (ms).
const CHORES_MS: u64 = 500;
/// How many members are called directly at a time.
const CALLED_MAX: usize = 16;
/// In how many ticks a departure is told again.
const FAREWELLS: u32 = 5;

/// Who is a member, as one node knows it.
pub struct Membership {
    foca: Foca<Gossiper, GossipCodec, StdRng, Directory>,
    directory: Directory,
    exits: Exits,
    outputs: Vec<Output>,
    lives: Lives,
    me: MemberInfo,
    view: Arc<View>,
    /// Whether `view` is older than what it shows.
    is_stale: bool,
    tuning: Tuning,
    tuned_for: usize,
    rng: fastrand::Rng,
    exchange_due_ms: u64,
    call_due_ms: u64,
    chores_due_ms: u64,
    suspects_due_ms: u64,
    refuted_deaths: u64,
    /// Set once the node has left: how often it still says so.
    farewells: Option<u32>,
}

impl std::fmt::Debug for Membership {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Membership").field("me", &self.me).field("lives", &self.lives).finish_non_exhaustive()
    }
}

impl Membership {
    /// A cluster of this node alone. `seed` makes all choices.
    #[must_use]
    pub fn new(me: MemberInfo, tuning: Tuning, seed: u64, now_ms: u64) -> Self {
        let gossiper = Gossiper { identity: me.identity, renewal: 0, bus: plain(me.addrs.bus) };
        let directory = Directory::new(me.identity.id);
        let config = tuning::config(1, &tuning);
        let rng = StdRng::seed_from_u64(seed);
        let codec = GossipCodec { directory: directory.clone() };
        let foca = Foca::with_custom_broadcast(gossiper, config, rng, codec, directory.clone());
        let mut this = Self {
            foca,
            directory,
            exits: Exits::new(now_ms),
            outputs: Vec::new(),
            lives: Lives::default(),
            me,
            view: Arc::default(),
            is_stale: true,
            tuning,
            tuned_for: 1,
            rng: fastrand::Rng::with_seed(seed),
            exchange_due_ms: now_ms + EXCHANGE_MS,
            call_due_ms: now_ms,
            chores_due_ms: now_ms,
            suspects_due_ms: now_ms,
            refuted_deaths: 0,
            farewells: None,
        };
        this.spread(&News::Info(this.me.clone()));
        this
    }

    /// What this node says of itself.
    #[must_use]
    pub fn me(&self) -> &MemberInfo {
        &self.me
    }

    /// How often the others held this life for dead, and it came back.
    #[must_use]
    pub fn refuted_deaths(&self) -> u64 {
        self.refuted_deaths
    }

    /// The node has joined: these are the members. Or it asked its seeds again: then some of them may be news.
    pub fn on_welcome(&mut self, now_ms: u64, members: Vec<Entry>) {
        self.enter(now_ms);
        // What a joiner is told the teller's cluster knows: telling it on would fill its datagrams for many seconds.
        let is_news = self.lives.all().len() > 0;
        members.into_iter().for_each(|entry| self.learn(entry, is_news));
        self.hurry();
        self.leave_state();
    }

    /// A node joins through this one.
    pub fn on_joiner(&mut self, now_ms: u64, info: MemberInfo) {
        self.enter(now_ms);
        if check(&info).is_ok() {
            self.spread(&News::Info(info.clone()));
            self.learn(Entry { info, renewal: 0, dead_for_ms: None }, true);
            self.hurry();
        }
        self.leave_state();
    }

    /// A datagram's payload has arrived, and its seal is good.
    ///
    /// # Errors
    /// It makes no sense.
    pub fn on_payload(&mut self, now_ms: u64, payload: &[u8]) -> Result<(), Nonsense> {
        if self.farewells.is_some() {
            return Ok(());
        }
        self.enter(now_ms);
        let handled = self.foca.handle_data(payload, &mut self.exits);
        self.leave_state();
        handled.map_err(|error| Nonsense::new(&error))
    }

    /// Lets due timers run. To be called at [`Membership::next_due_ms`].
    pub fn tick(&mut self, now_ms: u64) {
        self.enter(now_ms);
        if let Some(farewells) = &mut self.farewells {
            if *farewells > 0 {
                *farewells -= 1;
                let _ = self.foca.gossip(&mut self.exits);
            }
            return self.leave_state();
        }
        while let Some(timer) = self.exits.due() {
            if self.is_refuted(&timer) {
                continue;
            }
            if let Err(error) = self.foca.handle_timer(timer, &mut self.exits) {
                tracing::debug!(%error, "gossip: a timer came to nothing");
            }
        }
        if now_ms >= self.suspects_due_ms {
            self.lives.mark_suspects(self.foca.iter_membership_state(), now_ms);
            // Looking at everybody takes time: seldom in a large cluster.
            self.suspects_due_ms = now_ms + TICK_MS.max(self.lives.all().len() as u64);
            let believed = self.directory.with(|known| known.hearsay.take_believed(now_ms));
            believed.into_iter().for_each(|gossiper| self.declare_dead(gossiper));
        }
        if now_ms >= self.chores_due_ms {
            self.chores_due_ms = now_ms + CHORES_MS;
            self.chores();
        }
        self.leave_state();
    }

    /// When [`Membership::tick`] is to be called next.
    #[must_use]
    pub fn next_due_ms(&self) -> u64 {
        let tick_ms = self.exits.now_ms + TICK_MS;
        self.exits.next_due_ms().map_or(tick_ms, |due_ms| due_ms.min(tick_ms))
    }

    /// Changes what this node says of itself, and tells the others. Its identity stays.
    pub fn change(&mut self, now_ms: u64, change: impl FnOnce(&mut MemberInfo)) {
        self.enter(now_ms);
        let before = self.me.clone();
        change(&mut self.me);
        self.me.identity = before.identity;
        if self.me != before {
            self.me.version = before.version.saturating_add(1);
            self.spread(&News::Info(self.me.clone()));
            if self.me.addrs.bus != before.addrs.bus {
                let moved = Gossiper { bus: plain(self.me.addrs.bus), ..self.foca.identity().renewed() };
                let changed = self.foca.change_identity(moved, &mut self.exits);
                self.reconnect(changed);
            }
            self.is_stale = true;
            self.hurry();
        }
        self.leave_state();
    }

    /// The node leaves on purpose, having handed over what it owned. It hears nothing more; keep calling
    /// [`Membership::tick`] for a second so that the others hear it.
    pub fn depart(&mut self, now_ms: u64) {
        self.enter(now_ms);
        if let Err(error) = self.foca.leave_cluster(&mut self.exits) {
            tracing::debug!(%error, "gossip: the departure is not told");
        }
        self.farewells = Some(FAREWELLS);
        self.leave_state();
    }

    /// Whom this node believes in.
    pub fn view(&mut self) -> Arc<View> {
        if std::mem::take(&mut self.is_stale) {
            let mut members = self.directory.with(|known| {
                let member = |life: &Life| {
                    let info = known.infos.get(&life.gossiper.identity.id)?;
                    let is_this_life = info.identity == life.gossiper.identity;
                    is_this_life.then(|| (info.identity.id, Member { info: info.clone(), health: life.health() }))
                };
                self.lives.all().filter_map(member).collect::<std::collections::BTreeMap<_, _>>()
            });
            members.insert(self.me.identity.id, Member { info: self.me.clone(), health: Health::Alive });
            if members != self.view.members {
                self.view = Arc::new(View { version: self.view.version + 1, members });
            }
        }
        self.view.clone()
    }

    /// What is to be done now.
    pub fn take_outputs(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.outputs)
    }

    /// Begins every call: takes the time, and forgives the others a silence that was this node's own.
    fn enter(&mut self, now_ms: u64) {
        let gap_ms = now_ms.saturating_sub(self.exits.now_ms);
        if gap_ms > STALL_MS {
            self.exits.postpone(gap_ms - TICK_MS);
        }
        self.exits.now_ms = now_ms.max(self.exits.now_ms);
        self.directory.with(|known| known.now_ms = now_ms);
    }

    /// Ends every call: takes over what foca has found and wants.
    fn leave_state(&mut self) {
        loop {
            let heard = self.directory.with(|known| {
                self.is_stale |= std::mem::take(&mut known.has_changed);
                std::mem::take(&mut known.heard)
            });
            heard.into_iter().for_each(|of| self.hear(of));
            if self.exits.notifications.is_empty() {
                break;
            }
            for notification in std::mem::take(&mut self.exits.notifications) {
                self.note(notification);
            }
        }
        if self.lives.take_changed() {
            self.is_stale = true;
            let patience = tuning::suspicion(&self.tuning, self.lives.live().count() + 1) / 2;
            self.directory.with(|known| known.hearsay.refresh(self.lives.live(), patience));
        }
        let datagrams = self.exits.datagrams.drain(..);
        self.outputs.extend(datagrams.map(|(to, payload)| Output::Datagram { to, payload }));
    }

    /// Whether the timer ends a suspicion that was taken back. Foca (2.0) leaves the member alive then, but tells it that it
    /// is dead all the same, whereupon it would give up its renewal.
    fn is_refuted(&self, timer: &Timer<Gossiper>) -> bool {
        let Timer::ChangeSuspectToDown { member_id, incarnation, .. } = timer else { return false };
        let is_meant = |member: &Rumour<Gossiper>| member.id() == member_id && member.incarnation() == *incarnation;
        !self.foca.iter_membership_state().any(|member| is_meant(member) && member.state() == State::Suspect)
    }

    fn note(&mut self, notification: OwnedNotification<Gossiper>) {
        match notification {
            OwnedNotification::MemberUp(gossiper) => {
                self.directory.with(|known| known.refusals.forget(gossiper.identity));
                self.lives.up(gossiper);
            }
            OwnedNotification::MemberDown(gossiper) => self.lives.down(gossiper, self.exits.now_ms),
            OwnedNotification::Rename(_, gossiper) => self.lives.rename(gossiper),
            OwnedNotification::Rejoin(_) => {
                self.refuted_deaths += 1;
                self.reconnect(Ok(()));
            }
            OwnedNotification::Active | OwnedNotification::Idle | OwnedNotification::Defunct => {}
        }
    }

    /// Foca probes nobody after a change of identity until it hears of somebody: let it look at those it knows. And it drops
    /// what is meant for an earlier renewal, all but announcements: without these, two who come back at once would not hear
    /// each other, and each hold the other for dead.
    fn reconnect(&mut self, changed: Result<(), foca::Error>) {
        let connected = changed.and_then(|()| self.foca.apply_many(std::iter::empty(), false, &mut self.exits));
        if let Err(error) = connected {
            tracing::debug!(%error, "gossip: cannot come back");
        }
        self.call_some();
    }

    /// Calls some of those it knows, dead or alive.
    fn call_some(&mut self) {
        let known: Vec<Gossiper> = self.lives.all().map(|life| life.gossiper).collect();
        for gossiper in self.rng.choose_multiple(known, CALLED_MAX) {
            if let Err(error) = self.foca.announce(gossiper, &mut self.exits) {
                tracing::debug!(%error, member = ?gossiper.identity, "gossip: cannot call a member");
            }
        }
    }

    fn declare_dead(&mut self, gossiper: Gossiper) {
        let told = self.foca.apply_many(std::iter::once(Rumour::down(gossiper)), true, &mut self.exits);
        if told.and_then(|()| self.foca.gossip(&mut self.exits)).is_err() {
            tracing::debug!(member = ?gossiper.identity, "gossip: the death is not told");
        }
    }

    fn is_live(&self, identity: &Identity) -> bool {
        self.lives.get(identity.id).is_some_and(|life| life.is_live() && life.gossiper.identity == *identity)
    }

    /// Sends news with the gossip from now on.
    fn spread(&mut self, news: &News) {
        let spread = codec::encode(news).map_err(|error| error.to_string());
        if let Err(error) = spread.and_then(|item| self.foca.add_broadcast(&item).map_err(|error| error.to_string())) {
            tracing::error!(%error, "gossip: a piece of news cannot be spread");
        }
    }

    /// Gossips at once rather than with the next period.
    fn hurry(&mut self) {
        if let Err(error) = self.foca.gossip(&mut self.exits) {
            tracing::debug!(%error, "gossip: nothing could be sent");
        }
    }
}
