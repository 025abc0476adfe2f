//! The HELP subcommands of commands that have subcommands.

use super::{args::Args, ctx::Ctx};

/// Replies with how to call each subcommand: pairs of a call and what it does.
pub(crate) fn reply(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, subcommands: &[(&str, &str)]) {
    let name = String::from_utf8_lossy(args.get(0)).to_uppercase();
    ctx.reply.array(subcommands.len() * 2 + 3);
    ctx.reply.simple(&format!("{name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"));
    for (call, explanation) in subcommands {
        ctx.reply.simple(call);
        ctx.reply.simple(&format!("    {explanation}"));
    }
    ctx.reply.simple("HELP");
    ctx.reply.simple("    Print this help.");
}
