//! Transactions: <https://valkey.io/commands/?group=transactions>.

use super::{CommandError, CommandResult, args::Args, ctx::Ctx, registry::HandlerList};
use crate::session::transaction;

/// The family's handlers.
pub(super) const HANDLERS: HandlerList = &[
    ("discard", transaction::discard),
    ("exec", exec),
    ("multi", transaction::multi),
    ("unwatch", transaction::unwatch),
    ("watch", transaction::watch),
];

/// `EXEC` outside a transaction; inside, the session runs the queue itself.
fn exec(_: &mut Ctx<'_, '_>, _: &Args<'_>) -> CommandResult {
    Err(CommandError::err("EXEC without MULTI"))
}
