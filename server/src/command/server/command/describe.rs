//! COMMAND and COMMAND INFO.

use rondache_protocol::{
    command::{self, BeginSearch, CommandSpec, FindKeys, KeySpec},
    resp::writer::ReplyWriter,
};

use super::{by_full_name, full_name};
use crate::command::{args::Args, ctx::Ctx};

/// What describes one command: name, arity, flags, first key, last key, step, categories, tips, key specs, subcommands.
const FIELDS: usize = 10;

pub(super) fn all(ctx: &mut Ctx<'_, '_>) {
    ctx.reply.array(command::COUNT);
    for spec in command::all() {
        describe(&mut ctx.reply, None, spec);
    }
}

pub(super) fn info(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) {
    if args.len() == 2 {
        return all(ctx);
    }
    ctx.reply.array(args.len() - 2);
    for name in args.from(2) {
        match by_full_name(name) {
            Some((parent, spec)) => describe(&mut ctx.reply, parent, spec),
            None => ctx.reply.null_array(),
        }
    }
}

fn describe(reply: &mut ReplyWriter<'_>, parent: Option<&str>, spec: &CommandSpec) {
    reply.array(FIELDS);
    reply.bulk(full_name(parent, spec).as_bytes());
    reply.integer(i64::from(spec.arity));
    names(reply, spec.flags.reply_names());
    reply.integer(i64::from(spec.legacy_keys.first));
    reply.integer(i64::from(spec.legacy_keys.last));
    reply.integer(i64::from(spec.legacy_keys.step));
    names(reply, spec.acl.reply_names().map(|name| format!("@{name}")));
    reply.set(spec.tips.len());
    for tip in spec.tips {
        reply.bulk(tip.as_bytes());
    }
    reply.set(spec.keys.len());
    for keys in spec.keys {
        describe_keys(reply, keys);
    }
    reply.array(spec.subcommands.len());
    for subcommand in spec.subcommands {
        describe(reply, Some(spec.name), subcommand);
    }
}

/// A set of words.
pub(super) fn names(reply: &mut ReplyWriter<'_>, names: impl Iterator<Item = impl AsRef<str>>) {
    let open = reply.begin();
    let mut count = 0;
    for name in names {
        reply.simple(name.as_ref());
        count += 1;
    }
    reply.end_set(open, count);
}

fn describe_keys(reply: &mut ReplyWriter<'_>, keys: &KeySpec) {
    reply.map(3);
    reply.bulk(b"flags");
    names(reply, keys.access.reply_names());
    reply.bulk(b"begin_search");
    match keys.begin {
        BeginSearch::Index(index) => {
            rule(reply, "index", &[("index", index)]);
        }
        BeginSearch::Keyword { word, start_from } => {
            open_rule(reply, "keyword", 2);
            reply.bulk(b"keyword");
            reply.bulk(word.as_bytes());
            reply.bulk(b"startfrom");
            reply.integer(i64::from(start_from));
        }
        BeginSearch::Unknown => rule(reply, "unknown", &[]),
    }
    reply.bulk(b"find_keys");
    match keys.find {
        FindKeys::Range { last, step, limit } => {
            rule(reply, "range", &[("lastkey", last), ("keystep", step), ("limit", limit)]);
        }
        FindKeys::Count { count_at, first, step } => {
            rule(reply, "keynum", &[("keynumidx", count_at), ("firstkey", first), ("keystep", step)]);
        }
        FindKeys::Unknown => rule(reply, "unknown", &[]),
    }
}

fn open_rule(reply: &mut ReplyWriter<'_>, kind: &str, numbers: usize) {
    reply.map(2);
    reply.bulk(b"type");
    reply.bulk(kind.as_bytes());
    reply.bulk(b"spec");
    reply.map(numbers);
}

fn rule(reply: &mut ReplyWriter<'_>, kind: &str, numbers: &[(&str, i16)]) {
    open_rule(reply, kind, numbers.len());
    for (name, number) in numbers {
        reply.bulk(name.as_bytes());
        reply.integer(i64::from(*number));
    }
}
