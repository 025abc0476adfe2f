//! The subcommands of CLIENT.

use crate::command::{AclCategories as C, CommandSpec, Flags as F, Group};

const fn command(name: &'static str, arity: i16, since: &'static str) -> CommandSpec {
    CommandSpec::new(name, arity, Group::Connection, since)
}

/// CLIENT's subcommands.
pub(super) const CLIENT: &[CommandSpec] = &[
    command("caching", 3, "6.0.0")
        .flags(&[F::NOSCRIPT, F::LOADING, F::STALE])
        .acl(&[C::CONNECTION])
        .docs("Chooses for the next command whether its keys are tracked.", "O(1)"),
    command("capa", -3, "8.0.0")
        .flags(&[F::NOSCRIPT, F::LOADING, F::STALE])
        .acl(&[C::CONNECTION])
        .docs("Tells the server what the client is able to do.", "O(N) for N capabilities"),
    command("getname", 2, "2.6.9")
        .flags(&[F::NOSCRIPT, F::LOADING, F::STALE])
        .acl(&[C::CONNECTION])
        .docs("Answers the connection's name.", "O(1)"),
    command("getredir", 2, "6.0.0")
        .flags(&[F::NOSCRIPT, F::LOADING, F::STALE])
        .acl(&[C::CONNECTION])
        .docs("Answers which connection invalidations go to.", "O(1)"),
    command("help", 2, "5.0.0")
        .flags(&[F::LOADING, F::STALE])
        .acl(&[C::CONNECTION])
        .docs("Explains the subcommands.", "O(1)"),
    command("id", 2, "5.0.0")
        .flags(&[F::NOSCRIPT, F::LOADING, F::STALE])
        .acl(&[C::CONNECTION])
        .docs("Answers the connection's number.", "O(1)"),
    command("info", 2, "6.2.0")
        .flags(&[F::NOSCRIPT, F::LOADING, F::STALE])
        .acl(&[C::CONNECTION])
        .tips(&["nondeterministic_output"])
        .docs("Describes the connection.", "O(1)"),
    command("kill", -3, "2.4.0")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE])
        .acl(&[C::CONNECTION])
        .docs("Closes connections.", "O(N) for N connections"),
    command("list", -2, "2.4.0")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE])
        .acl(&[C::CONNECTION])
        .tips(&["nondeterministic_output"])
        .docs("Describes all connections, or some of them.", "O(N) for N connections"),
    command("no-evict", 3, "7.0.0")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE])
        .acl(&[C::CONNECTION])
        .docs("Protects the connection from being closed to save memory, or ends that.", "O(1)"),
    command("no-touch", 3, "7.2.0")
        .flags(&[F::NOSCRIPT, F::LOADING, F::STALE])
        .acl(&[C::CONNECTION])
        .docs("Chooses whether this connection's reads count as use of the keys.", "O(1)"),
    command("pause", -3, "3.0.0")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE])
        .acl(&[C::CONNECTION])
        .docs("Holds back all clients' commands for a while.", "O(1)"),
    command("reply", 3, "3.2.0")
        .flags(&[F::NOSCRIPT, F::LOADING, F::STALE])
        .acl(&[C::CONNECTION])
        .docs("Chooses whether the connection gets replies.", "O(1)"),
    command("setinfo", 4, "7.2.0")
        .flags(&[F::NOSCRIPT, F::LOADING, F::STALE, F::IDEMPOTENT])
        .acl(&[C::CONNECTION])
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"])
        .docs("Notes the name or version of the client's library.", "O(1)"),
    command("setname", 3, "2.6.9")
        .flags(&[F::NOSCRIPT, F::LOADING, F::STALE, F::IDEMPOTENT])
        .acl(&[C::CONNECTION])
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"])
        .docs("Gives the connection a name.", "O(1)"),
    command("tracking", -3, "6.0.0")
        .flags(&[F::NOSCRIPT, F::LOADING, F::STALE])
        .acl(&[C::CONNECTION])
        .docs("Chooses whether the connection is told when keys it has read change.", "O(1), more with many prefixes"),
    command("trackinginfo", 2, "6.2.0")
        .flags(&[F::NOSCRIPT, F::LOADING, F::STALE])
        .acl(&[C::CONNECTION])
        .docs("Describes what is tracked for the connection.", "O(1)"),
    command("unblock", -3, "5.0.0")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE])
        .acl(&[C::CONNECTION])
        .docs("Ends another connection's waiting.", "O(1)"),
    command("unpause", 2, "6.2.0")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE])
        .acl(&[C::CONNECTION])
        .docs("Ends a pause.", "O(N) for N waiting clients"),
];
