//! The command table: one entry per command, from which dispatch, arity errors, routing, ACL, `COMMAND`, the client and
//! the documentation are fed. Adding a command is one entry in the file of its family, and one handler.
//!
//! A command's place in the table is its *index*, a small dense number that arrays of handlers and counters can be
//! indexed by. It is stable within one build only: nodes name commands, they don't number them.

mod flags;
mod keys;
mod lookup;
mod spec;
mod table;

pub use flags::{AclCategories, Flags, Group};
pub use keys::{BeginSearch, FindKeys, KeyAccess, KeyAt, KeyFinder, KeySpec, KeysError, for_each_key, keys_of};
pub use lookup::lookup;
pub use spec::{CommandSpec, Deprecation, LegacyKeys};
pub use table::COUNT;

use table::COMMANDS;

/// All commands, in the order of their indices.
pub fn all() -> impl Iterator<Item = &'static CommandSpec> {
    COMMANDS.iter()
}

/// The command at an index that [`lookup`] gave.
///
/// # Panics
/// If the index is [`COUNT`] or above, which `lookup` never answers.
#[inline]
#[must_use]
pub fn spec(index: u16) -> &'static CommandSpec {
    &COMMANDS[usize::from(index)]
}

/// The index of a command, for constants: `const GET: u16 = command::index_of("get");`.
///
/// # Panics
/// If there is no such command, which in a constant fails the build. Use [`lookup`] for names that come from outside.
#[must_use]
pub const fn index_of(name: &str) -> u16 {
    table::index_of(name)
}

#[cfg(test)]
mod tests;
