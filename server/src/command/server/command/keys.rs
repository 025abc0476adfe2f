//! COMMAND GETKEYS and COMMAND GETKEYSANDFLAGS.

use rondache_protocol::command::{self, CommandSpec, Flags, KeyAt, KeyFinder, keys_of};

use super::describe::names;
use crate::command::{CommandError, CommandResult, args::Args, ctx::Ctx};

/// Where the call begins that is asked about.
const CALL_AT: usize = 2;

pub(super) fn getkeys(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let keys = keys(args)?;
    ctx.reply.array(keys.len());
    for key in keys {
        ctx.reply.bulk(args.get(CALL_AT + key.index));
    }
    Ok(())
}

pub(super) fn getkeysandflags(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let keys = keys(args)?;
    ctx.reply.array(keys.len());
    for key in keys {
        ctx.reply.array(2);
        ctx.reply.bulk(args.get(CALL_AT + key.index));
        names(&mut ctx.reply, key.access.reply_names());
    }
    Ok(())
}

fn keys(args: &Args<'_>) -> Result<Vec<KeyAt>, CommandError> {
    let argc = args.len() - CALL_AT;
    let Some(spec) = called(args) else { return Err(CommandError::err("Invalid command specified")) };
    if spec.keys.is_empty() && spec.finder == KeyFinder::Specs {
        return Err(CommandError::err("The command has no key arguments"));
    }
    if !spec.accepts(argc) {
        return Err(CommandError::err("Invalid number of arguments specified for command"));
    }
    let found = keys_of(spec, argc, |index| args.get(CALL_AT + index)).unwrap_or_default();
    if found.is_empty() && !spec.flags.contains(Flags::NO_MANDATORY_KEYS) {
        return Err(CommandError::err("Invalid arguments specified for command"));
    }
    Ok(found)
}

/// The command or subcommand that the call names.
fn called(args: &Args<'_>) -> Option<&'static CommandSpec> {
    let spec = command::spec(command::lookup(args.get(CALL_AT))?);
    if spec.subcommands.is_empty() || args.len() == CALL_AT + 1 {
        return Some(spec);
    }
    Some(spec.subcommand(args.get(CALL_AT + 1))?.1)
}
