//! The commands, a folder per family.
//!
//! A handler takes a [`Ctx`](ctx::Ctx) and its [`Args`](args::Args), works on the keyspace and writes its reply. Arity was
//! checked and the shards of all keys that the command table names are held.

pub mod args;
pub mod block_args;
pub mod byte_range;
pub mod ctx;
pub mod deadline;
pub mod error;
pub mod expire_args;
pub(crate) mod redact;
pub mod registry;
pub mod scan_args;

pub mod bitmap;
pub mod cluster;
pub mod connection;
pub mod expiry;
pub mod generic;
pub mod geo;
pub mod hash;
pub(crate) mod help;
pub mod hyperloglog;
pub mod list;
pub mod pubsub;
pub mod server;
pub mod set;
pub mod string;
pub mod transaction;
pub mod zset;

pub use error::CommandError;
use registry::HandlerList;

use crate::config::suggest;

/// What a handler returns.
pub type CommandResult = Result<(), CommandError>;

/// The handlers of every family.
pub(crate) const FAMILIES: &[HandlerList] = &[
    bitmap::HANDLERS,
    cluster::HANDLERS,
    connection::HANDLERS,
    expiry::HANDLERS,
    generic::HANDLERS,
    geo::HANDLERS,
    hash::HANDLERS,
    hyperloglog::HANDLERS,
    list::HANDLERS,
    pubsub::HANDLERS,
    server::HANDLERS,
    set::HANDLERS,
    string::HANDLERS,
    transaction::HANDLERS,
    zset::HANDLERS,
];

/// The refusal of a name that is not in the command table: with the beginning of what was sent, as Redis shows it, and
/// with the name that may have been meant.
pub(crate) fn unknown_command(args: &args::Args<'_>) -> CommandError {
    const SHOWN_LEN_MAX: usize = 128;
    let cut = |arg: &[u8], len_max: usize| String::from_utf8_lossy(&arg[..arg.len().min(len_max)]).into_owned();
    let name = cut(args.get(0), SHOWN_LEN_MAX);
    let mut shown = String::new();
    for arg in args.from(1) {
        if shown.len() >= SHOWN_LEN_MAX {
            break;
        }
        shown.push_str(&format!("'{}' ", cut(arg, SHOWN_LEN_MAX - shown.len())));
    }
    let hint = suggest::hint(&name, rondache_protocol::command::all().map(|spec| spec.name));
    CommandError::err(format_args!("unknown command '{name}', with args beginning with: {shown}{}", hint.trim_start()))
}

/// The refusal of a subcommand that is not in the command table, or that has too many arguments.
pub(crate) fn unknown_subcommand(
    spec: &'static rondache_protocol::command::CommandSpec,
    args: &args::Args<'_>,
) -> CommandError {
    let name = args.get(1);
    CommandError::err(format_args!(
        "unknown subcommand '{}'. Try {} HELP.",
        String::from_utf8_lossy(&name[..name.len().min(128)]),
        spec.name.to_uppercase()
    ))
}

/// The subcommand that the second argument names, its arity checked, such as `config|get`.
///
/// # Errors
/// Unknown subcommand, or wrong number of arguments.
pub(crate) fn subcommand(
    spec: &'static rondache_protocol::command::CommandSpec,
    args: &args::Args<'_>,
) -> Result<&'static rondache_protocol::command::CommandSpec, CommandError> {
    let Some((_, found)) = spec.subcommand(args.get(1)) else {
        return Err(unknown_subcommand(spec, args));
    };
    if !found.accepts(args.len()) {
        return Err(CommandError::Arity(format!("{}|{}", spec.name, found.name).into()));
    }
    Ok(found)
}
