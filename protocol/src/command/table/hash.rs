//! Hashes.

use crate::command::{AclCategories as C, CommandSpec, Flags as F, Group, KeyAccess as A, KeySpec as K};

const fn command(name: &'static str, arity: i16, since: &'static str) -> CommandSpec {
    CommandSpec::new(name, arity, Group::Hash, since)
}

/// The family's commands.
pub(super) const COMMANDS: &[CommandSpec] = &[
    command("hdel", -3, "2.0.0")
        .flags(&[F::WRITE, F::FAST])
        .acl(&[C::HASH])
        .keys(&[K::one(1, &[A::RW, A::DELETE])])
        .docs("Removes fields from a hash, and the hash with its last field.", "O(N) for N fields"),
    command("hexists", 3, "2.0.0")
        .flags(&[F::READONLY, F::FAST, F::IDEMPOTENT])
        .acl(&[C::HASH])
        .keys(&[K::one(1, &[A::RO])])
        .docs("Tells whether a hash has a field.", "O(1)"),
    command("hexpireat", -6, "7.4.0")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST, F::IDEMPOTENT])
        .acl(&[C::HASH])
        .keys(&[K::one(1, &[A::RW, A::UPDATE])])
        .docs("Lets fields of a hash live until a point in time, in seconds since 1970.", "O(N) for N fields"),
    command("hexpire", -6, "7.4.0")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST, F::IDEMPOTENT])
        .acl(&[C::HASH])
        .keys(&[K::one(1, &[A::RW, A::UPDATE])])
        .docs("Lets fields of a hash live for so many seconds more.", "O(N) for N fields"),
    command("hexpiretime", -5, "7.4.0")
        .flags(&[F::READONLY, F::FAST, F::IDEMPOTENT])
        .acl(&[C::HASH])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .docs("Answers when fields of a hash expire, in seconds since 1970.", "O(N) for N fields"),
    command("hget", 3, "2.0.0")
        .flags(&[F::READONLY, F::FAST, F::IDEMPOTENT])
        .acl(&[C::HASH])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .docs("Answers one field of a hash.", "O(1)"),
    command("hgetall", 2, "2.0.0")
        .flags(&[F::READONLY, F::IDEMPOTENT])
        .acl(&[C::HASH])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .tips(&["nondeterministic_output_order"])
        .docs("Answers all fields of a hash with their values.", "O(N) for N fields"),
    command("hgetdel", -5, "8.0.0")
        .flags(&[F::WRITE, F::FAST])
        .acl(&[C::HASH])
        .keys(&[K::one(1, &[A::RW, A::ACCESS, A::DELETE])])
        .docs("Answers fields of a hash and removes them.", "O(N) for N fields"),
    command("hgetex", -5, "8.0.0")
        .flags(&[F::WRITE, F::FAST])
        .acl(&[C::HASH])
        .keys(&[K::one(1, &[A::RW, A::ACCESS, A::UPDATE])])
        .docs("Answers fields of a hash and sets or lifts their deadlines.", "O(N) for N fields"),
    command("hincrby", 4, "2.0.0")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST])
        .acl(&[C::HASH])
        .keys(&[K::one(1, &[A::RW, A::ACCESS, A::UPDATE])])
        .docs("Adds a number to the integer in a field of a hash; a missing field counts as 0.", "O(1)"),
    command("hincrbyfloat", 4, "2.6.0")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST])
        .acl(&[C::HASH])
        .keys(&[K::one(1, &[A::RW, A::ACCESS, A::UPDATE])])
        .docs("Adds a fraction to the number in a field of a hash; a missing field counts as 0.", "O(1)"),
    command("hkeys", 2, "2.0.0")
        .flags(&[F::READONLY, F::IDEMPOTENT])
        .acl(&[C::HASH])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .tips(&["nondeterministic_output_order"])
        .docs("Lists the fields of a hash.", "O(N) for N fields"),
    command("hlen", 2, "2.0.0")
        .flags(&[F::READONLY, F::FAST, F::IDEMPOTENT])
        .acl(&[C::HASH])
        .keys(&[K::one(1, &[A::RO])])
        .docs("Counts the fields of a hash.", "O(1)"),
    command("hmget", -3, "2.0.0")
        .flags(&[F::READONLY, F::FAST, F::IDEMPOTENT])
        .acl(&[C::HASH])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .docs("Answers several fields of a hash, in their order.", "O(N) for N fields"),
    command("hmset", -4, "2.0.0")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST, F::IDEMPOTENT])
        .acl(&[C::HASH])
        .keys(&[K::one(1, &[A::RW, A::UPDATE])])
        .deprecated("4.0.0", "`HSET`")
        .docs("Stores several fields of a hash: the old form of HSET.", "O(N) for N fields"),
    command("hpersist", -5, "7.4.0")
        .flags(&[F::WRITE, F::FAST])
        .acl(&[C::HASH])
        .keys(&[K::one(1, &[A::RW, A::UPDATE])])
        .docs("Lifts the deadlines of fields of a hash.", "O(N) for N fields"),
    command("hpexpire", -6, "7.4.0")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST, F::IDEMPOTENT])
        .acl(&[C::HASH])
        .keys(&[K::one(1, &[A::RW, A::UPDATE])])
        .docs("Lets fields of a hash live for so many milliseconds more.", "O(N) for N fields"),
    command("hpexpireat", -6, "7.4.0")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST, F::IDEMPOTENT])
        .acl(&[C::HASH])
        .keys(&[K::one(1, &[A::RW, A::UPDATE])])
        .docs("Lets fields of a hash live until a point in time, in milliseconds since 1970.", "O(N) for N fields"),
    command("hpexpiretime", -5, "7.4.0")
        .flags(&[F::READONLY, F::FAST, F::IDEMPOTENT])
        .acl(&[C::HASH])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .docs("Answers when fields of a hash expire, in milliseconds since 1970.", "O(N) for N fields"),
    command("hpttl", -5, "7.4.0")
        .flags(&[F::READONLY, F::FAST, F::IDEMPOTENT])
        .acl(&[C::HASH])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .tips(&["nondeterministic_output"])
        .docs("Answers for how many milliseconds fields of a hash will still live.", "O(N) for N fields"),
    command("hrandfield", -2, "6.2.0")
        .flags(&[F::READONLY, F::IDEMPOTENT])
        .acl(&[C::HASH])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .tips(&["nondeterministic_output"])
        .docs("Answers fields of a hash, drawn at random.", "O(N) for N fields answered"),
    command("hscan", -3, "2.8.0")
        .flags(&[F::READONLY, F::IDEMPOTENT])
        .acl(&[C::HASH])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .tips(&["nondeterministic_output"])
        .docs(
            "Walks the fields of a hash a few at a time, with a cursor.",
            "O(1) a call, O(N) for a walk over N fields",
        ),
    command("hset", -4, "2.0.0")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST, F::IDEMPOTENT])
        .acl(&[C::HASH])
        .keys(&[K::one(1, &[A::RW, A::UPDATE])])
        .docs("Stores fields of a hash, and the hash if it is missing.", "O(N) for N fields"),
    command("hsetex", -6, "8.0.0")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST, F::IDEMPOTENT])
        .acl(&[C::HASH])
        .keys(&[K::one(1, &[A::RW, A::UPDATE])])
        .docs("Stores fields of a hash and sets their deadline, on conditions if asked to.", "O(N) for N fields"),
    command("hsetnx", 4, "2.0.0")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST])
        .acl(&[C::HASH])
        .keys(&[K::one(1, &[A::RW, A::INSERT])])
        .docs("Stores a field of a hash unless it exists.", "O(1)"),
    command("hstrlen", 3, "3.2.0")
        .flags(&[F::READONLY, F::FAST, F::IDEMPOTENT])
        .acl(&[C::HASH])
        .keys(&[K::one(1, &[A::RO])])
        .docs("Answers how many bytes a field's value has.", "O(1)"),
    command("httl", -5, "7.4.0")
        .flags(&[F::READONLY, F::FAST, F::IDEMPOTENT])
        .acl(&[C::HASH])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .tips(&["nondeterministic_output"])
        .docs("Answers for how many seconds fields of a hash will still live.", "O(N) for N fields"),
    command("hvals", 2, "2.0.0")
        .flags(&[F::READONLY, F::IDEMPOTENT])
        .acl(&[C::HASH])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .tips(&["nondeterministic_output_order"])
        .docs("Lists the values of a hash.", "O(N) for N fields"),
];
