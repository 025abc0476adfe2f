//! SLOWLOG: commands that took long.

use crate::command::{CommandError, CommandResult, args::Args, ctx::Ctx, help, subcommand};

/// Entries that `SLOWLOG GET` answers unless told how many.
const COUNT_DEFAULT: usize = 10;

/// `SLOWLOG GET [count] | LEN | RESET | HELP`
pub(super) fn slowlog(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    match subcommand(ctx.spec, args)?.name {
        "get" => return get(ctx, args),
        "len" => ctx.reply.count(ctx.node.slowlog.len()),
        "reset" => {
            ctx.node.slowlog.reset();
            ctx.reply.ok();
        }
        _ => help::reply(
            ctx,
            args,
            &[
                ("GET [<count>]", "Show the newest entries (10, or <count>; -1 for all)."),
                ("LEN", "Count the entries."),
                ("RESET", "Forget all entries."),
            ],
        ),
    }
    Ok(())
}

fn get(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let count = match args.len() {
        2 => COUNT_DEFAULT,
        3 => match args.integer(2)? {
            -1 => usize::MAX,
            count @ 0.. => usize::try_from(count).unwrap_or(usize::MAX),
            _ => return Err(CommandError::err("count should be greater than or equal to -1")),
        },
        _ => return Err(CommandError::Syntax),
    };
    let entries = ctx.node.slowlog.newest(count);
    ctx.reply.array(entries.len());
    for entry in entries {
        ctx.reply.array(6);
        ctx.reply.integer(entry.id as i64);
        ctx.reply.integer(entry.time_s as i64);
        ctx.reply.integer(entry.duration_us as i64);
        ctx.reply.array(entry.args.len());
        for arg in &entry.args {
            ctx.reply.bulk(arg);
        }
        ctx.reply.bulk(entry.client_addr.as_bytes());
        ctx.reply.bulk(entry.client_name.as_bytes());
    }
    Ok(())
}
