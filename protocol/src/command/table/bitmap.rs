//! Bits and integers inside strings.

use crate::command::{AclCategories as C, CommandSpec, Flags as F, Group, KeyAccess as A, KeyFinder, KeySpec as K};

const fn command(name: &'static str, arity: i16, since: &'static str) -> CommandSpec {
    CommandSpec::new(name, arity, Group::Bitmap, since)
}

/// The family's commands.
pub(super) const COMMANDS: &[CommandSpec] = &[
    command("bitcount", -2, "2.6.0")
        .flags(&[F::READONLY, F::IDEMPOTENT])
        .acl(&[C::BITMAP])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .docs("Counts the bits that are set in a string, or in a range of it.", "O(N) for N bytes"),
    command("bitfield", -2, "3.2.0")
        .flags(&[F::WRITE, F::DENYOOM])
        .acl(&[C::BITMAP])
        .keys(&[K::one(1, &[A::RW, A::UPDATE, A::ACCESS, A::VARIABLE_FLAGS])])
        .finder(KeyFinder::BitField)
        .docs("Reads, writes and increments integers of any width inside a string.", "O(N) for N operations"),
    command("bitfield_ro", -2, "6.0.0")
        .flags(&[F::READONLY, F::FAST, F::IDEMPOTENT])
        .acl(&[C::BITMAP])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .docs("Reads integers of any width inside a string.", "O(N) for N operations"),
    command("bitop", -4, "2.6.0")
        .flags(&[F::WRITE, F::DENYOOM])
        .acl(&[C::BITMAP])
        .keys(&[K::one(2, &[A::OW, A::UPDATE]), K::run(3, -1, 1, &[A::RO, A::ACCESS])])
        .docs(
            "Combines strings bit by bit with AND, OR, XOR or NOT and stores the outcome.",
            "O(N) for the longest string's N bytes",
        ),
    command("bitpos", -3, "2.8.7")
        .flags(&[F::READONLY, F::IDEMPOTENT])
        .acl(&[C::BITMAP])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .docs("Finds the first bit of a string that is set, or clear.", "O(N) for N bytes"),
    command("getbit", 3, "2.2.0")
        .flags(&[F::READONLY, F::FAST, F::IDEMPOTENT])
        .acl(&[C::BITMAP])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .docs("Answers one bit of a string.", "O(1)"),
    command("setbit", 4, "2.2.0")
        .flags(&[F::WRITE, F::DENYOOM])
        .acl(&[C::BITMAP])
        .keys(&[K::one(1, &[A::RW, A::ACCESS, A::UPDATE])])
        .docs("Sets or clears one bit of a string and answers what it was.", "O(1)"),
];
