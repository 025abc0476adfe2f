//! MEMORY: what memory is used for.

use tikv_jemalloc_ctl::stats_print;

use super::info::{Figures, ratio};
use crate::{
    command::{CommandError, CommandResult, args::Args, ctx::Ctx, help, subcommand},
    config::sizes::human_size,
};

/// Below this use there is nothing to say about memory.
const DOCTOR_BYTES_MIN: u64 = 5 * 1024 * 1024;
/// Memory that the system counts beyond what is used, as a factor, from which on the doctor speaks of it.
const FRAGMENTATION_MAX: f64 = 1.4;
/// Peak beyond present use, as a factor, from which on the doctor speaks of it.
const PEAK_MAX: f64 = 1.5;

/// `MEMORY DOCTOR | HELP | MALLOC-STATS | PURGE | STATS | USAGE key [SAMPLES count]`
pub(super) fn memory(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    match subcommand(ctx.spec, args)?.name {
        "doctor" => doctor(ctx),
        "malloc-stats" => return malloc_stats(ctx),
        // The allocator gives free pages back by itself, within a second.
        "purge" => ctx.reply.ok(),
        "stats" => stats(ctx),
        "usage" => return usage(ctx, args),
        _ => help::reply(
            ctx,
            args,
            &[
                ("DOCTOR", "Explain in words what uses memory."),
                ("MALLOC-STATS", "Show the allocator's own report."),
                ("PURGE", "Give free memory back; it is given back without being asked, too."),
                ("STATS", "Show what memory is used for."),
                ("USAGE <key> [SAMPLES <count>]", "Show how many bytes a key and its value take."),
            ],
        ),
    }
    Ok(())
}

fn usage(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    match args.len() {
        3 => {}
        5 if args.is(3, "samples") => {
            // Sizes are known exactly or estimated from the table's own sample, so the count is only checked.
            if args.integer(4)? < 0 {
                return Err(CommandError::Syntax);
            }
        }
        _ => return Err(CommandError::Syntax),
    }
    let key = ctx.ks.key(args.get(2));
    match ctx.ks.peek(&key).map(|entry| entry.memory_usage()) {
        Some(bytes) => ctx.reply.count(bytes),
        None => ctx.reply.null(),
    }
    Ok(())
}

fn malloc_stats(ctx: &mut Ctx<'_, '_>) -> CommandResult {
    let mut text = Vec::new();
    let mut options = stats_print::Options::default();
    (options.skip_bin_size_classes, options.skip_per_arena) = (true, true);
    stats_print::stats_print(&mut text, options)
        .map_err(|error| CommandError::err(format_args!("the allocator has no report: {error}")))?;
    ctx.reply.verbatim(*b"txt", &text);
    Ok(())
}

fn stats(ctx: &mut Ctx<'_, '_>) {
    let figures = Figures::read(ctx.node);
    let sizes = ctx.ks.db_sizes();
    let overhead: u64 = sizes.iter().map(|size| size.table_bytes as u64).sum();
    let keys: u64 = sizes.iter().map(|size| size.keys as u64).sum();
    let dataset = figures.used.saturating_sub(overhead);
    let waiting: usize = ctx.node.clients.all().iter().map(|client| client.mailbox.waiting_bytes()).sum();
    let integers = [
        ("peak.allocated", figures.peak),
        ("total.allocated", figures.used),
        ("clients.normal", waiting as u64),
        ("overhead.total", overhead),
        ("keys.count", keys),
        ("keys.bytes-per-key", dataset / keys.max(1)),
        ("dataset.bytes", dataset),
        ("allocator.allocated", figures.allocated),
        ("allocator.active", figures.active),
        ("allocator.resident", figures.resident),
    ];
    let ratios = [
        ("dataset.percentage", ratio(dataset, figures.used) * 100.0),
        ("peak.percentage", ratio(figures.used, figures.peak) * 100.0),
        ("allocator-fragmentation.ratio", ratio(figures.active, figures.allocated)),
        ("fragmentation", ratio(figures.rss, figures.used)),
    ];
    let open = ctx.reply.begin();
    for (name, value) in integers {
        ctx.reply.bulk(name.as_bytes());
        ctx.reply.integer(value as i64);
    }
    for (name, value) in ratios {
        ctx.reply.bulk(name.as_bytes());
        ctx.reply.double(value);
    }
    let mut pairs = integers.len() + ratios.len();
    for (db, size) in sizes.iter().enumerate().filter(|(_, size)| size.keys > 0) {
        ctx.reply.bulk(format!("db.{db}").as_bytes());
        ctx.reply.map(1);
        ctx.reply.bulk(b"overhead.hashtable.main");
        ctx.reply.count(size.table_bytes);
        pairs += 1;
    }
    ctx.reply.end_map(open, pairs);
}

fn doctor(ctx: &mut Ctx<'_, '_>) {
    let figures = Figures::read(ctx.node);
    let settings = ctx.node.settings.load();
    let mut text = String::new();
    if figures.used < DOCTOR_BYTES_MIN {
        text.push_str("Too little memory is used to say anything about it.\n");
    } else {
        if ratio(figures.peak, figures.used) > PEAK_MAX {
            text.push_str(&format!(
                "At its peak the node used {}, and now {}: what was freed goes back to the system within seconds.\n",
                human_size(figures.peak),
                human_size(figures.used)
            ));
        }
        if ratio(figures.rss, figures.used) > FRAGMENTATION_MAX {
            text.push_str(&format!(
                "The system counts {} for {} in use: pages are partly filled, as after many deletions.\n",
                human_size(figures.rss),
                human_size(figures.used)
            ));
        }
        if settings.maxmemory_bytes == 0 {
            text.push_str("There is no maxmemory: the node grows until the system has no more to give.\n");
        }
        if text.is_empty() {
            text.push_str("Nothing stands out.\n");
        }
    }
    ctx.reply.verbatim(*b"txt", text.as_bytes());
}
