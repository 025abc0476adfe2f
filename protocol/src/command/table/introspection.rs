//! The subcommands of COMMAND, CONFIG, LATENCY, MEMORY and SLOWLOG.

use crate::command::{AclCategories as C, CommandSpec, Flags as F, Group, KeyAccess as A, KeySpec as K};

const fn command(name: &'static str, arity: i16, since: &'static str) -> CommandSpec {
    CommandSpec::new(name, arity, Group::Server, since)
}

/// COMMAND's subcommands.
pub(super) const COMMAND: &[CommandSpec] = &[
    command("count", 2, "2.8.13")
        .flags(&[F::LOADING, F::STALE])
        .acl(&[C::CONNECTION])
        .docs("Counts the commands.", "O(1)"),
    command("docs", -2, "7.0.0")
        .flags(&[F::LOADING, F::STALE])
        .acl(&[C::CONNECTION])
        .tips(&["nondeterministic_output_order"])
        .docs("Explains commands.", "O(N) for N commands"),
    command("getkeys", -3, "2.8.13")
        .flags(&[F::LOADING, F::STALE])
        .acl(&[C::CONNECTION])
        .docs("Finds the keys in a command's arguments.", "O(N) for N arguments"),
    command("getkeysandflags", -3, "7.0.0")
        .flags(&[F::LOADING, F::STALE])
        .acl(&[C::CONNECTION])
        .docs("Finds the keys in a command's arguments, with what is done to them.", "O(N) for N arguments"),
    command("help", 2, "5.0.0")
        .flags(&[F::LOADING, F::STALE])
        .acl(&[C::CONNECTION])
        .docs("Explains the subcommands.", "O(1)"),
    command("info", -2, "2.8.13")
        .flags(&[F::LOADING, F::STALE])
        .acl(&[C::CONNECTION])
        .tips(&["nondeterministic_output_order"])
        .docs("Describes some commands, or all.", "O(N) for N commands"),
    command("list", -2, "7.0.0")
        .flags(&[F::LOADING, F::STALE])
        .acl(&[C::CONNECTION])
        .tips(&["nondeterministic_output_order"])
        .docs("Lists the commands' names, all or filtered.", "O(N) for N commands"),
];

/// CONFIG's subcommands.
pub(super) const CONFIG: &[CommandSpec] = &[
    command("get", -3, "2.0.0")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE])
        .docs("Answers the settings whose names match patterns.", "O(N*M) for N patterns and M settings"),
    command("help", 2, "5.0.0").flags(&[F::LOADING, F::STALE]).docs("Explains the subcommands.", "O(1)"),
    command("resetstat", 2, "2.0.0")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE])
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"])
        .docs("Puts the statistics of INFO back to zero.", "O(N) for N commands"),
    command("rewrite", 2, "2.8.0")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE])
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"])
        .docs("Writes the settings in force into the configuration file.", "O(N) for N settings"),
    command("set", -4, "2.0.0")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE, F::IDEMPOTENT])
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"])
        .docs("Changes settings while the server runs.", "O(N) for N settings"),
];

/// LATENCY's subcommands.
pub(super) const LATENCY: &[CommandSpec] = &[
    command("doctor", 2, "2.8.13")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE])
        .tips(&["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"])
        .docs("Explains in words what was slow and what may help.", "O(1)"),
    command("graph", 3, "2.8.13")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE])
        .tips(&["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"])
        .docs("Draws the slow events of a kind as text.", "O(1)"),
    command("help", 2, "2.8.13").flags(&[F::LOADING, F::STALE]).docs("Explains the subcommands.", "O(1)"),
    command("histogram", -2, "7.0.0")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE])
        .tips(&["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"])
        .docs("Answers how commands' run times are distributed.", "O(N) for N commands"),
    command("history", 3, "2.8.13")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE])
        .tips(&["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"])
        .docs("Lists when events of a kind were slow, and how slow.", "O(1)"),
    command("latest", 2, "2.8.13")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE])
        .tips(&["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"])
        .docs("Answers each kind's latest slow event.", "O(1)"),
    command("reset", -2, "2.8.13")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE])
        .tips(&["request_policy:all_nodes", "response_policy:agg_sum"])
        .docs("Forgets slow events, of some kinds or all.", "O(1)"),
];

/// MEMORY's subcommands.
pub(super) const MEMORY: &[CommandSpec] = &[
    command("doctor", 2, "4.0.0")
        .tips(&["nondeterministic_output", "request_policy:all_shards", "response_policy:special"])
        .docs("Explains in words what uses memory and what may help.", "O(1)"),
    command("help", 2, "4.0.0").flags(&[F::LOADING, F::STALE]).docs("Explains the subcommands.", "O(1)"),
    command("malloc-stats", 2, "4.0.0")
        .tips(&["nondeterministic_output", "request_policy:all_shards", "response_policy:special"])
        .docs("Answers the allocator's own report.", "By the allocator's state"),
    command("purge", 2, "4.0.0")
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"])
        .docs("Asks the allocator to give free memory back.", "By the allocator's state"),
    command("stats", 2, "4.0.0")
        .tips(&["nondeterministic_output", "request_policy:all_shards", "response_policy:special"])
        .docs("Reports what memory is used for.", "O(1)"),
    command("usage", -3, "4.0.0")
        .flags(&[F::READONLY, F::IDEMPOTENT])
        .keys(&[K::one(2, &[A::RO])])
        .docs("Estimates how many bytes a key and its value take.", "O(N) for N sampled elements"),
];

/// SLOWLOG's subcommands.
pub(super) const SLOWLOG: &[CommandSpec] = &[
    command("get", -2, "2.2.12")
        .flags(&[F::ADMIN, F::LOADING, F::STALE])
        .tips(&["request_policy:all_nodes", "nondeterministic_output"])
        .docs("Answers the newest entries of the slow log.", "O(N) for N entries"),
    command("help", 2, "6.2.0").flags(&[F::LOADING, F::STALE]).docs("Explains the subcommands.", "O(1)"),
    command("len", 2, "2.2.12")
        .flags(&[F::ADMIN, F::LOADING, F::STALE])
        .tips(&["request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"])
        .docs("Counts the entries of the slow log.", "O(1)"),
    command("reset", 2, "2.2.12")
        .flags(&[F::ADMIN, F::LOADING, F::STALE])
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"])
        .docs("Empties the slow log.", "O(N) for N entries"),
];
