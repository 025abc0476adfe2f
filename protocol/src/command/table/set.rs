//! Sets.

use crate::command::{AclCategories as C, CommandSpec, Flags as F, Group, KeyAccess as A, KeySpec as K};

const fn command(name: &'static str, arity: i16, since: &'static str) -> CommandSpec {
    CommandSpec::new(name, arity, Group::Set, since)
}

/// The family's commands.
pub(super) const COMMANDS: &[CommandSpec] = &[
    command("sadd", -3, "1.0.0")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST])
        .acl(&[C::SET])
        .keys(&[K::one(1, &[A::RW, A::INSERT])])
        .docs("Puts members into a set, which begins empty if the key is missing.", "O(N) for N members"),
    command("scard", 2, "1.0.0")
        .flags(&[F::READONLY, F::FAST, F::IDEMPOTENT])
        .acl(&[C::SET])
        .keys(&[K::one(1, &[A::RO])])
        .docs("Counts the members of a set.", "O(1)"),
    command("sdiff", -2, "1.0.0")
        .flags(&[F::READONLY, F::IDEMPOTENT])
        .acl(&[C::SET])
        .keys(&[K::run(1, -1, 1, &[A::RO, A::ACCESS])])
        .tips(&["nondeterministic_output_order"])
        .docs("Answers the members of the first set that no other given set has.", "O(N) for N members in all sets"),
    command("sdiffstore", -3, "1.0.0")
        .flags(&[F::WRITE, F::DENYOOM, F::IDEMPOTENT])
        .acl(&[C::SET])
        .keys(&[K::one(1, &[A::OW, A::UPDATE]), K::run(2, -1, 1, &[A::RO, A::ACCESS])])
        .docs("Stores the members of the first set that no other given set has.", "O(N) for N members in all sets"),
    command("sinter", -2, "1.0.0")
        .flags(&[F::READONLY, F::IDEMPOTENT])
        .acl(&[C::SET])
        .keys(&[K::run(1, -1, 1, &[A::RO, A::ACCESS])])
        .tips(&["nondeterministic_output_order"])
        .docs("Answers the members that all given sets have.", "O(N*M) at worst for M sets, the smallest of N members"),
    command("sintercard", -3, "7.0.0")
        .flags(&[F::READONLY, F::IDEMPOTENT])
        .acl(&[C::SET])
        .keys(&[K::counted(1, &[A::RO, A::ACCESS])])
        .docs(
            "Counts the members that all given sets have, up to a limit.",
            "O(N*M) at worst for M sets, the smallest of N members",
        ),
    command("sinterstore", -3, "1.0.0")
        .flags(&[F::WRITE, F::DENYOOM, F::IDEMPOTENT])
        .acl(&[C::SET])
        .keys(&[K::one(1, &[A::OW, A::UPDATE]), K::run(2, -1, 1, &[A::RO, A::ACCESS])])
        .docs("Stores the members that all given sets have.", "O(N*M) at worst for M sets, the smallest of N members"),
    command("sismember", 3, "1.0.0")
        .flags(&[F::READONLY, F::FAST, F::IDEMPOTENT])
        .acl(&[C::SET])
        .keys(&[K::one(1, &[A::RO])])
        .docs("Tells whether a set has a member.", "O(1)"),
    command("smembers", 2, "1.0.0")
        .flags(&[F::READONLY, F::IDEMPOTENT])
        .acl(&[C::SET])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .tips(&["nondeterministic_output_order"])
        .docs("Lists the members of a set.", "O(N) for N members"),
    command("smismember", -3, "6.2.0")
        .flags(&[F::READONLY, F::FAST, F::IDEMPOTENT])
        .acl(&[C::SET])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .docs("Tells for each of several members whether a set has it.", "O(N) for N members asked for"),
    command("smove", 4, "1.0.0")
        .flags(&[F::WRITE, F::FAST])
        .acl(&[C::SET])
        .keys(&[K::one(1, &[A::RW, A::ACCESS, A::DELETE]), K::one(2, &[A::RW, A::INSERT])])
        .docs("Moves a member from one set to another.", "O(1)"),
    command("spop", -2, "1.0.0")
        .flags(&[F::WRITE, F::FAST])
        .acl(&[C::SET])
        .keys(&[K::one(1, &[A::RW, A::ACCESS, A::DELETE])])
        .tips(&["nondeterministic_output"])
        .docs("Removes members drawn at random from a set and answers them.", "O(N) for N members"),
    command("srandmember", -2, "1.0.0")
        .flags(&[F::READONLY, F::IDEMPOTENT])
        .acl(&[C::SET])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .tips(&["nondeterministic_output"])
        .docs("Answers members of a set, drawn at random.", "O(N) for N members"),
    command("srem", -3, "1.0.0")
        .flags(&[F::WRITE, F::FAST])
        .acl(&[C::SET])
        .keys(&[K::one(1, &[A::RW, A::DELETE])])
        .docs("Removes members from a set, and the set with its last member.", "O(N) for N members"),
    command("sscan", -3, "2.8.0")
        .flags(&[F::READONLY, F::IDEMPOTENT])
        .acl(&[C::SET])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .tips(&["nondeterministic_output"])
        .docs(
            "Walks the members of a set a few at a time, with a cursor.",
            "O(1) a call, O(N) for a walk over N members",
        ),
    command("sunion", -2, "1.0.0")
        .flags(&[F::READONLY, F::IDEMPOTENT])
        .acl(&[C::SET])
        .keys(&[K::run(1, -1, 1, &[A::RO, A::ACCESS])])
        .tips(&["nondeterministic_output_order"])
        .docs("Answers the members that any of the given sets has.", "O(N) for N members in all sets"),
    command("sunionstore", -3, "1.0.0")
        .flags(&[F::WRITE, F::DENYOOM, F::IDEMPOTENT])
        .acl(&[C::SET])
        .keys(&[K::one(1, &[A::OW, A::UPDATE]), K::run(2, -1, 1, &[A::RO, A::ACCESS])])
        .docs("Stores the members that any of the given sets has.", "O(N) for N members in all sets"),
];
