//! LATENCY: slow events, and how long commands take.

use std::fmt::Write as _;

use crate::{
    command::{CommandError, CommandResult, args::Args, ctx::Ctx, help, registry, subcommand},
    node::{clock, histogram::Distribution, latency::Event},
};

/// `LATENCY DOCTOR | GRAPH event | HELP | HISTOGRAM [command …] | HISTORY event | LATEST | RESET [event …]`
pub(super) fn latency(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    match subcommand(ctx.spec, args)?.name {
        "doctor" => doctor(ctx),
        "graph" => return graph(ctx, args),
        "histogram" => histogram(ctx, args),
        "history" => history(ctx, args),
        "latest" => latest(ctx),
        "reset" => {
            let forgotten = ctx.node.latency.reset(args.from(2));
            ctx.reply.count(forgotten);
        }
        _ => help::reply(
            ctx,
            args,
            &[
                ("DOCTOR", "Explain in words what was slow."),
                ("GRAPH <event>", "Draw the slow events of a kind."),
                ("HISTOGRAM [<command> ...]", "Show how run times are distributed, of some commands or all."),
                ("HISTORY <event>", "Show when events of a kind were slow, and how slow."),
                ("LATEST", "Show the latest slow event of each kind."),
                ("RESET [<event> ...]", "Forget slow events, of some kinds or all."),
            ],
        ),
    }
    Ok(())
}

fn event(ctx: &Ctx<'_, '_>, args: &Args<'_>) -> Option<Event> {
    ctx.node.latency.get(&String::from_utf8_lossy(args.get(2)))
}

fn history(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) {
    let samples = event(ctx, args).map(|event| event.samples).unwrap_or_default();
    ctx.reply.array(samples.len());
    for sample in samples {
        ctx.reply.array(2);
        ctx.reply.integer(sample.time_s as i64);
        ctx.reply.integer(sample.ms as i64);
    }
}

fn latest(ctx: &mut Ctx<'_, '_>) {
    let all = ctx.node.latency.all();
    ctx.reply.array(all.len());
    for (kind, event) in all {
        let last = event.samples.back().copied();
        ctx.reply.array(4);
        ctx.reply.bulk(kind.as_bytes());
        ctx.reply.integer(last.map_or(0, |last| last.time_s as i64));
        ctx.reply.integer(last.map_or(0, |last| last.ms as i64));
        ctx.reply.integer(event.max_ms as i64);
    }
}

fn graph(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let name = String::from_utf8_lossy(args.get(2)).into_owned();
    let Some(event) = event(ctx, args) else {
        return Err(CommandError::err(format_args!("No samples available for event '{name}'")));
    };
    let text = drawn(&name, &event, clock::unix_ms() / 1000);
    ctx.reply.verbatim(*b"txt", text.as_bytes());
    Ok(())
}

/// A bar per sample, the oldest on top, each as long as its share of the longest.
fn drawn(name: &str, event: &Event, now_s: u64) -> String {
    const WIDTH: u64 = 50;
    let high = event.samples.iter().map(|sample| sample.ms).max().unwrap_or(0);
    let low = event.samples.iter().map(|sample| sample.ms).min().unwrap_or(0);
    let mut text =
        format!("{name} - high {high} ms, low {low} ms (all time high {} ms)\n{}\n", event.max_ms, "-".repeat(80));
    for sample in &event.samples {
        let bar = "#".repeat((sample.ms * WIDTH / high.max(1)) as usize);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{:>8} s ago {:>7} ms {bar}", now_s.saturating_sub(sample.time_s), sample.ms);
    }
    text
}

fn doctor(ctx: &mut Ctx<'_, '_>) {
    let settings = ctx.node.settings.load();
    let events = ctx.node.latency.all();
    let mut text = String::new();
    if settings.latency_threshold_ms == 0 {
        text.push_str(
            "The latency monitor is off. To learn what is slow, turn it on: CONFIG SET latency-monitor-threshold <ms>.\n",
        );
    } else if events.is_empty() {
        text.push_str("Nothing has been slow since the latency monitor was turned on.\n");
    }
    for (kind, event) in events {
        let mean_ms = event.sum_ms / event.count.max(1);
        let _ = writeln!(
            text,
            "{kind}: {} times slow, {mean_ms} ms on average, {} ms at worst. {}",
            event.count,
            event.max_ms,
            advice(kind)
        );
    }
    ctx.reply.verbatim(*b"txt", text.as_bytes());
}

fn advice(kind: &str) -> &'static str {
    match kind {
        "command" => {
            "SLOWLOG GET names the commands. Large collections are better read in parts, with SCAN and its kin or with \
             ranges."
        }
        "fast-command" => {
            "Commands of constant time are slow only where the processor is short: look at its load and its swapping."
        }
        _ => "",
    }
}

fn histogram(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) {
    let is_wanted = |name: &str| {
        args.len() == 2
            || args.from(2).any(|wanted| {
                let family = name.split('|').next().unwrap_or(name);
                wanted.eq_ignore_ascii_case(name.as_bytes()) || wanted.eq_ignore_ascii_case(family.as_bytes())
            })
    };
    let open = ctx.reply.begin();
    let mut count = 0;
    for (slot, name) in registry::slot_names().filter(|(_, name)| is_wanted(name)) {
        if let Some(times) = ctx.node.stats.times_of(slot) {
            ctx.reply.bulk(name.as_bytes());
            write_distribution(ctx, &times);
            count += 1;
        }
    }
    ctx.reply.end_map(open, count);
}

fn write_distribution(ctx: &mut Ctx<'_, '_>, times: &Distribution) {
    let powers = times.powers_of_two_us();
    ctx.reply.map(2);
    ctx.reply.bulk(b"calls");
    ctx.reply.integer(times.count() as i64);
    ctx.reply.bulk(b"histogram_usec");
    ctx.reply.map(powers.len());
    for (us, seen) in powers {
        ctx.reply.integer(us as i64);
        ctx.reply.integer(seen as i64);
    }
}
