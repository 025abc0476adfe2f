//! The checks of connections that are not in the plain state, or while somebody watches all commands.

use rondache_protocol::command::{CommandSpec, Flags};

use super::{Executor, blocking};
use crate::{
    command::{CommandError, args::Args, registry::Command},
    session::{
        Session,
        placing::Place,
        transaction::{Executed, Transaction},
    },
};

/// Commands that CLIENT PAUSE … WRITE holds back.
const REPLICATED: Flags = Flags::WRITE.union(Flags::MAY_REPLICATE);

/// What the checks of an unusual connection decided.
pub(super) enum Gate {
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

/// What a client may do that listens, before RESP3.
fn is_for_listeners(name: &str) -> bool {
    let subscribes = ["subscribe", "ssubscribe", "psubscribe", "unsubscribe", "sunsubscribe", "punsubscribe"];
    subscribes.contains(&name) || ["ping", "quit", "reset"].contains(&name)
}

impl Executor<'_, '_> {
    /// Decides whether a command runs, waits, or joins the open transaction.
    #[cold]
    pub(super) fn check_mode(
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
        if session.is_listening_only() && !is_for_listeners(spec.name) {
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
        match spec.name {
            "exec" => self.run_exec(session, spec, index, args, out),
            "discard" | "multi" | "watch" | "quit" | "reset" => {
                self.node.observe_command(session, spec, args);
                Ok(Gate::Open)
            }
            _ => self.queue(session, spec, index, args, out),
        }
    }

    fn run_exec(
        &mut self,
        session: &mut Session,
        spec: &'static CommandSpec,
        index: u16,
        args: &Args<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Gate, CommandError> {
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
        Ok(Gate::Done)
    }

    /// Puts a command into the open transaction.
    fn queue(
        &mut self,
        session: &mut Session,
        spec: &'static CommandSpec,
        index: u16,
        args: &Args<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Gate, CommandError> {
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
}
