//! Keys of any type.

use crate::command::{AclCategories as C, CommandSpec, Flags as F, Group, KeyAccess as A, KeyFinder, KeySpec as K};

const fn command(name: &'static str, arity: i16, since: &'static str) -> CommandSpec {
    CommandSpec::new(name, arity, Group::Generic, since)
}

/// The family's commands.
pub(super) const COMMANDS: &[CommandSpec] = &[
    command("copy", -3, "6.2.0")
        .flags(&[F::WRITE, F::DENYOOM])
        .acl(&[C::KEYSPACE])
        .keys(&[K::one(1, &[A::RO, A::ACCESS]), K::one(2, &[A::OW, A::UPDATE])])
        .docs("Stores a copy of a key's value under another key.", "O(N) for a value of N elements, O(1) for a string"),
    command("del", -2, "1.0.0")
        .flags(&[F::WRITE, F::IDEMPOTENT])
        .acl(&[C::KEYSPACE])
        .keys(&[K::run(1, -1, 1, &[A::RM, A::DELETE])])
        .tips(&["request_policy:multi_shard", "response_policy:agg_sum"])
        .docs("Removes keys and answers how many there were.", "O(N) for N keys, plus their elements"),
    command("dump", 2, "2.6.0")
        .flags(&[F::READONLY, F::IDEMPOTENT])
        .acl(&[C::KEYSPACE])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .tips(&["nondeterministic_output"])
        .docs("Answers a key's value in a serialized form that RESTORE reads.", "O(N) for a value of N bytes"),
    command("exists", -2, "1.0.0")
        .flags(&[F::READONLY, F::FAST, F::IDEMPOTENT])
        .acl(&[C::KEYSPACE])
        .keys(&[K::run(1, -1, 1, &[A::RO])])
        .tips(&["request_policy:multi_shard", "response_policy:agg_sum"])
        .docs("Counts how many of the given keys exist; one that is named twice counts twice.", "O(N) for N keys"),
    command("keys", 2, "1.0.0")
        .flags(&[F::READONLY, F::IDEMPOTENT, F::WHOLE_KEYSPACE])
        .acl(&[C::KEYSPACE, C::DANGEROUS])
        .tips(&["request_policy:all_shards", "nondeterministic_output_order"])
        .docs("Lists the keys whose names match a pattern.", "O(N) for a keyspace of N keys"),
    command("move", 3, "1.0.0")
        .flags(&[F::WRITE, F::FAST])
        .acl(&[C::KEYSPACE])
        .keys(&[K::one(1, &[A::RW, A::ACCESS, A::UPDATE])])
        .docs("Moves a key to another database.", "O(1)"),
    command("object", -2, "2.2.3")
        .docs("Holds the commands that look into how a value is stored.", "By subcommand")
        .subcommands(OBJECT),
    command("randomkey", 1, "1.0.0")
        .flags(&[F::READONLY, F::TOUCHES_ARBITRARY_KEYS, F::IDEMPOTENT, F::WHOLE_KEYSPACE])
        .acl(&[C::KEYSPACE])
        .tips(&["request_policy:all_shards", "response_policy:special", "nondeterministic_output"])
        .docs("Names one of the keys, drawn at random.", "O(1)"),
    command("rename", 3, "1.0.0")
        .flags(&[F::WRITE])
        .acl(&[C::KEYSPACE])
        .keys(&[K::one(1, &[A::RW, A::ACCESS, A::DELETE]), K::one(2, &[A::OW, A::UPDATE])])
        .docs("Gives a key another name, replacing what stood there.", "O(1), plus removing what stood there"),
    command("renamenx", 3, "1.0.0")
        .flags(&[F::WRITE, F::FAST])
        .acl(&[C::KEYSPACE])
        .keys(&[K::one(1, &[A::RW, A::ACCESS, A::DELETE]), K::one(2, &[A::OW, A::INSERT])])
        .docs("Gives a key another name unless that one is taken.", "O(1)"),
    command("restore", -4, "2.6.0")
        .flags(&[F::WRITE, F::DENYOOM])
        .acl(&[C::KEYSPACE, C::DANGEROUS])
        .keys(&[K::one(1, &[A::OW, A::UPDATE])])
        .docs("Creates a key from a value that DUMP serialized.", "O(N*log(N)) at worst for a value of N elements"),
    command("scan", -2, "2.8.0")
        .flags(&[F::READONLY, F::TOUCHES_ARBITRARY_KEYS, F::IDEMPOTENT, F::WHOLE_KEYSPACE])
        .acl(&[C::KEYSPACE])
        .tips(&["nondeterministic_output", "request_policy:special", "response_policy:special"])
        .docs("Walks the keys a few at a time, with a cursor.", "O(1) a call, O(N) for a walk over N keys"),
    command("sort", -2, "1.0.0")
        .flags(&[F::WRITE, F::DENYOOM, F::WHOLE_KEYSPACE])
        .acl(&[C::SET, C::SORTEDSET, C::LIST, C::DANGEROUS])
        .keys(&[K::one(1, &[A::RO, A::ACCESS]), K::unknown(&[A::RO, A::ACCESS]), K::unknown(&[A::OW, A::UPDATE])])
        .finder(KeyFinder::Sort)
        .docs(
            "Sorts the elements of a list, a set or a sorted set, and answers or stores them.",
            "O(N+M*log(M)) for N elements of which M are answered",
        ),
    command("sort_ro", -2, "7.0.0")
        .flags(&[F::READONLY, F::IDEMPOTENT, F::WHOLE_KEYSPACE])
        .acl(&[C::SET, C::SORTEDSET, C::LIST, C::DANGEROUS])
        .keys(&[K::one(1, &[A::RO, A::ACCESS]), K::unknown(&[A::RO, A::ACCESS])])
        .docs(
            "Sorts the elements of a list, a set or a sorted set and answers them.",
            "O(N+M*log(M)) for N elements of which M are answered",
        ),
    command("touch", -2, "3.2.1")
        .flags(&[F::READONLY, F::FAST, F::IDEMPOTENT])
        .acl(&[C::KEYSPACE])
        .keys(&[K::run(1, -1, 1, &[A::RO])])
        .tips(&["request_policy:multi_shard", "response_policy:agg_sum"])
        .docs("Marks keys as just used and answers how many exist.", "O(N) for N keys"),
    command("type", 2, "1.0.0")
        .flags(&[F::READONLY, F::FAST, F::IDEMPOTENT])
        .acl(&[C::KEYSPACE])
        .keys(&[K::one(1, &[A::RO])])
        .docs("Names the type of a key's value.", "O(1)"),
    command("unlink", -2, "4.0.0")
        .flags(&[F::WRITE, F::FAST, F::IDEMPOTENT])
        .acl(&[C::KEYSPACE])
        .keys(&[K::run(1, -1, 1, &[A::RM, A::DELETE])])
        .tips(&["request_policy:multi_shard", "response_policy:agg_sum"])
        .docs(
            "Removes keys, freeing large values in the background.",
            "O(1) a key, then O(N) in the background for N elements",
        ),
    command("wait", 3, "3.0.0")
        .flags(&[F::BLOCKING])
        .acl(&[C::CONNECTION])
        .tips(&["request_policy:all_shards", "response_policy:agg_min"])
        .docs("Waits until so many replicas have this connection's writes.", "O(1)"),
];

/// The subcommands of OBJECT.
const OBJECT: &[CommandSpec] = &[
    command("encoding", 3, "2.2.3")
        .flags(&[F::READONLY, F::IDEMPOTENT])
        .acl(&[C::KEYSPACE])
        .keys(&[K::one(2, &[A::RO])])
        .tips(&["nondeterministic_output"])
        .docs("Names the way a value is laid out in memory.", "O(1)"),
    command("freq", 3, "4.0.0")
        .flags(&[F::READONLY, F::IDEMPOTENT])
        .acl(&[C::KEYSPACE])
        .keys(&[K::one(2, &[A::RO])])
        .tips(&["nondeterministic_output"])
        .docs("Answers how often a key was used lately, on a logarithmic scale.", "O(1)"),
    command("help", 2, "6.2.0")
        .flags(&[F::LOADING, F::STALE])
        .acl(&[C::KEYSPACE])
        .docs("Explains the subcommands.", "O(1)"),
    command("idletime", 3, "2.2.3")
        .flags(&[F::READONLY, F::IDEMPOTENT])
        .acl(&[C::KEYSPACE])
        .keys(&[K::one(2, &[A::RO])])
        .tips(&["nondeterministic_output"])
        .docs("Answers for how many seconds a key hasn't been used.", "O(1)"),
    command("refcount", 3, "2.2.3")
        .flags(&[F::READONLY, F::IDEMPOTENT])
        .acl(&[C::KEYSPACE])
        .keys(&[K::one(2, &[A::RO])])
        .tips(&["nondeterministic_output"])
        .docs("Answers how many references to a value there are.", "O(1)"),
];
