//! Strings.

use crate::command::{AclCategories as C, CommandSpec, Flags as F, Group, KeyAccess as A, KeyFinder, KeySpec as K};

const fn command(name: &'static str, arity: i16, since: &'static str) -> CommandSpec {
    CommandSpec::new(name, arity, Group::String, since)
}

/// The family's commands.
pub(super) const COMMANDS: &[CommandSpec] = &[
    command("append", 3, "2.0.0")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST])
        .acl(&[C::STRING])
        .keys(&[K::one(1, &[A::RW, A::INSERT])])
        .docs("Adds bytes to the end of a string, which begins empty if the key is missing.", "O(1) amortised"),
    command("decr", 2, "1.0.0")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST])
        .acl(&[C::STRING])
        .keys(&[K::one(1, &[A::RW, A::ACCESS, A::UPDATE])])
        .docs("Subtracts one from the integer that a string holds; a missing key counts as 0.", "O(1)"),
    command("decrby", 3, "1.0.0")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST])
        .acl(&[C::STRING])
        .keys(&[K::one(1, &[A::RW, A::ACCESS, A::UPDATE])])
        .docs(
            "Subtracts a number from the integer that a string holds; a missing key counts \
             as 0.",
            "O(1)",
        ),
    command("get", 2, "1.0.0")
        .flags(&[F::READONLY, F::FAST, F::IDEMPOTENT])
        .acl(&[C::STRING])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .docs("Answers the string at a key.", "O(1)"),
    command("getdel", 2, "6.2.0")
        .flags(&[F::WRITE, F::FAST])
        .acl(&[C::STRING])
        .keys(&[K::one(1, &[A::RW, A::ACCESS, A::DELETE])])
        .docs("Answers the string at a key and removes the key.", "O(1)"),
    command("getex", -2, "6.2.0")
        .flags(&[F::WRITE, F::FAST])
        .acl(&[C::STRING])
        .keys(&[K::one(1, &[A::RW, A::ACCESS, A::UPDATE])])
        .docs("Answers the string at a key and sets or lifts its deadline.", "O(1)"),
    command("getrange", 4, "2.4.0")
        .flags(&[F::READONLY, F::IDEMPOTENT])
        .acl(&[C::STRING])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .docs("Answers the bytes of a string between two offsets.", "O(N) for an answer of N bytes"),
    command("getset", 3, "1.0.0")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST])
        .acl(&[C::STRING])
        .keys(&[K::one(1, &[A::RW, A::ACCESS, A::UPDATE])])
        .deprecated("6.2.0", "`SET` with `GET`")
        .docs("Stores a string and answers the one it replaced.", "O(1)"),
    command("incr", 2, "1.0.0")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST])
        .acl(&[C::STRING])
        .keys(&[K::one(1, &[A::RW, A::ACCESS, A::UPDATE])])
        .docs("Adds one to the integer that a string holds; a missing key counts as 0.", "O(1)"),
    command("incrby", 3, "1.0.0")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST])
        .acl(&[C::STRING])
        .keys(&[K::one(1, &[A::RW, A::ACCESS, A::UPDATE])])
        .docs("Adds a number to the integer that a string holds; a missing key counts as 0.", "O(1)"),
    command("incrbyfloat", 3, "2.6.0")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST])
        .acl(&[C::STRING])
        .keys(&[K::one(1, &[A::RW, A::ACCESS, A::UPDATE])])
        .docs("Adds a fraction to the number that a string holds; a missing key counts as 0.", "O(1)"),
    command("lcs", -3, "7.0.0")
        .flags(&[F::READONLY, F::IDEMPOTENT])
        .acl(&[C::STRING])
        .keys(&[K::run(1, 1, 1, &[A::RO, A::ACCESS])])
        .docs("Finds the longest common subsequence of two strings.", "O(N*M) for strings of N and M bytes"),
    command("mget", -2, "1.0.0")
        .flags(&[F::READONLY, F::FAST, F::IDEMPOTENT])
        .acl(&[C::STRING])
        .keys(&[K::run(1, -1, 1, &[A::RO, A::ACCESS])])
        .tips(&["request_policy:multi_shard"])
        .docs("Answers the strings at several keys, in their order.", "O(N) for N keys"),
    command("mset", -3, "1.0.1")
        .flags(&[F::WRITE, F::DENYOOM, F::IDEMPOTENT])
        .acl(&[C::STRING])
        .keys(&[K::run(1, -1, 2, &[A::OW, A::UPDATE])])
        .tips(&["request_policy:multi_shard", "response_policy:all_succeeded"])
        .docs("Stores several strings at once.", "O(N) for N keys"),
    command("msetnx", -3, "1.0.1")
        .flags(&[F::WRITE, F::DENYOOM])
        .acl(&[C::STRING])
        .keys(&[K::run(1, -1, 2, &[A::OW, A::INSERT])])
        .docs("Stores several strings at once, but only if none of the keys exists.", "O(N) for N keys"),
    command("psetex", 4, "2.6.0")
        .flags(&[F::WRITE, F::DENYOOM, F::IDEMPOTENT])
        .acl(&[C::STRING])
        .keys(&[K::one(1, &[A::OW, A::UPDATE])])
        .deprecated("2.6.12", "`SET` with `PX`")
        .docs("Stores a string that lives for so many milliseconds.", "O(1)"),
    command("set", -3, "1.0.0")
        .flags(&[F::WRITE, F::DENYOOM, F::IDEMPOTENT])
        .acl(&[C::STRING])
        .keys(&[K::one(1, &[A::RW, A::ACCESS, A::UPDATE, A::VARIABLE_FLAGS])])
        .finder(KeyFinder::Set)
        .docs(
            "Stores a string, whatever the key held before; options add conditions, a \
             deadline, or the old value as the answer.",
            "O(1)",
        ),
    command("setex", 4, "2.0.0")
        .flags(&[F::WRITE, F::DENYOOM, F::IDEMPOTENT])
        .acl(&[C::STRING])
        .keys(&[K::one(1, &[A::OW, A::UPDATE])])
        .deprecated("2.6.12", "`SET` with `EX`")
        .docs("Stores a string that lives for so many seconds.", "O(1)"),
    command("setnx", 3, "1.0.0")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST])
        .acl(&[C::STRING])
        .keys(&[K::one(1, &[A::OW, A::INSERT])])
        .deprecated("2.6.12", "`SET` with `NX`")
        .docs("Stores a string unless the key exists.", "O(1)"),
    command("setrange", 4, "2.2.0")
        .flags(&[F::WRITE, F::DENYOOM, F::IDEMPOTENT])
        .acl(&[C::STRING])
        .keys(&[K::one(1, &[A::RW, A::UPDATE])])
        .docs(
            "Overwrites part of a string from an offset on, padding it with zero bytes \
             where it is too short.",
            "O(N) for N bytes written or padded",
        ),
    command("strlen", 2, "2.2.0")
        .flags(&[F::READONLY, F::FAST, F::IDEMPOTENT])
        .acl(&[C::STRING])
        .keys(&[K::one(1, &[A::RO])])
        .docs("Answers how many bytes a string has.", "O(1)"),
    command("substr", 4, "1.0.0")
        .flags(&[F::READONLY, F::IDEMPOTENT])
        .acl(&[C::STRING])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .deprecated("2.0.0", "`GETRANGE`")
        .docs(
            "Answers the bytes of a string between two offsets: the old name of GETRANGE.",
            "O(N) for an answer of N bytes",
        ),
];
