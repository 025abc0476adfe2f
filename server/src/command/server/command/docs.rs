//! COMMAND DOCS.

use rondache_protocol::{
    command::{self, CommandSpec},
    resp::writer::ReplyWriter,
};

use super::{by_full_name, describe::names, full_name};
use crate::command::{args::Args, ctx::Ctx};

pub(super) fn docs(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) {
    let open = ctx.reply.begin();
    let mut count = 0;
    if args.len() == 2 {
        for spec in command::all() {
            explain(&mut ctx.reply, None, spec);
            count += 1;
        }
    }
    // Names that no command has are passed over.
    for (parent, spec) in args.from(2).filter_map(by_full_name) {
        explain(&mut ctx.reply, parent, spec);
        count += 1;
    }
    ctx.reply.end_map(open, count);
}

fn explain(reply: &mut ReplyWriter<'_>, parent: Option<&str>, spec: &CommandSpec) {
    reply.bulk(full_name(parent, spec).as_bytes());
    let mut texts = vec![("summary", spec.summary), ("since", spec.since), ("group", spec.group.name())];
    if !spec.complexity.is_empty() {
        texts.push(("complexity", spec.complexity));
    }
    let pairs = texts.len() + spec.deprecated.map_or(0, |_| 3) + usize::from(!spec.subcommands.is_empty());
    reply.map(pairs);
    for (name, text) in texts {
        reply.bulk(name.as_bytes());
        reply.bulk(text.as_bytes());
    }
    if let Some(deprecated) = spec.deprecated {
        reply.bulk(b"doc_flags");
        names(reply, ["deprecated"].into_iter());
        for (name, text) in [("deprecated_since", deprecated.since), ("replaced_by", deprecated.replaced_by)] {
            reply.bulk(name.as_bytes());
            reply.bulk(text.as_bytes());
        }
    }
    if !spec.subcommands.is_empty() {
        reply.bulk(b"subcommands");
        reply.map(spec.subcommands.len());
        for subcommand in spec.subcommands {
            explain(reply, Some(spec.name), subcommand);
        }
    }
}
