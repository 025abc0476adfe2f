//! COMMAND LIST.

use rondache_protocol::command::{self, CommandSpec};

use super::full_name;
use crate::{
    command::{CommandError, CommandResult, args::Args, ctx::Ctx},
    util::glob,
};

pub(super) fn list(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let wanted = args.get(4);
    let matches: &dyn Fn(&str, &CommandSpec) -> bool = match args.len() {
        2 => &|_, _| true,
        5 if !args.is(2, "filterby") => return Err(CommandError::Syntax),
        // There are no modules.
        5 if args.is(3, "module") => &|_, _| false,
        5 if args.is(3, "aclcat") => &|_, spec| spec.acl.reply_names().any(|name| name.as_bytes() == wanted),
        5 if args.is(3, "pattern") => &|name, _| glob::matches(wanted, name.as_bytes(), true),
        _ => return Err(CommandError::Syntax),
    };
    let open = ctx.reply.begin();
    let mut count = 0;
    for spec in command::all() {
        let own = std::iter::once((None, spec));
        for (parent, spec) in own.chain(spec.subcommands.iter().map(|sub| (Some(spec.name), sub))) {
            let name = full_name(parent, spec);
            if matches(&name, spec) {
                ctx.reply.bulk(name.as_bytes());
                count += 1;
            }
        }
    }
    ctx.reply.end_array(open, count);
    Ok(())
}
