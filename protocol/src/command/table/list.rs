//! Lists.

use crate::command::{AclCategories as C, CommandSpec, Flags as F, Group, KeyAccess as A, KeySpec as K};

const fn command(name: &'static str, arity: i16, since: &'static str) -> CommandSpec {
    CommandSpec::new(name, arity, Group::List, since)
}

/// The family's commands.
pub(super) const COMMANDS: &[CommandSpec] = &[
    command("blmove", 6, "6.2.0")
        .flags(&[F::WRITE, F::DENYOOM, F::BLOCKING])
        .acl(&[C::LIST])
        .keys(&[K::one(1, &[A::RW, A::ACCESS, A::DELETE]), K::one(2, &[A::RW, A::INSERT])])
        .docs(
            "Moves an end of one list to an end of another and answers the element; waits \
             for one to come.",
            "O(1)",
        ),
    command("blmpop", -5, "7.0.0")
        .flags(&[F::WRITE, F::BLOCKING])
        .acl(&[C::LIST])
        .keys(&[K::counted(2, &[A::RW, A::ACCESS, A::DELETE])])
        .docs(
            "Pops elements from an end of the first list that has any; waits for some to \
             come.",
            "O(N+M) for N keys and M elements",
        ),
    command("blpop", -3, "2.0.0")
        .flags(&[F::WRITE, F::BLOCKING])
        .acl(&[C::LIST])
        .keys(&[K::run(1, -2, 1, &[A::RW, A::ACCESS, A::DELETE])])
        .docs("Pops the head of the first list that has one; waits for one to come.", "O(N) for N keys"),
    command("brpop", -3, "2.0.0")
        .flags(&[F::WRITE, F::BLOCKING])
        .acl(&[C::LIST])
        .keys(&[K::run(1, -2, 1, &[A::RW, A::ACCESS, A::DELETE])])
        .docs("Pops the tail of the first list that has one; waits for one to come.", "O(N) for N keys"),
    command("brpoplpush", 4, "2.2.0")
        .flags(&[F::WRITE, F::DENYOOM, F::BLOCKING])
        .acl(&[C::LIST])
        .keys(&[K::one(1, &[A::RW, A::ACCESS, A::DELETE]), K::one(2, &[A::RW, A::INSERT])])
        .deprecated("6.2.0", "`BLMOVE` with `RIGHT` and `LEFT`")
        .docs(
            "Moves the tail of one list to the head of another and answers the element; \
             waits for one to come.",
            "O(1)",
        ),
    command("lindex", 3, "1.0.0")
        .flags(&[F::READONLY, F::IDEMPOTENT])
        .acl(&[C::LIST])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .docs("Answers the element at a position of a list.", "O(N) to walk N elements from the nearer end"),
    command("linsert", 5, "2.2.0")
        .flags(&[F::WRITE, F::DENYOOM])
        .acl(&[C::LIST])
        .keys(&[K::one(1, &[A::RW, A::INSERT])])
        .docs("Puts an element before or behind another one of a list.", "O(N) to walk N elements to that one"),
    command("llen", 2, "1.0.0")
        .flags(&[F::READONLY, F::FAST, F::IDEMPOTENT])
        .acl(&[C::LIST])
        .keys(&[K::one(1, &[A::RO])])
        .docs("Counts the elements of a list.", "O(1)"),
    command("lmove", 5, "6.2.0")
        .flags(&[F::WRITE, F::DENYOOM])
        .acl(&[C::LIST])
        .keys(&[K::one(1, &[A::RW, A::ACCESS, A::DELETE]), K::one(2, &[A::RW, A::INSERT])])
        .docs("Moves an end of one list to an end of another and answers the element.", "O(1)"),
    command("lmpop", -4, "7.0.0")
        .flags(&[F::WRITE])
        .acl(&[C::LIST])
        .keys(&[K::counted(1, &[A::RW, A::ACCESS, A::DELETE])])
        .docs("Pops elements from an end of the first list that has any.", "O(N+M) for N keys and M elements"),
    command("lpop", -2, "1.0.0")
        .flags(&[F::WRITE, F::FAST])
        .acl(&[C::LIST])
        .keys(&[K::one(1, &[A::RW, A::ACCESS, A::DELETE])])
        .docs("Pops elements from the head of a list.", "O(N) for N elements"),
    command("lpos", -3, "6.0.6")
        .flags(&[F::READONLY, F::IDEMPOTENT])
        .acl(&[C::LIST])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .docs("Finds where in a list an element stands.", "O(N) for a list of N elements"),
    command("lpush", -3, "1.0.0")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST])
        .acl(&[C::LIST])
        .keys(&[K::one(1, &[A::RW, A::INSERT])])
        .docs("Puts elements at the head of a list, which begins empty if the key is missing.", "O(N) for N elements"),
    command("lpushx", -3, "2.2.0")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST])
        .acl(&[C::LIST])
        .keys(&[K::one(1, &[A::RW, A::INSERT])])
        .docs("Puts elements at the head of a list if it exists.", "O(N) for N elements"),
    command("lrange", 4, "1.0.0")
        .flags(&[F::READONLY, F::IDEMPOTENT])
        .acl(&[C::LIST])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .docs("Answers the elements of a list between two positions.", "O(S+N) for S elements skipped and N answered"),
    command("lrem", 4, "1.0.0")
        .flags(&[F::WRITE])
        .acl(&[C::LIST])
        .keys(&[K::one(1, &[A::RW, A::DELETE])])
        .docs("Removes the elements of a list that equal a value.", "O(N+M) for N elements walked and M removed"),
    command("lset", 4, "1.0.0")
        .flags(&[F::WRITE, F::DENYOOM])
        .acl(&[C::LIST])
        .keys(&[K::one(1, &[A::RW, A::UPDATE])])
        .docs("Replaces the element at a position of a list.", "O(N) to walk N elements from the nearer end"),
    command("ltrim", 4, "1.0.0")
        .flags(&[F::WRITE])
        .acl(&[C::LIST])
        .keys(&[K::one(1, &[A::RW, A::DELETE])])
        .docs("Keeps only the elements of a list between two positions.", "O(N) for N elements removed"),
    command("rpop", -2, "1.0.0")
        .flags(&[F::WRITE, F::FAST])
        .acl(&[C::LIST])
        .keys(&[K::one(1, &[A::RW, A::ACCESS, A::DELETE])])
        .docs("Pops elements from the tail of a list.", "O(N) for N elements"),
    command("rpoplpush", 3, "1.2.0")
        .flags(&[F::WRITE, F::DENYOOM])
        .acl(&[C::LIST])
        .keys(&[K::one(1, &[A::RW, A::ACCESS, A::DELETE]), K::one(2, &[A::RW, A::INSERT])])
        .deprecated("6.2.0", "`LMOVE` with `RIGHT` and `LEFT`")
        .docs("Moves the tail of one list to the head of another and answers the element.", "O(1)"),
    command("rpush", -3, "1.0.0")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST])
        .acl(&[C::LIST])
        .keys(&[K::one(1, &[A::RW, A::INSERT])])
        .docs("Puts elements at the tail of a list, which begins empty if the key is missing.", "O(N) for N elements"),
    command("rpushx", -3, "2.2.0")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST])
        .acl(&[C::LIST])
        .keys(&[K::one(1, &[A::RW, A::INSERT])])
        .docs("Puts elements at the tail of a list if it exists.", "O(N) for N elements"),
];
