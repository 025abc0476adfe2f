//! Runs one command: checks, locks, handler, and what follows from it.

use rondache_protocol::{
    command::{CommandSpec, Flags, keys_of},
    resp::writer::ReplyWriter,
    slot::slot_of,
};

use super::{
    ReplyMode, Session,
    acks::is_flush,
    away::Served,
    blocking,
    placing::{Place, Slots},
    timing::{self, BatchTimer},
    transaction::{Executed, Transaction},
};
use crate::{
    cluster::{forward::slot_set::SlotSet, replication::withheld::Withheld},
    command::{
        CommandError, CommandResult,
        args::Args,
        ctx::{BlockSpec, Ctx, HashedKeys, Waiting},
        generic,
        registry::{self, Command},
    },
    config::settings::Settings,
    node::{Node, stats::WorkerStats},
    store::{
        key::Key,
        keyspace::{ExpiryRole, Keyspace, Written},
        replicate::recent::Retried,
    },
};

/// Commands that CLIENT PAUSE … WRITE holds back.
const REPLICATED: Flags = Flags::WRITE.union(Flags::MAY_REPLICATE);

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

/// What the checks of an unusual connection decided.
enum Gate {
    /// The command runs.
    Open,
    /// It is dealt with.
    Done,
    /// It must wait.
    Paused,
    /// It is a transaction that runs at another node.
    Elsewhere(Place),
    /// It is a retry of a transaction of which nobody can tell whether it was executed.
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
            let error = super::super::command::unknown_command(args);
            return self.fail(session, None, error, out);
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
        self.reads_copy = self.reads_copies && reads_only(spec) && may_read_copies(session);
        // Of what is not queued in a transaction nothing goes elsewhere.
        let is_routed = !session.is_redirecting || spec.flags.contains(Flags::BLOCKING) && spec.name == "wait";
        if self.is_clustered && is_routed && session.transaction.is_none() {
            match self.place(spec, planned) {
                Ok(Place::Here) => {}
                Ok(place) => return Flow::Elsewhere(place),
                Err(error) => return self.fail(session, Some(index), error, out),
            }
        }
        if spec.flags.contains(Flags::DENYOOM) && self.node.memory.is_limited() && !self.make_room() {
            return self.fail(session, Some(index), CommandError::OutOfMemory, out);
        }
        if !session.is_plain && !session.is_remote && session.client.mailbox.is_filled() {
            // That keys were evicted for this command is told before its reply.
            session.client.mailbox.take(out);
        }
        if let Err(error) = self.hold_keys(spec, planned) {
            return self.fail(session, Some(index), error, out);
        }
        let role = self.ks.expiry_role;
        if session.is_redirecting {
            match self.check_redirect(session, spec, planned) {
                Ok(None) => {}
                Ok(Some(slot)) => return Flow::Elsewhere(Place::Owner(slot)),
                Err(error) => return self.fail(session, Some(index), error, out),
            }
        } else if self.is_clustered && session.transaction.is_none() {
            // Routes change under the shards' locks: from here on the answer holds.
            match self.place(spec, planned) {
                Ok(Place::Here) if self.reads_copy => self.ks.expiry_role = ExpiryRole::Copy,
                Ok(Place::Here) => {}
                Ok(place) => return Flow::Elsewhere(place),
                Err(error) => return self.fail(session, Some(index), error, out),
            }
            if self.retry.is_some()
                && spec.flags.contains(Flags::WRITE)
                && let Some(flow) = self.recall(session, spec, args, out)
            {
                return flow;
            }
        }
        let is_guarded = self.guards_writes && spec.flags.contains(Flags::WRITE);
        if is_guarded {
            match self.check_write(spec, args) {
                Ok(None) => {}
                Ok(Some(place)) => {
                    self.lacks_copies = true;
                    return Flow::Elsewhere(place);
                }
                Err(error) => return self.fail(session, Some(index), error, out),
            }
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
        if session.reply_mode != ReplyMode::On {
            self.apply_reply_mode(session, reply_from, out);
        }
        if self.is_clustered && spec.flags.contains(Flags::WRITE) {
            self.note_written(session);
        }
        if is_guarded {
            match is_flush(spec) {
                true => self.withhold_flush(reply_from..out.len()),
                false => self.withhold(reply_from..out.len()),
            }
        }
        if self.ks.has_ready() {
            blocking::serve_ready(self);
        }
        flow
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
            let changed = result.is_ok() && self.ks.counts.changes != changes_before;
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

    /// Of a write that an owner may have executed already, while its shard is held: what is known of it. `None`: it was
    /// never executed.
    #[cold]
    fn recall(
        &mut self,
        session: &mut Session,
        spec: &'static CommandSpec,
        args: &Args<'_>,
        out: &mut Vec<u8>,
    ) -> Option<Flow> {
        let (id, age_ms) = (self.ks.forwarded?, self.retry?);
        let slot = first_slot_of(spec, args, &HashedKeys::default())?;
        match self.ks.retried(slot, id, self.ks.now_ms().saturating_sub(u64::from(age_ms))) {
            Retried::NotExecuted => None,
            Retried::Done(reply) => {
                self.recalled(session, slot, &reply, out);
                Some(Flow::Next)
            }
            Retried::ReplyTooLarge | Retried::Forgotten => Some(Flow::Unknown),
        }
    }

    /// As [`Executor::recall`], of a whole transaction.
    #[cold]
    pub(super) fn recall_unit(&mut self, session: &mut Session, slot: u16, out: &mut Vec<u8>) -> Option<Executed> {
        let (id, age_ms) = (self.ks.forwarded?, self.retry?);
        match self.ks.retried(slot, id, self.ks.now_ms().saturating_sub(u64::from(age_ms))) {
            Retried::NotExecuted => None,
            Retried::Done(reply) => {
                self.recalled(session, slot, &reply, out);
                Some(Executed::Here)
            }
            Retried::ReplyTooLarge | Retried::Forgotten => Some(Executed::Unknown),
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

    /// Holds the shards of the command's keys, or none.
    #[inline]
    fn hold_keys(&mut self, spec: &'static CommandSpec, planned: &Planned<'_>) -> CommandResult {
        if spec.single_key
            && let Some(first) = &planned.hashed.first
        {
            self.ks.hold_one(usize::from(first.slot) % crate::store::SHARDS);
            return Ok(());
        }
        if !planned.hashed.all.is_empty() {
            self.shards.clear();
            self.shards.extend(planned.hashed.all.iter().map(|key| usize::from(key.slot) % crate::store::SHARDS));
            self.ks.hold_many(&mut self.shards);
            return Ok(());
        }
        let mut shards = Vec::new();
        lock_keys(self.ks, spec, &planned.args, &mut shards)?;
        if shards.is_empty() {
            self.ks.release();
        } else if spec.flags.contains(Flags::WHOLE_KEYSPACE) && generic::reads_unnamed_keys(&planned.args) {
            // SORT with patterns; a walk over the keyspace names no key, and holds one shard at a time.
            self.ks.hold_all();
        } else {
            self.ks.hold_many(&mut shards);
        }
        Ok(())
    }

    /// The checks of connections that are not in the plain state, or while somebody watches all commands.
    #[cold]
    fn check_mode(
        &mut self,
        session: &mut Session,
        command: &Command,
        index: u16,
        args: &Args<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Gate, CommandError> {
        let spec = command.spec;
        let needs_password = !session.is_authenticated && !self.settings.password.is_empty();
        if needs_password && !spec.flags.contains(Flags::NO_AUTH) {
            return Err(CommandError::NoAuth);
        }
        if session.is_listening_only()
            && !matches!(
                spec.name,
                "subscribe"
                    | "ssubscribe"
                    | "sunsubscribe"
                    | "psubscribe"
                    | "unsubscribe"
                    | "punsubscribe"
                    | "ping"
                    | "quit"
                    | "reset"
            )
        {
            return Err(CommandError::err(format_args!(
                "Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context",
                spec.name
            )));
        }
        if self.is_held_back(session, spec) {
            return Ok(Gate::Paused);
        }
        if session.transaction.is_none() {
            self.node.observe_command(session, spec, args);
            return Ok(Gate::Open);
        }
        if spec.name == "exec" {
            self.stats.count_call(index);
            let reply_from = out.len();
            let result = self.exec(session, out);
            // Monitors read it behind the commands that it ran.
            self.node.observe_command(session, spec, args);
            match result? {
                Executed::Here => {}
                Executed::Elsewhere(place) => return Ok(Gate::Elsewhere(place)),
                Executed::Unknown => return Ok(Gate::Unknown),
            }
            self.apply_reply_mode(session, reply_from, out);
            if self.ks.has_ready() {
                blocking::serve_ready(self);
            }
            return Ok(Gate::Done);
        }
        if matches!(spec.name, "discard" | "multi" | "watch" | "quit" | "reset") {
            self.node.observe_command(session, spec, args);
            return Ok(Gate::Open);
        }
        if spec.flags.contains(Flags::NO_MULTI) {
            return Err(CommandError::err("Command not allowed inside a transaction"));
        }
        if spec.flags.contains(Flags::DENYOOM) && self.node.memory.is_limited() && !self.make_room() {
            return Err(CommandError::OutOfMemory);
        }
        if self.is_clustered && !session.is_redirecting {
            self.check_queued(spec, args)?;
        }
        if session.is_redirecting {
            self.check_redirect_queued(session, std::iter::once((spec, *args)))?;
        }
        let Some(transaction) = &mut session.transaction else { return Ok(Gate::Open) };
        Transaction::queue(transaction, index, args, self.settings.query_buffer_len_max)?;
        {
            let mut facts = session.client.facts.lock();
            (facts.queued, facts.queued_bytes) = (Some(transaction.len()), transaction.bytes());
        }
        let reply_from = out.len();
        self.reply(session, out).simple("QUEUED");
        self.apply_reply_mode(session, reply_from, out);
        Ok(Gate::Done)
    }

    /// Whether CLIENT PAUSE holds the command back.
    fn is_held_back(&self, session: &Session, spec: &'static CommandSpec) -> bool {
        let pause = &self.node.pause;
        let queued = || session.transaction.as_ref().is_some_and(|transaction| transaction.has_any(REPLICATED));
        let writes = || spec.flags.intersects(REPLICATED) || spec.name == "exec" && queued();
        pause.is_set() && pause.holds(writes(), self.ks.now_ms())
    }

    /// Notes which keys a tracking client has read, while their shards are held: no change slips in between.
    #[cold]
    fn remember_keys(&self, session: &Session, spec: &'static CommandSpec, args: &Args<'_>) {
        let Some(tracking) = &session.tracking else { return };
        if !spec.flags.contains(Flags::READONLY) || !tracking.remembers() {
            return;
        }
        let found = keys_of(spec, args.len(), |index| args.get(index)).unwrap_or_default();
        let hub = &self.node.hub;
        hub.tracking.remember(session.client.id, found.iter().map(|key| args.get(key.index)));
    }

    /// Notes which keys a tracking client is about to read at their owners, before it does.
    #[cold]
    fn remember_elsewhere(&self, session: &Session, planned: &Planned<'_>) {
        let Some(command) = planned.index.and_then(registry::by_index) else { return };
        self.remember_keys(session, command.spec, &planned.args);
        for args in session.transaction.iter().flat_map(|transaction| transaction.commands()) {
            let args = args.as_args();
            if let Some(queued) = rondache_protocol::command::lookup(args.get(0)).and_then(registry::by_index) {
                self.remember_keys(session, queued.spec, &args);
            }
        }
    }

    /// Evicts until there is room; `false`: there is none to be had.
    pub(super) fn make_room(&mut self) -> bool {
        if self.node.memory.has_room() {
            return true;
        }
        self.ks.release();
        self.node.memory.make_room(self.ks, self.settings, self.rng)
    }

    /// An error before the handler ran.
    #[cold]
    fn fail(&mut self, session: &mut Session, index: Option<u16>, error: CommandError, out: &mut Vec<u8>) -> Flow {
        if let Some(transaction) = &mut session.transaction {
            transaction.is_broken = true;
        }
        self.stats.count_rejection(index, &error);
        self.write_error(session, &error, out)
    }

    #[cold]
    fn fail_executed(&mut self, session: &mut Session, index: u16, error: CommandError, out: &mut Vec<u8>) -> Flow {
        if let Some(transaction) = &mut session.transaction {
            // MULTI or WATCH inside of MULTI: the client has lost track of what it does.
            transaction.is_broken = true;
        }
        self.stats.count_failure(index, &error);
        self.write_error(session, &error, out)
    }

    fn write_error(&mut self, session: &mut Session, error: &CommandError, out: &mut Vec<u8>) -> Flow {
        let reply_from = out.len();
        self.reply(session, out).error(error.to_string());
        self.apply_reply_mode(session, reply_from, out);
        Flow::Next
    }

    fn apply_reply_mode(&self, session: &mut Session, reply_from: usize, out: &mut Vec<u8>) {
        match session.reply_mode {
            ReplyMode::On => return,
            ReplyMode::Off => out.truncate(reply_from),
            ReplyMode::SkipNext => {
                out.truncate(reply_from);
                session.reply_mode = ReplyMode::Skipping;
            }
            ReplyMode::Skipping => {
                out.truncate(reply_from);
                session.reply_mode = ReplyMode::On;
            }
        }
        session.refresh_mode();
    }

    #[cold]
    fn expire_keys_of(&mut self, spec: &'static CommandSpec, args: &Args<'_>) {
        let spec = named_subcommand(spec, args);
        let found = keys_of(spec, args.len(), |index| args.get(index)).unwrap_or_default();
        let keys: Vec<Key<'_>> = found.iter().map(|key| self.ks.key(args.get(key.index))).collect();
        self.ks.expire_met(&keys);
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

/// Appends the shards of a command's keys to `shards`.
pub(super) fn lock_keys(
    ks: &Keyspace<'_>,
    spec: &'static CommandSpec,
    args: &Args<'_>,
    shards: &mut Vec<usize>,
) -> CommandResult {
    let spec = named_subcommand(spec, args);
    // MEMORY USAGE has a key; MEMORY as such has none.
    let spec =
        if spec.subcommands.is_empty() { spec } else { spec.subcommand(args.get(1)).map_or(spec, |(_, sub)| sub) };
    if spec.first_key == 0 {
        return Ok(());
    }
    // Keys that can't be told (a bad numkeys) are the handler's to refuse, in its own words; it looks at no key then.
    if let Ok(found) = keys_of(spec, args.len(), |index| args.get(index)) {
        shards.extend(found.iter().map(|key| ks.key(args.get(key.index)).shard()));
    }
    Ok(())
}

/// The entry that says where the keys stand: the subcommand's, where the command is a container (OBJECT, MEMORY …).
pub(super) fn named_subcommand(spec: &'static CommandSpec, args: &Args<'_>) -> &'static CommandSpec {
    if spec.subcommands.is_empty() {
        return spec;
    }
    spec.subcommand(args.get(1)).map_or(spec, |(_, found)| found)
}

/// The slot of a command's first key.
#[inline]
fn first_slot_of(spec: &'static CommandSpec, args: &Args<'_>, hashed: &HashedKeys<'_>) -> Option<u16> {
    if let Some(first) = &hashed.first {
        return Some(first.slot);
    }
    let spec = named_subcommand(spec, args);
    let found = keys_of(spec, args.len(), |index| args.get(index)).ok()?;
    found.first().map(|key| slot_of(args.get(key.index)))
}
