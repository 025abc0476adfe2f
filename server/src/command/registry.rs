//! The command table with its handlers.

use std::sync::LazyLock;

use rondache_protocol::command::{self, CommandSpec};

use super::{CommandResult, args::Args, ctx::Ctx};

/// Executes one command.
pub type Handler = fn(&mut Ctx<'_, '_>, &Args<'_>) -> CommandResult;

/// A command that this server knows.
#[derive(Clone, Copy)]
pub struct Command {
    /// Its place in the command table.
    pub index: u16,
    /// Its table entry.
    pub spec: &'static CommandSpec,
    /// Its code.
    pub handler: Handler,
}

/// Handlers by the name in the command table.
pub type HandlerList = &'static [(&'static str, Handler)];

static COMMANDS: LazyLock<Box<[Option<Command>]>> = LazyLock::new(|| {
    let handlers: Vec<_> = super::FAMILIES.iter().flat_map(|list| list.iter()).collect();
    command::all()
        .zip(0..)
        .map(|(spec, index)| {
            let (_, handler) = handlers.iter().find(|(name, _)| *name == spec.name)?;
            Some(Command { index, spec, handler: *handler })
        })
        .collect()
});

/// The command with a dense index that [`command::lookup`] gave.
#[inline]
#[must_use]
pub fn by_index(index: u16) -> Option<&'static Command> {
    COMMANDS.get(usize::from(index))?.as_ref()
}

/// The command with this name, in any case, and its index.
#[must_use]
pub fn by_name(name: &[u8]) -> Option<(u16, &'static Command)> {
    let index = command::lookup(name)?;
    Some((index, by_index(index)?))
}

/// How many commands the table has: the size of arrays indexed by command.
#[must_use]
pub fn count() -> usize {
    COMMANDS.len()
}

/// The first slot of each command's subcommands, and behind the last command the end of all.
static SUBCOMMAND_SLOTS: LazyLock<Box<[u16]>> = LazyLock::new(|| {
    let mut next = count() as u16;
    let firsts = command::all().map(|spec| {
        let first = next;
        next += spec.subcommands.len() as u16;
        first
    });
    let mut slots: Vec<_> = firsts.collect();
    slots.push(next);
    slots.into()
});

/// How many slots counters need: one per command and one per subcommand.
#[must_use]
pub fn slots() -> usize {
    SUBCOMMAND_SLOTS.last().copied().map_or(0, usize::from)
}

/// The slot of the counters of a subcommand; that of the command itself where there is none of that name.
#[must_use]
pub fn subcommand_slot(index: u16, spec: &CommandSpec, name: &[u8]) -> u16 {
    match (spec.subcommand(name), SUBCOMMAND_SLOTS.get(usize::from(index))) {
        (Some((place, _)), Some(first)) => first + place as u16,
        _ => index,
    }
}

/// Every slot with the full name of what it counts, such as `config|get`. A command that has subcommands has a slot of
/// its own too, for calls that name none of them.
pub fn slot_names() -> impl Iterator<Item = (usize, String)> {
    let commands = command::all().enumerate().map(|(index, spec)| (index, spec.name.to_owned()));
    let subcommands = command::all()
        .flat_map(|spec| spec.subcommands.iter().map(|subcommand| format!("{}|{}", spec.name, subcommand.name)));
    commands.chain(subcommands.enumerate().map(|(place, name)| (count() + place, name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_entry_has_a_handler() {
        let missing: Vec<_> =
            command::all().zip(COMMANDS.iter()).filter(|(_, c)| c.is_none()).map(|(spec, _)| spec.name).collect();
        assert_eq!(missing, Vec::<&str>::new());
    }

    #[test]
    fn every_handler_has_a_table_entry() {
        for (name, _) in super::super::FAMILIES.iter().flat_map(|list| list.iter()) {
            assert!(command::lookup(name.as_bytes()).is_some(), "{name} is not in the command table");
        }
    }
}
