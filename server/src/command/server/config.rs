//! CONFIG: the settings in force.

use std::borrow::Cow;

use crate::{
    command::{
        CommandError, CommandResult,
        args::Args,
        ctx::{Ctx, Waiting},
        help, subcommand,
    },
    config::{
        parameters::{self, Parameter},
        rewrite,
        settings::Settings,
        suggest,
    },
    util::glob,
};

/// `CONFIG GET | SET | RESETSTAT | REWRITE | HELP`
pub(super) fn config(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    match subcommand(ctx.spec, args)?.name {
        "get" => get(ctx, args),
        "set" => set(ctx, args),
        "resetstat" => {
            ctx.node.stats.reset();
            ctx.reply.ok();
            Ok(())
        }
        "rewrite" => rewrite(ctx),
        _ => {
            help::reply(
                ctx,
                args,
                &[
                    ("GET <pattern> [<pattern> ...]", "Show the parameters whose names match, with their values."),
                    ("SET <parameter> <value> [<parameter> <value> ...]", "Change parameters, all or none."),
                    ("RESETSTAT", "Put the counters of INFO back to zero."),
                    ("REWRITE", "Write the parameters in force to the configuration file."),
                ],
            );
            Ok(())
        }
    }
}

fn get(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    // Not this batch's snapshot: an earlier command of the batch may have changed something.
    let settings = ctx.node.settings.load();
    let matches = |name: &str| args.from(2).any(|pattern| glob::matches(pattern, name.as_bytes(), true));
    let open = ctx.reply.begin();
    let mut pairs = 0;
    for parameter in parameters::all() {
        for name in parameter.names().filter(|name| matches(name)) {
            ctx.reply.bulk(name.as_bytes());
            ctx.reply.bulk(parameter.get(&settings).as_bytes());
            pairs += 1;
        }
    }
    ctx.reply.end_map(open, pairs);
    Ok(())
}

fn set(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    if !args.len().is_multiple_of(2) {
        return Err(CommandError::Syntax);
    }
    let changes = named(args)?;
    ctx.node.settings.update(|settings| apply(settings, &changes))?;
    for (parameter, _, value) in &changes {
        let value = if parameter.is_secret { "(redacted)" } else { value.as_ref() };
        tracing::info!(parameter = parameter.name, value, "a setting was changed");
    }
    tell_cluster(ctx, &changes);
    if ctx.waiting != Waiting::Never {
        ctx.node.apply_settings();
        // A lower limit takes effect at once; where it can't be reached, the next write is told.
        let _ = ctx.node.memory.make_room(ctx.ks, &ctx.node.settings.load(), ctx.rng);
    } else {
        // A transaction holds its shards: the control thread has none.
        ctx.node.settings_changed.notify_one();
    }
    ctx.reply.ok();
    Ok(())
}

/// Some settings belong to the cluster, and some of this node's others must know.
fn tell_cluster(ctx: &Ctx<'_, '_>, changes: &[Change<'_>]) {
    for (parameter, ..) in changes {
        if parameter.is_of_cluster {
            ctx.node.cluster.desk.note_change(parameter, &ctx.node.settings);
        } else {
            ctx.node.cluster.desk.note_own_change();
        }
    }
}

type Change<'a> = (&'static Parameter, Cow<'a, str>, Cow<'a, str>);

/// The parameters that the arguments name, each once.
fn named<'a>(args: &Args<'a>) -> Result<Vec<Change<'a>>, CommandError> {
    let mut changes: Vec<Change<'_>> = Vec::new();
    for index in (2..args.len()).step_by(2) {
        let name = String::from_utf8_lossy(args.get(index));
        let Some(parameter) = parameters::lookup(&name) else { return Err(unknown(&name)) };
        if changes.iter().any(|(known, ..)| std::ptr::eq(*known, parameter)) {
            return Err(refused(&name, "duplicate parameter"));
        }
        changes.push((parameter, name, String::from_utf8_lossy(args.get(index + 1))));
    }
    Ok(changes)
}

fn apply(settings: &mut Settings, changes: &[Change<'_>]) -> CommandResult {
    for (parameter, name, value) in changes {
        let before = parameter.is_fixed.then(|| parameter.get(settings));
        parameter.set(settings, value).map_err(|refusal| refused(name, &refusal))?;
        // Setting what is fixed to what it is anyway harms nobody, and lets a saved CONFIG GET * be set again.
        if before.is_some_and(|before| before != parameter.get(settings)) {
            return Err(refused(name, "can't set immutable config"));
        }
    }
    Ok(())
}

fn unknown(name: &str) -> CommandError {
    let hint = suggest::hint(name, parameters::names());
    CommandError::err(format_args!("Unknown option or number of arguments for CONFIG SET - '{name}'{hint}"))
}

fn refused(name: &str, refusal: &str) -> CommandError {
    CommandError::err(format_args!("CONFIG SET failed (possibly related to argument '{name}') - {refusal}"))
}

fn rewrite(ctx: &mut Ctx<'_, '_>) -> CommandResult {
    let settings = ctx.node.settings.load();
    let Some(path) = &settings.file else {
        return Err(CommandError::err("The server is running without a config file"));
    };
    rewrite::rewrite(path, &settings).map_err(|error| {
        tracing::warn!(path = %path.display(), %error, "could not rewrite the configuration file");
        CommandError::err(format_args!("Rewriting config file: {error}"))
    })?;
    ctx.reply.ok();
    Ok(())
}
