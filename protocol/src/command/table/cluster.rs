//! The cluster: what cluster clients ask, what operators want to know, and the commands that Redis has for building a ring by hand,
//! which are in the table so that they can be answered with what to do instead.

use crate::command::{AclCategories as C, CommandSpec, Flags as F, Group};

const fn command(name: &'static str, arity: i16, since: &'static str) -> CommandSpec {
    CommandSpec::new(name, arity, Group::Cluster, since)
}

/// The family's commands.
pub(super) const COMMANDS: &[CommandSpec] = &[
    command("asking", 1, "3.0.0")
        .flags(&[F::FAST, F::IDEMPOTENT])
        .acl(&[C::CONNECTION])
        .docs("Accepted and without effect: no slot is ever half moved.", "O(1)"),
    command("cluster", -2, "3.0.0")
        .flags(&[F::WHOLE_KEYSPACE])
        .docs("Holds the commands about the cluster.", "By subcommand")
        .subcommands(CLUSTER),
    command("readonly", 1, "3.0.0")
        .flags(&[F::FAST, F::LOADING, F::STALE, F::IDEMPOTENT])
        .acl(&[C::CONNECTION])
        .docs("Lets copies answer the connection's reads on the redirect port.", "O(1)"),
    command("readwrite", 1, "3.0.0")
        .flags(&[F::FAST, F::LOADING, F::STALE, F::IDEMPOTENT])
        .acl(&[C::CONNECTION])
        .docs("Takes READONLY back.", "O(1)"),
    command("role", 1, "2.8.12")
        .flags(&[F::NOSCRIPT, F::LOADING, F::STALE, F::FAST, F::IDEMPOTENT])
        .acl(&[C::ADMIN, C::DANGEROUS])
        .docs("Answers that the node is a master, and which nodes hold copies of what it owns.", "O(N) for N nodes"),
];

/// Changes a ring by hand, in Redis.
const BY_HAND: &[F] = &[F::NO_ASYNC_LOADING, F::ADMIN, F::STALE];

const REFUSED: &str = "Refused, with what to do instead.";

const CLUSTER: &[CommandSpec] = &[
    command("addslots", -3, "3.0.0").flags(BY_HAND).docs(REFUSED, "O(1)"),
    command("addslotsrange", -4, "7.0.0").flags(BY_HAND).docs(REFUSED, "O(1)"),
    command("bumpepoch", 2, "3.0.0").flags(BY_HAND).docs(REFUSED, "O(1)"),
    command("count-failure-reports", 3, "3.0.0")
        .flags(&[F::ADMIN, F::STALE])
        .tips(&["nondeterministic_output"])
        .docs("Answers 1 for a member that is suspected or dead, else 0.", "O(N) for N nodes"),
    command("countkeysinslot", 3, "3.0.0")
        .flags(&[F::STALE])
        .docs("Counts the keys in a slot.", "O(N) for N keys in a shard"),
    command("delslots", -3, "3.0.0").flags(BY_HAND).docs(REFUSED, "O(1)"),
    command("delslotsrange", -4, "7.0.0").flags(BY_HAND).docs(REFUSED, "O(1)"),
    command("failover", -2, "3.0.0").flags(BY_HAND).docs(REFUSED, "O(1)"),
    command("flushslots", 2, "3.0.0").flags(BY_HAND).docs(REFUSED, "O(1)"),
    command("forget", -3, "3.0.0").flags(BY_HAND).docs(REFUSED, "O(1)"),
    command("getkeysinslot", 4, "3.0.0")
        .flags(&[F::STALE])
        .tips(&["nondeterministic_output"])
        .docs("Lists keys in a slot.", "O(N) for N keys in a shard"),
    command("help", 2, "5.0.0").flags(&[F::LOADING, F::STALE]).docs("Explains the subcommands.", "O(1)"),
    command("info", 2, "3.0.0")
        .flags(&[F::LOADING, F::STALE])
        .tips(&["nondeterministic_output"])
        .docs("Reports on the cluster's state.", "O(1)"),
    command("keyslot", 3, "3.0.0").flags(&[F::STALE]).docs("Answers the slot of a key.", "O(N) for N bytes of the key"),
    command("leave", 2, "7.4.0")
        .flags(&[F::ADMIN, F::STALE, F::NOSCRIPT])
        .docs("Lets the node give its slots to others, and end (an extension).", "O(1)"),
    command("links", 2, "7.0.0")
        .flags(&[F::STALE])
        .tips(&["nondeterministic_output"])
        .docs("Lists the connections between this node and others.", "O(N) for N nodes"),
    command("meet", -4, "3.0.0").flags(BY_HAND).docs(REFUSED, "O(1)"),
    command("myid", 2, "3.0.0").flags(&[F::LOADING, F::STALE]).docs("Answers the node's id.", "O(1)"),
    command("myshardid", 2, "7.2.0")
        .flags(&[F::LOADING, F::STALE])
        .tips(&["nondeterministic_output"])
        .docs("Answers the id of the node's shard, of which it is the only master.", "O(1)"),
    command("nodes", 2, "3.0.0")
        .flags(&[F::LOADING, F::STALE])
        .tips(&["nondeterministic_output"])
        .docs("Lists the nodes with their slots, as text.", "O(N) for N nodes"),
    command("replicas", 3, "5.0.0")
        .flags(&[F::ADMIN, F::STALE])
        .tips(&["nondeterministic_output"])
        .docs("Lists the nodes that do nothing but copy one: there are none.", "O(N) for N nodes"),
    command("replicate", -3, "3.0.0").flags(BY_HAND).docs(REFUSED, "O(1)"),
    command("reset", -2, "3.0.0").flags(&[F::ADMIN, F::STALE, F::NOSCRIPT]).docs(REFUSED, "O(1)"),
    command("saveconfig", 2, "3.0.0").flags(BY_HAND).docs(REFUSED, "O(1)"),
    command("set-config-epoch", 3, "3.0.0").flags(BY_HAND).docs(REFUSED, "O(1)"),
    command("setslot", -4, "3.0.0").flags(BY_HAND).docs(REFUSED, "O(1)"),
    command("shards", 2, "7.0.0")
        .flags(&[F::LOADING, F::STALE])
        .tips(&["nondeterministic_output"])
        .docs("Lists the owners with their slots and how they are doing.", "O(N) for N nodes"),
    command("slaves", 3, "3.0.0")
        .flags(&[F::ADMIN, F::STALE])
        .tips(&["nondeterministic_output"])
        .deprecated("5.0.0", "`CLUSTER REPLICAS`")
        .docs("An older name of CLUSTER REPLICAS.", "O(N) for N nodes"),
    command("slot-stats", -4, "8.0.0")
        .flags(&[F::LOADING, F::STALE])
        .tips(&["nondeterministic_output", "request_policy:all_shards"])
        .docs("Counts the keys of slots that the node owns.", "O(N) for N keys"),
    command("slots", 2, "3.0.0")
        .flags(&[F::LOADING, F::STALE])
        .tips(&["nondeterministic_output"])
        .docs("Lists who holds which slots.", "O(N) for N runs of slots"),
    command("status", 2, "7.4.0")
        .flags(&[F::LOADING, F::STALE])
        .tips(&["nondeterministic_output"])
        .docs("Answers all that the node knows of the cluster, as JSON (an extension).", "O(N) for N runs of slots"),
    command("weight", -2, "7.4.0")
        .flags(&[F::ADMIN, F::STALE, F::NOSCRIPT])
        .docs("Answers or changes the node's weight (an extension).", "O(1)"),
];
