//! The commands, a folder per family.
//!
//! A handler takes a [`Ctx`](ctx::Ctx) and its [`Args`](args::Args), works on the keyspace and writes its reply. Arity was
//! checked and the shards of all keys that the command table names are held.

pub mod args;
pub mod ctx;
pub mod error;
pub mod registry;

pub mod string;

pub use error::CommandError;
use registry::HandlerList;

/// What a handler returns.
pub type CommandResult = Result<(), CommandError>;

/// The handlers of every family.
pub(crate) const FAMILIES: &[HandlerList] = &[string::HANDLERS];

/// The refusal of a name that is not in the command table.
pub(crate) fn unknown_command(args: &args::Args<'_>) -> CommandError {
    let name = String::from_utf8_lossy(args.get(0));
    CommandError::err(format_args!("unknown command '{name}'"))
}
