//! The command table with its handlers.

use std::sync::LazyLock;

use rondache_protocol::command::{self, CommandSpec};

use super::{CommandResult, args::Args, ctx::Ctx};

/// Executes one command.
pub type Handler = fn(&mut Ctx<'_, '_>, &Args<'_>) -> CommandResult;

/// A command that this server knows.
#[derive(Clone, Copy)]
pub struct Command {
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
        .map(|spec| {
            let (_, handler) = handlers.iter().find(|(name, _)| *name == spec.name)?;
            Some(Command { spec, handler: *handler })
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
