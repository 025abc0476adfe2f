//! The server itself.

use crate::command::{AclCategories as C, CommandSpec, Flags as F, Group};

const fn command(name: &'static str, arity: i16, since: &'static str) -> CommandSpec {
    CommandSpec::new(name, arity, Group::Server, since)
}

/// The family's commands.
pub(super) const COMMANDS: &[CommandSpec] = &[
    command("command", -1, "2.8.13")
        .flags(&[F::LOADING, F::STALE])
        .acl(&[C::CONNECTION])
        .tips(&["nondeterministic_output_order"])
        .docs("Describes all commands, and holds the commands about commands.", "O(N) for N commands")
        .subcommands(super::introspection::COMMAND),
    command("config", -2, "2.0.0")
        .docs("Holds the commands about settings.", "By subcommand")
        .subcommands(super::introspection::CONFIG),
    command("dbsize", 1, "1.0.0")
        .flags(&[F::READONLY, F::FAST, F::IDEMPOTENT, F::WHOLE_KEYSPACE])
        .acl(&[C::KEYSPACE])
        .tips(&["request_policy:all_shards", "response_policy:agg_sum"])
        .docs("Counts the keys of the database.", "O(1)"),
    command("debug", -2, "1.0.0")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE, F::WHOLE_KEYSPACE])
        .docs("Holds what tests need to look and reach inside the server.", "By subcommand"),
    command("flushall", -1, "1.0.0")
        .flags(&[F::WRITE, F::IDEMPOTENT, F::WHOLE_KEYSPACE])
        .acl(&[C::KEYSPACE, C::DANGEROUS])
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"])
        .docs("Removes all keys of all databases.", "O(N) for N keys"),
    command("flushdb", -1, "1.0.0")
        .flags(&[F::WRITE, F::IDEMPOTENT, F::WHOLE_KEYSPACE])
        .acl(&[C::KEYSPACE, C::DANGEROUS])
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"])
        .docs("Removes all keys of the database.", "O(N) for N keys"),
    command("info", -1, "1.0.0")
        .flags(&[F::LOADING, F::STALE, F::IDEMPOTENT])
        .acl(&[C::DANGEROUS])
        .tips(&["nondeterministic_output", "request_policy:all_shards", "response_policy:special"])
        .docs("Reports on the server, in sections.", "O(1)"),
    command("latency", -2, "2.8.13")
        .docs("Holds the commands about slow events.", "By subcommand")
        .subcommands(super::introspection::LATENCY),
    command("lolwut", -1, "5.0.0")
        .flags(&[F::READONLY, F::FAST, F::IDEMPOTENT])
        .docs("Draws something, and tells the version.", "O(1)"),
    command("memory", -2, "4.0.0")
        .docs("Holds the commands about memory.", "By subcommand")
        .subcommands(super::introspection::MEMORY),
    command("monitor", 1, "1.0.0")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE])
        .docs("Shows each command that the server runs, as it runs it.", "O(1)"),
    command("shutdown", -1, "1.0.0")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE, F::NO_MULTI, F::ALLOW_BUSY])
        .docs("Stops the server.", "O(1)"),
    command("slowlog", -2, "2.2.12")
        .docs("Holds the commands about the log of slow commands.", "By subcommand")
        .subcommands(super::introspection::SLOWLOG),
    command("swapdb", 3, "4.0.0")
        .flags(&[F::WRITE, F::FAST, F::WHOLE_KEYSPACE])
        .acl(&[C::KEYSPACE, C::DANGEROUS])
        .docs("Lets two databases change places.", "O(N) for N clients that watch or wait for their keys"),
    command("time", 1, "2.6.0")
        .flags(&[F::LOADING, F::STALE, F::FAST, F::IDEMPOTENT])
        .tips(&["nondeterministic_output"])
        .docs("Answers the server's clock: seconds since 1970, and microseconds.", "O(1)"),
];
