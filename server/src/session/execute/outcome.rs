//! What a command's client gets where that is not simply the handler's reply: errors, and replies that it does not want.

use super::{Executor, Flow};
use crate::{
    command::CommandError,
    session::{ReplyMode, Session},
};

impl Executor<'_, '_> {
    /// An error before the handler ran.
    #[cold]
    pub(super) fn fail(
        &mut self,
        session: &mut Session,
        index: Option<u16>,
        error: CommandError,
        out: &mut Vec<u8>,
    ) -> Flow {
        if let Some(transaction) = &mut session.transaction {
            transaction.is_broken = true;
        }
        self.stats.count_rejection(index, &error);
        self.write_error(session, &error, out)
    }

    /// An error of the handler.
    #[cold]
    pub(super) fn fail_executed(
        &mut self,
        session: &mut Session,
        index: u16,
        error: CommandError,
        out: &mut Vec<u8>,
    ) -> Flow {
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

    /// Takes back what stands from `reply_from` on where the client wants no reply (CLIENT REPLY).
    pub(super) fn apply_reply_mode(&self, session: &mut Session, reply_from: usize, out: &mut Vec<u8>) {
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
}
