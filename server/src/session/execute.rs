//! Runs one command: checks, locks, handler, and what follows from it.

mod alone;
mod gate;
mod keys;
mod outcome;
mod retry;
mod tracked;

use rondache_protocol::{
    command::{CommandSpec, Flags},
    resp::writer::ReplyWriter,
};

pub(crate) use self::alone::Tools;
pub(super) use self::keys::{lock_keys, named_subcommand};
use self::{gate::Gate, keys::first_slot_of};
use super::{
    ReplyMode, Session,
    acks::is_flush,
    away::Served,
    blocking,
    placing::{Place, Slots},
    timing::{self, BatchTimer},
};
use crate::{
    cluster::{forward::slot_set::SlotSet, replication::withheld::Withheld},
    command::{
        CommandError, CommandResult,
        args::Args,
        ctx::{BlockSpec, Ctx, HashedKeys, Waiting},
        registry::{self, Command},
        unknown_command,
    },
    config::settings::Settings,
    node::{Node, stats::WorkerStats},
    store::keyspace::{ExpiryRole, Keyspace, Written},
};

/// What became of a command.
#[derive(Debug)]
pub(crate) enum Flow {
    /// Its reply is written; the next may run.
    Next,
    /// It waits: nothing more of this connection runs until [`blocking::Blocked`] is resolved.
    Blocked(blocking::Blocked),
    /// It was not touched: CLIENT PAUSE holds it back.
    Paused,
    /// It was not touched: it runs somewhere else, or in parts.
    Elsewhere(Place),
    /// It is a retry of a write of which nobody can tell whether it was executed.
    Unknown,
}

/// Runs commands for one batch.
pub(crate) struct Executor<'e, 's> {
    pub(crate) node: &'s Node,
    pub(crate) settings: &'e Settings,
    pub(crate) ks: &'e mut Keyspace<'s>,
    pub(crate) rng: &'e mut fastrand::Rng,
    pub(crate) stats: &'e WorkerStats,
    /// Room for the shards of a command with several keys.
    pub(crate) shards: Vec<usize>,
    pub(crate) timer: BatchTimer<'e>,
    /// Whether the node has met others: then each slot has an owner.
    pub(crate) is_clustered: bool,
    /// Whether another node asks, for one of its clients.
    pub(crate) is_serving: bool,
    /// Set while a request runs that an owner may have executed before: how old it is, in ms.
    pub(crate) retry: Option<u32>,
    /// Slots of which an earlier request waits for another node.
    pub(crate) refused: &'e mut SlotSet,
    /// Whether writes need more than an owner: copies that are in sync (`write-acks`), or a majority.
    pub(crate) guards_writes: bool,
    /// Writes that copies must confirm before their replies are sent.
    pub(crate) withheld: &'e mut Vec<Withheld>,
    /// Where slots stand with what another node's requests wrote.
    pub(crate) written: &'e mut Vec<Written>,
    /// Whether clients of this port read from this node's copies (`read-from`).
    pub(crate) reads_copies: bool,
    /// Whether the running command does.
    pub(crate) reads_copy: bool,
    /// Set where the running command goes elsewhere only to wait for copies of its slot: nothing else keeps it from running.
    pub(crate) lacks_copies: bool,
    /// Of another node's requests, which one runs.
    pub(crate) nth: Option<usize>,
}

/// One command, looked up and hashed.
#[derive(Clone, Copy)]
pub(crate) struct Planned<'a> {
    pub(crate) args: Args<'a>,
    pub(crate) index: Option<u16>,
    pub(crate) hashed: HashedKeys<'a>,
}

impl<'e, 's> Executor<'e, 's> {
    /// Runs a command and appends its reply to `out`, with messages for the client before and behind it.
    pub(crate) fn run(&mut self, session: &mut Session, planned: &Planned<'_>, out: &mut Vec<u8>) -> Flow {
        let flow = self.run_command(session, planned, out);
        if !session.is_plain && !matches!(flow, Flow::Paused) {
            let goes_elsewhere = matches!(flow, Flow::Elsewhere(_));
            if goes_elsewhere {
                self.remember_elsewhere(session, planned);
            }
            settle(session, planned, goes_elsewhere, out);
        }
        flow
    }

    #[inline]
    fn run_command(&mut self, session: &mut Session, planned: &Planned<'_>, out: &mut Vec<u8>) -> Flow {
        let args = &planned.args;
        self.reads_copy = false;
        let Some((index, command)) = planned.index.and_then(|index| Some((index, registry::by_index(index)?))) else {
            return self.fail(session, None, unknown_command(args), out);
        };
        let spec = command.spec;
        if !spec.accepts(args.len()) {
            return self.fail(session, Some(index), CommandError::Arity(spec.name.into()), out);
        }
        if !session.is_plain || self.node.watches_commands() {
            match self.check_mode(session, command, index, args, out) {
                Ok(Gate::Open) => {}
                Ok(Gate::Done) => return Flow::Next,
                Ok(Gate::Paused) => return Flow::Paused,
                Ok(Gate::Elsewhere(place)) => return Flow::Elsewhere(place),
                Ok(Gate::Unknown) => return Flow::Unknown,
                Err(error) => return self.fail(session, Some(index), error, out),
            }
        }
        let role = self.ks.expiry_role;
        match self.admit(session, spec, planned, out) {
            Ok(None) => {}
            Ok(Some(flow)) => return flow,
            // The error would tell that nothing was executed: the first try may have been, by this node or another.
            Err(_) if self.retry.is_some() && spec.flags.contains(Flags::WRITE) => return Flow::Unknown,
            Err(error) => return self.fail(session, Some(index), error, out),
        }
        let reply_from = out.len();
        self.ks.forget_written();
        let (result, blocked) = self.call(session, command, args, planned.hashed, Waiting::Arriving, out);
        self.ks.expiry_role = role;
        self.stats.count_call(timing::slot_of(index, spec, args));
        let flow = match (result, blocked) {
            (Err(error), _) => {
                out.truncate(reply_from);
                return self.fail_executed(session, index, error, out);
            }
            (Ok(()), Some(spec)) => Flow::Blocked(blocking::enroll(self, session, args, index, spec)),
            (Ok(()), None) => Flow::Next,
        };
        self.follow_up(session, spec, reply_from, out);
        flow
    }

    /// Makes sure that a command may run here and now, and holds the shards of its keys from then on. Answers what became
    /// of it where it may not. Where it reads a copy, the keyspace has a copy's role; the caller puts it back.
    #[inline]
    fn admit(
        &mut self,
        session: &mut Session,
        spec: &'static CommandSpec,
        planned: &Planned<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Option<Flow>, CommandError> {
        self.reads_copy = self.reads_copies && reads_only(spec) && may_read_copies(session);
        // Of what is not queued in a transaction nothing goes elsewhere.
        let is_routed = !session.is_redirecting || spec.flags.contains(Flags::BLOCKING) && spec.name == "wait";
        if self.is_clustered && is_routed && session.transaction.is_none() {
            match self.place(spec, planned)? {
                Place::Here => {}
                place => return Ok(Some(Flow::Elsewhere(place))),
            }
        }
        if spec.flags.contains(Flags::DENYOOM) && self.node.memory.is_limited() && !self.make_room() {
            return Err(CommandError::OutOfMemory);
        }
        if !session.is_plain && !session.is_remote && session.client.mailbox.is_filled() {
            // That keys were evicted for this command is told before its reply.
            session.client.mailbox.take(out);
        }
        self.hold_keys(spec, planned);
        if session.is_redirecting {
            if let Some(slot) = self.check_redirect(session, spec, planned)? {
                return Ok(Some(Flow::Elsewhere(Place::Owner(slot))));
            }
        } else if self.is_clustered && session.transaction.is_none() {
            // Routes change under the shards' locks: from here on the answer holds.
            match self.place(spec, planned)? {
                Place::Here if self.reads_copy => self.ks.expiry_role = ExpiryRole::Copy,
                Place::Here => {}
                place => return Ok(Some(Flow::Elsewhere(place))),
            }
            if self.retry.is_some()
                && spec.flags.contains(Flags::WRITE)
                && let Some(flow) = self.recall(session, spec, &planned.args, out)
            {
                return Ok(Some(flow));
            }
        }
        if self.guards_writes && spec.flags.contains(Flags::WRITE) {
            let waits_at = self.check_write(spec, &planned.args)?;
            self.lacks_copies = waits_at.is_some();
            return Ok(waits_at.map(Flow::Elsewhere));
        }
        Ok(None)
    }

    /// What follows from a command that ran; its reply stands from `reply_from` on.
    #[inline]
    fn follow_up(&mut self, session: &mut Session, spec: &'static CommandSpec, reply_from: usize, out: &mut Vec<u8>) {
        if session.reply_mode != ReplyMode::On {
            self.apply_reply_mode(session, reply_from, out);
        }
        if spec.flags.contains(Flags::WRITE) {
            if self.is_clustered {
                self.note_written(session);
            }
            if self.guards_writes {
                match is_flush(spec) {
                    true => self.withhold_flush(reply_from..out.len()),
                    false => self.withhold(reply_from..out.len()),
                }
            }
        }
        if self.ks.has_ready() {
            blocking::serve_ready(self);
        }
    }

    /// Calls the handler with everything it needs, and records what it changed.
    pub(crate) fn call(
        &mut self,
        session: &mut Session,
        command: &Command,
        args: &Args<'_>,
        hashed: HashedKeys<'_>,
        waiting: Waiting,
        out: &mut Vec<u8>,
    ) -> (CommandResult, Option<BlockSpec>) {
        self.ks.circumstances.db = session.db;
        let changes_before = self.ks.counts.changes;
        let reply_from = out.len();
        let mut ctx = Ctx {
            reply: ReplyWriter::new(out, session.resp),
            ks: self.ks,
            session,
            node: self.node,
            settings: self.settings,
            rng: self.rng,
            spec: command.spec,
            hashed,
            blocked: None,
            waiting,
        };
        let began = self.timer.begin(command.spec);
        let result = (command.handler)(&mut ctx, args);
        let blocked = ctx.blocked.take();
        // Without the keys that a read finds expired: their deletion is an effect of its own.
        let is_write = command.spec.flags.contains(Flags::WRITE);
        let changed = is_write && result.is_ok() && self.ks.counts.changes != changes_before;
        let slot = timing::slot_of(command.index, command.spec, args);
        match began {
            Some(began) => {
                let ns = self.timer.end(self.stats, slot, began);
                // One that waits has not run yet: it is told of when it is served.
                if blocked.is_none() {
                    timing::tell(self.node, self.settings, session, command.spec, args, ns);
                }
            }
            None => self.timer.share(slot),
        }
        if self.ks.has_met_expired() {
            self.expire_keys_of(command.spec, args);
        }
        if !session.is_plain {
            self.remember_keys(session, command.spec, args);
        }
        if self.ks.records_effects() {
            let verbatim = || Some((first_slot_of(command.spec, args, &hashed)?, args.from(0)));
            self.ks.commit_effects(changed, verbatim, out.get(reply_from..).unwrap_or_default());
        }
        (result, blocked)
    }

    /// Remembers, for WAIT, where slots stand with what has just been written: the client's own connection does, here or at
    /// the node that asks.
    #[inline]
    pub(super) fn note_written(&mut self, session: &mut Session) {
        match self.is_serving {
            true => self.written.extend_from_slice(self.ks.written()),
            false => session.note_written(self.ks.written()),
        }
    }

    /// Names the request that another node's batch runs next.
    #[inline]
    pub(super) fn serve(&mut self, served: &Served) {
        self.ks.forwarded = Some(served.write_id());
        self.nth = Some(served.ends.len());
        self.retry = served.is_retry.then_some(served.age_ms);
    }

    /// Refuses a request that belongs elsewhere; later ones on its slots are refused too.
    #[cold]
    pub(super) fn refuse(&mut self, place: Place) {
        if let Place::Owner(slot) | Place::Unit(slot) = place {
            self.refused.insert(slot);
        }
    }

    /// A queued command of a transaction: its shards are held already.
    pub(super) fn run_queued(
        &mut self,
        session: &mut Session,
        command: &Command,
        index: u16,
        args: &Args<'_>,
        out: &mut Vec<u8>,
    ) {
        let reply_from = out.len();
        if self.node.watches_commands() {
            self.node.observe_command(session, command.spec, args);
        }
        let (result, _) = self.call(session, command, args, HashedKeys::default(), Waiting::Never, out);
        self.stats.count_call(timing::slot_of(index, command.spec, args));
        if let Err(error) = result {
            out.truncate(reply_from);
            self.stats.count_failure(index, &error);
            self.reply(session, out).error(error.to_string());
        }
    }

    pub(super) fn reply<'o>(&self, session: &Session, out: &'o mut Vec<u8>) -> ReplyWriter<'o> {
        ReplyWriter::new(out, session.resp)
    }

    /// Evicts until there is room; `false`: there is none to be had.
    pub(super) fn make_room(&mut self) -> bool {
        if self.node.memory.has_room() {
            return true;
        }
        self.ks.release();
        self.node.memory.make_room(self.ks, self.settings, self.rng)
    }
}

/// Whether a command only reads keys that it names: copies are not listed by walks.
fn reads_only(spec: &CommandSpec) -> bool {
    spec.flags.contains(Flags::READONLY) && !spec.flags.contains(Flags::WHOLE_KEYSPACE)
}

/// Whether a client may be shown what is behind. What it is to hear of, it must have read from the owner, and also what a
/// transaction of its own relies on.
fn may_read_copies(session: &Session) -> bool {
    session.tracking.is_none()
        && session.watch.is_none()
        && session.watched_elsewhere == Slots::None
        && !session.is_redirecting
}

/// What follows a command of a connection that is not in the plain state.
#[cold]
fn settle(session: &mut Session, planned: &Planned<'_>, goes_elsewhere: bool, out: &mut Vec<u8>) {
    // CLIENT CACHING speaks of the one command, or transaction, that follows. A transaction that goes elsewhere is over.
    if (session.transaction.is_none() || goes_elsewhere)
        && let Some(tracking) = &mut session.tracking
        && !planned.args.is(0, "client")
    {
        tracking.caching = false;
    }
    // Messages that the command caused, or that came before the next one runs. An order to close is seen later.
    // What becomes stale from now on is told behind the reply that is still to come.
    if !goes_elsewhere && !session.is_remote && session.client.mailbox.is_filled() {
        session.client.mailbox.take(out);
    }
}
