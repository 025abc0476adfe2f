//! COMMAND: the command table, as clients read it.

mod describe;
mod docs;
mod keys;
mod list;

use rondache_protocol::command::{self, CommandSpec};

use crate::command::{CommandResult, args::Args, ctx::Ctx, help, subcommand};

/// `COMMAND [COUNT | DOCS | GETKEYS | GETKEYSANDFLAGS | INFO | LIST | HELP]`
pub(super) fn command(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    if args.len() == 1 {
        describe::all(ctx);
        return Ok(());
    }
    match subcommand(ctx.spec, args)?.name {
        "count" => ctx.reply.count(command::COUNT),
        "docs" => docs::docs(ctx, args),
        "getkeys" => return keys::getkeys(ctx, args),
        "getkeysandflags" => return keys::getkeysandflags(ctx, args),
        "info" => describe::info(ctx, args),
        "list" => return list::list(ctx, args),
        _ => help(ctx, args),
    }
    Ok(())
}

fn help(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) {
    help::reply(
        ctx,
        args,
        &[
            ("(no subcommand)", "Describe all commands."),
            ("COUNT", "Count the commands."),
            ("DOCS [<command-name> ...]", "Explain some commands, or all."),
            ("GETKEYS <full-command>", "Find the keys of a call."),
            ("GETKEYSANDFLAGS <full-command>", "Find the keys of a call, with what is done to them."),
            ("INFO [<command-name> ...]", "Describe some commands, or all."),
            (
                "LIST [FILTERBY (MODULE <module-name>|ACLCAT <category>|PATTERN <pattern>)]",
                "List the names of all commands, or of some.",
            ),
        ],
    );
}

/// The command of a full name such as `get` or `config|get`, in any case, with its parent's name.
fn by_full_name(name: &[u8]) -> Option<(Option<&'static str>, &'static CommandSpec)> {
    let mut words = name.splitn(2, |byte| *byte == b'|');
    let spec = command::spec(command::lookup(words.next()?)?);
    match words.next() {
        None => Some((None, spec)),
        Some(word) => Some((Some(spec.name), spec.subcommand(word)?.1)),
    }
}

/// A command's full name.
fn full_name(parent: Option<&str>, spec: &CommandSpec) -> String {
    parent.map_or_else(|| spec.name.to_owned(), |parent| format!("{parent}|{}", spec.name))
}
