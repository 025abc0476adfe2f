//! The connection itself.

use crate::command::{AclCategories as C, CommandSpec, Flags as F, Group};

const fn command(name: &'static str, arity: i16, since: &'static str) -> CommandSpec {
    CommandSpec::new(name, arity, Group::Connection, since)
}

/// The family's commands.
pub(super) const COMMANDS: &[CommandSpec] = &[
    command("auth", -2, "1.0.0")
        .flags(&[F::NOSCRIPT, F::LOADING, F::STALE, F::FAST, F::NO_AUTH, F::ALLOW_BUSY, F::IDEMPOTENT])
        .acl(&[C::CONNECTION])
        .docs("Proves who the client is, with a password.", "O(N) for a user of N passwords"),
    command("client", -2, "2.4.0")
        .docs("Holds the commands about connections.", "By subcommand")
        .subcommands(super::client::CLIENT),
    command("echo", 2, "1.0.0")
        .flags(&[F::LOADING, F::STALE, F::FAST, F::IDEMPOTENT])
        .acl(&[C::CONNECTION])
        .docs("Answers the given text.", "O(1)"),
    command("hello", -1, "6.0.0")
        .flags(&[F::NOSCRIPT, F::LOADING, F::STALE, F::FAST, F::NO_AUTH, F::ALLOW_BUSY, F::IDEMPOTENT])
        .acl(&[C::CONNECTION])
        .docs("Chooses the protocol's version, and may authenticate and name the connection.", "O(1)"),
    command("ping", -1, "1.0.0")
        .flags(&[F::FAST, F::IDEMPOTENT])
        .acl(&[C::CONNECTION])
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"])
        .docs("Answers PONG or the given text.", "O(1)"),
    command("quit", -1, "1.0.0")
        .flags(&[F::ALLOW_BUSY, F::NOSCRIPT, F::LOADING, F::STALE, F::FAST, F::NO_AUTH])
        .acl(&[C::CONNECTION])
        .deprecated("7.2.0", "closing the connection")
        .docs("Closes the connection.", "O(1)"),
    command("reset", 1, "6.2.0")
        .flags(&[F::NOSCRIPT, F::LOADING, F::STALE, F::FAST, F::NO_AUTH, F::ALLOW_BUSY])
        .acl(&[C::CONNECTION])
        .docs("Puts the connection back to how it began.", "O(1)"),
    command("select", 2, "1.0.0")
        .flags(&[F::LOADING, F::STALE, F::FAST, F::IDEMPOTENT])
        .acl(&[C::CONNECTION])
        .docs("Chooses the connection's database.", "O(1)"),
];
