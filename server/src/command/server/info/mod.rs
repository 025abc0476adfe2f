//! INFO: a report on the node, in sections, a file per group of sections.

mod clients;
mod commands;
mod cpu;
mod keyspace;
mod memory;
mod roles;
mod server;
mod stats;

use std::fmt::{Display, Write as _};

pub(super) use memory::{Figures, ratio};

use crate::command::{CommandResult, args::Args, ctx::Ctx};

/// Writes one section.
type Section = fn(&mut Report, &mut Ctx<'_, '_>);

/// The sections in their order: name, title, and whether INFO shows it when not asked for it.
const SECTIONS: [(&str, &str, bool, Section); 13] = [
    ("server", "Server", true, server::server),
    ("clients", "Clients", true, clients::clients),
    ("memory", "Memory", true, memory::memory),
    ("persistence", "Persistence", true, roles::persistence),
    ("stats", "Stats", true, stats::stats),
    ("replication", "Replication", true, roles::replication),
    ("cpu", "CPU", true, cpu::cpu),
    ("modules", "Modules", true, roles::modules),
    ("commandstats", "Commandstats", false, commands::commandstats),
    ("errorstats", "Errorstats", true, commands::errorstats),
    ("latencystats", "Latencystats", false, commands::latencystats),
    ("cluster", "Cluster", true, roles::cluster),
    ("keyspace", "Keyspace", true, keyspace::keyspace),
];

/// The text of a report.
#[derive(Debug, Default)]
struct Report {
    text: String,
}

impl Report {
    fn title(&mut self, title: &str) {
        let gap = if self.text.is_empty() { "" } else { "\r\n" };
        self.line(format_args!("{gap}# {title}"));
    }

    fn field(&mut self, name: &str, value: impl Display) {
        self.line(format_args!("{name}:{value}"));
    }

    fn line(&mut self, line: impl Display) {
        // Writing to a String cannot fail.
        let _ = write!(self.text, "{line}\r\n");
    }
}

/// `INFO [section …]`
pub(super) fn info(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let asked = |word: &str| args.from(1).any(|arg| arg.eq_ignore_ascii_case(word.as_bytes()));
    let is_all = asked("all") || asked("everything");
    let is_default = args.len() == 1 || asked("default");
    let mut report = Report::default();
    for (name, title, by_default, write) in SECTIONS {
        if is_all || is_default && by_default || asked(name) {
            report.title(title);
            write(&mut report, ctx);
        }
    }
    ctx.reply.verbatim(*b"txt", report.text.as_bytes());
    Ok(())
}
