//! MULTI, EXEC, DISCARD, WATCH: see [Transactions](https://valkey.io/topics/transactions/).

use rondache_protocol::{command::Flags, slot::slot_of};

use super::{
    Session, Watch,
    execute::{Executor, lock_keys},
    placing::{Place, Slots, slots_of},
};
use crate::{
    command::{
        CommandError, CommandResult,
        args::{Args, OwnedArgs},
        ctx::Ctx,
        generic,
        registry::{self, Command},
    },
    store::keyspace::Keyspace,
};

/// Commands that wait for EXEC.
///
/// Bound: the client's query buffer limit, see [`Transaction::queue`].
#[derive(Debug, Default)]
pub struct Transaction {
    queued: Vec<(u16, OwnedArgs)>,
    bytes: usize,
    /// A command could not be queued: EXEC will refuse.
    pub is_broken: bool,
}

impl Transaction {
    /// Appends a command.
    ///
    /// # Errors
    /// The queue would outgrow `bytes_max`.
    pub fn queue(&mut self, index: u16, args: &Args<'_>, bytes_max: usize) -> CommandResult {
        let args = args.to_owned();
        if self.bytes + args.memory_usage() > bytes_max {
            self.is_broken = true;
            return Err(CommandError::err("transaction is larger than client-query-buffer-limit"));
        }
        self.bytes += args.memory_usage();
        self.queued.push((index, args));
        Ok(())
    }

    /// Heap bytes of the commands that wait.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether one of the commands has any of these properties.
    #[must_use]
    pub fn has_any(&self, flags: Flags) -> bool {
        let spec_of = |index| registry::by_index(index).map(|command| command.spec);
        self.queued.iter().filter_map(|(index, _)| spec_of(*index)).any(|spec| spec.flags.intersects(flags))
    }

    /// How many commands wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.queued.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.queued.is_empty()
    }
}

/// `MULTI`
pub(crate) fn multi(ctx: &mut Ctx<'_, '_>, _: &Args<'_>) -> CommandResult {
    if ctx.session.transaction.is_some() {
        return Err(CommandError::err("MULTI calls can not be nested"));
    }
    ctx.session.transaction = Some(Box::default());
    ctx.session.refresh_mode();
    ctx.session.client.facts.lock().queued = Some(0);
    ctx.reply.simple("OK");
    Ok(())
}

/// `DISCARD`
pub(crate) fn discard(ctx: &mut Ctx<'_, '_>, _: &Args<'_>) -> CommandResult {
    if ctx.session.transaction.take().is_none() {
        return Err(CommandError::err("DISCARD without MULTI"));
    }
    end(ctx.session, ctx.ks);
    ctx.reply.simple("OK");
    Ok(())
}

/// `WATCH key [key …]`
pub(crate) fn watch(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    if ctx.session.transaction.is_some() {
        return Err(CommandError::err("WATCH inside MULTI is not allowed"));
    }
    let db = ctx.session.db;
    let watch = ctx.session.watch.get_or_insert_with(Watch::default);
    for bytes in args.from(1) {
        if watch.keys.iter().any(|(of, key, _)| *of == db && **key == *bytes) {
            continue;
        }
        let key = ctx.ks.key(bytes);
        let was_live = ctx.ks.exists(&key);
        if !was_live {
            // A key that had expired before is deleted before it is watched: its deletion changes nothing.
            ctx.ks.expire_met(&[key]);
        }
        let watchers = ctx.ks.shard_mut(key.shard()).watchers.get_or_insert_default();
        let flags = watchers.entry((db, Box::from(bytes))).or_default();
        flags.retain(|flag| !flag.is_abandoned());
        flags.push(watch.flag.clone());
        watch.keys.push((db, Box::from(bytes), was_live));
    }
    ctx.session.client.facts.lock().watched = watch.keys.len();
    ctx.reply.simple("OK");
    Ok(())
}

/// `UNWATCH`
pub(crate) fn unwatch(ctx: &mut Ctx<'_, '_>, _: &Args<'_>) -> CommandResult {
    forget_watch(ctx.session, ctx.ks);
    ctx.reply.simple("OK");
    Ok(())
}

/// Drops what the client watches; used by UNWATCH, EXEC, DISCARD, RESET and when the connection ends.
pub(crate) fn forget_watch(session: &mut Session, ks: &mut Keyspace<'_>) {
    session.watched_elsewhere = Slots::None;
    let Some(watch) = session.watch.take() else { return };
    session.client.facts.lock().watched = 0;
    let keys = watch.keys;
    drop(watch.flag);
    for (db, bytes, _) in keys {
        let key = ks.key(&bytes);
        ks.with_shard(key.shard(), |shard| {
            let Some(watchers) = &mut shard.watchers else { return };
            let id = (db, bytes.clone());
            if let Some(flags) = watchers.get_mut(&id) {
                flags.retain(|flag| !flag.is_abandoned());
                if flags.is_empty() {
                    watchers.remove(&id);
                }
            }
            if watchers.is_empty() {
                shard.watchers = None;
            }
        });
    }
}

/// Drops the open transaction and what the client watches.
pub(crate) fn end(session: &mut Session, ks: &mut Keyspace<'_>) {
    end_queue(session);
    forget_watch(session, ks);
}

/// Drops the open transaction.
pub(crate) fn end_queue(session: &mut Session) {
    session.transaction = None;
    session.refresh_mode();
    let mut facts = session.client.facts.lock();
    (facts.queued, facts.queued_bytes) = (None, 0);
}

/// What became of a transaction.
#[derive(Clone, Copy, Debug)]
pub(super) enum Executed {
    /// It is over, and its reply is written.
    Here,
    /// It is still queued, and runs at another node.
    Elsewhere(Place),
    /// It is a retry, and nobody can tell whether it was executed.
    Unknown,
}

impl Transaction {
    /// The slots that its commands name.
    fn slots(&self, slots: &mut Slots) {
        for (index, args) in &self.queued {
            if let Some(command) = registry::by_index(*index) {
                slots_of(command.spec, &args.as_args(), |slot| slots.add(slot));
            }
        }
    }

    fn looked_up(&self) -> Vec<Queued<'_>> {
        let commands = self.queued.iter();
        commands
            .filter_map(|(index, args)| {
                Some(Queued { command: registry::by_index(*index)?, index: *index, args: args.as_args() })
            })
            .collect()
    }

    /// The queued commands, as the client sent them.
    pub(super) fn commands(&self) -> impl Iterator<Item = &OwnedArgs> {
        self.queued.iter().map(|(_, args)| args)
    }
}

/// A queued command, looked up.
struct Queued<'q> {
    command: &'static Command,
    index: u16,
    args: Args<'q>,
}

impl Queued<'_> {
    fn has(&self, flags: Flags) -> bool {
        self.command.spec.flags.contains(flags)
    }
}

impl Executor<'_, '_> {
    /// Where a transaction runs, as far as is known.
    fn place_transaction(&self, session: &Session, transaction: &Transaction) -> Result<Place, CommandError> {
        if !self.is_clustered || session.is_redirecting {
            return Ok(Place::Here);
        }
        let mut slots = session.watched_elsewhere;
        for (_, key, _) in session.watch.iter().flat_map(|watch| &watch.keys) {
            slots.add(slot_of(key));
        }
        transaction.slots(&mut slots);
        self.place_unit(slots)
    }

    /// `EXEC`: runs the queue while holding every shard that it names, or leaves it queued where another node is to run
    /// it.
    pub(super) fn exec(&mut self, session: &mut Session, out: &mut Vec<u8>) -> Result<Executed, CommandError> {
        let Some(transaction) = session.transaction.take() else {
            return Err(CommandError::err("EXEC without MULTI"));
        };
        session.refresh_mode();
        let executed = match self.exec_queue(session, &transaction, out) {
            // The first try may have been executed.
            Err(_) if self.retry.is_some() && !transaction.is_broken => Ok(Executed::Unknown),
            executed => executed,
        };
        self.ks.release();
        if let Ok(Executed::Elsewhere(_)) = executed {
            session.transaction = Some(transaction);
            session.refresh_mode();
        } else {
            end(session, self.ks);
        }
        executed
    }

    fn exec_queue(
        &mut self,
        session: &mut Session,
        transaction: &Transaction,
        out: &mut Vec<u8>,
    ) -> Result<Executed, CommandError> {
        if transaction.is_broken {
            return Err(CommandError::ExecAbort);
        }
        match self.place_transaction(session, transaction)? {
            Place::Here => {}
            place => return Ok(Executed::Elsewhere(place)),
        }
        let commands = transaction.looked_up();
        if commands.iter().any(|queued| queued.has(Flags::DENYOOM)) && !self.make_room() {
            return Err(CommandError::coded(
                "EXECABORT Transaction discarded because of: OOM command not allowed when used memory > 'maxmemory'.",
            ));
        }
        if let Some(wait) = commands.iter().find(|queued| queued.command.spec.name == "wait") {
            // Before the transaction's shards are held: those of what was written are others.
            self.ks.release();
            session.acknowledged = generic::wait::acknowledged(self.node, session, &wait.args);
        }
        self.hold_for(session, &commands);
        if self.is_clustered {
            // Routes change under the shards' locks: from here on the answer holds.
            match self.place_transaction(session, transaction)? {
                Place::Here => {}
                place => return Ok(Executed::Elsewhere(place)),
            }
            if self.retry.is_some()
                && let Some(slot) = first_only_slot(&commands)
                && let Some(executed) = self.recall_unit(session, slot, out)
            {
                return Ok(executed);
            }
        }
        if session.is_redirecting {
            self.check_redirect_queued(session, commands.iter().map(|queued| (queued.command.spec, queued.args)))?;
        }
        // What was watched at a node that no longer owns it may have changed unseen.
        let is_stale = session.watched_elsewhere != Slots::None
            || session.watch.as_ref().is_some_and(|watch| watch.flag.is_raised() || self.any_expired(watch));
        if is_stale {
            self.reply(session, out).null_array();
            return Ok(Executed::Here);
        }
        self.run_all(session, &commands, out)
    }

    /// Runs a transaction's commands, whose shards are held.
    fn run_all(
        &mut self,
        session: &mut Session,
        commands: &[Queued<'_>],
        out: &mut Vec<u8>,
    ) -> Result<Executed, CommandError> {
        let is_guarded = self.guards_writes && commands.iter().any(|queued| queued.has(Flags::WRITE));
        if is_guarded && let Some(place) = self.check_writes(commands)? {
            self.lacks_copies = true;
            return Ok(Executed::Elsewhere(place));
        }
        let reply_from = out.len();
        self.ks.forget_written();
        self.ks.begin_transaction();
        self.reply(session, out).array(commands.len());
        for queued in commands {
            self.run_queued(session, queued.command, queued.index, &queued.args, out);
        }
        self.ks.end_transaction(out.get(reply_from..).unwrap_or_default());
        if self.is_clustered {
            self.note_written(session);
        }
        if is_guarded {
            self.withhold(reply_from..out.len());
        }
        Ok(Executed::Here)
    }

    /// As [`Executor::check_write`], of a whole transaction.
    fn check_writes(&mut self, commands: &[Queued<'_>]) -> Result<Option<Place>, CommandError> {
        for queued in commands.iter().filter(|queued| queued.has(Flags::WRITE)) {
            if let Some(Place::Owner(slot)) = self.check_write(queued.command.spec, &queued.args)? {
                return Ok(Some(Place::Unit(slot)));
            }
        }
        Ok(None)
    }

    /// Holds the shards of all queued commands and watched keys: all shards where one of them walks the keyspace.
    fn hold_for(&mut self, session: &Session, commands: &[Queued<'_>]) {
        let mut shards = Vec::new();
        for queued in commands {
            if queued.has(Flags::WHOLE_KEYSPACE) {
                return self.ks.hold_all();
            }
            lock_keys(self.ks, queued.command.spec, &queued.args, &mut shards);
        }
        for (_, key, _) in session.watch.iter().flat_map(|watch| &watch.keys) {
            shards.push(self.ks.key(key).shard());
        }
        self.ks.hold_many(&mut shards);
    }

    /// Whether a watched key that was there when the watch began has expired since.
    fn any_expired(&mut self, watch: &Watch) -> bool {
        watch.keys.iter().any(|(db, bytes, was_live)| {
            self.ks.circumstances.db = *db;
            let key = self.ks.key(bytes);
            *was_live && !self.ks.exists(&key) && self.ks.holds_entry(&key)
        })
    }
}

/// The slot of the first command that names keys of just one.
fn first_only_slot(commands: &[Queued<'_>]) -> Option<u16> {
    commands.iter().find_map(|queued| match slots_of(queued.command.spec, &queued.args, |_| {}) {
        Slots::One(slot) => Some(slot),
        _ => None,
    })
}
