//! Keys' deadlines.

use crate::command::{AclCategories as C, CommandSpec, Flags as F, Group, KeyAccess as A, KeySpec as K};

const fn command(name: &'static str, arity: i16, since: &'static str) -> CommandSpec {
    CommandSpec::new(name, arity, Group::Generic, since)
}

/// The family's commands.
pub(super) const COMMANDS: &[CommandSpec] = &[
    command("expire", -3, "1.0.0")
        .flags(&[F::WRITE, F::FAST, F::IDEMPOTENT])
        .acl(&[C::KEYSPACE])
        .keys(&[K::one(1, &[A::RW, A::UPDATE])])
        .docs("Lets a key live for so many seconds more.", "O(1)"),
    command("expireat", -3, "1.2.0")
        .flags(&[F::WRITE, F::FAST, F::IDEMPOTENT])
        .acl(&[C::KEYSPACE])
        .keys(&[K::one(1, &[A::RW, A::UPDATE])])
        .docs("Lets a key live until a point in time, in seconds since 1970.", "O(1)"),
    command("expiretime", 2, "7.0.0")
        .flags(&[F::READONLY, F::FAST, F::IDEMPOTENT])
        .acl(&[C::KEYSPACE])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .docs("Answers when a key expires, in seconds since 1970.", "O(1)"),
    command("persist", 2, "2.2.0")
        .flags(&[F::WRITE, F::FAST])
        .acl(&[C::KEYSPACE])
        .keys(&[K::one(1, &[A::RW, A::UPDATE])])
        .docs("Lifts a key's deadline.", "O(1)"),
    command("pexpire", -3, "2.6.0")
        .flags(&[F::WRITE, F::FAST, F::IDEMPOTENT])
        .acl(&[C::KEYSPACE])
        .keys(&[K::one(1, &[A::RW, A::UPDATE])])
        .docs("Lets a key live for so many milliseconds more.", "O(1)"),
    command("pexpireat", -3, "2.6.0")
        .flags(&[F::WRITE, F::FAST, F::IDEMPOTENT])
        .acl(&[C::KEYSPACE])
        .keys(&[K::one(1, &[A::RW, A::UPDATE])])
        .docs("Lets a key live until a point in time, in milliseconds since 1970.", "O(1)"),
    command("pexpiretime", 2, "7.0.0")
        .flags(&[F::READONLY, F::FAST, F::IDEMPOTENT])
        .acl(&[C::KEYSPACE])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .docs("Answers when a key expires, in milliseconds since 1970.", "O(1)"),
    command("pttl", 2, "2.6.0")
        .flags(&[F::READONLY, F::FAST, F::IDEMPOTENT])
        .acl(&[C::KEYSPACE])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .tips(&["nondeterministic_output"])
        .docs("Answers for how many milliseconds a key will still live.", "O(1)"),
    command("ttl", 2, "1.0.0")
        .flags(&[F::READONLY, F::FAST, F::IDEMPOTENT])
        .acl(&[C::KEYSPACE])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .tips(&["nondeterministic_output"])
        .docs("Answers for how many seconds a key will still live.", "O(1)"),
];
