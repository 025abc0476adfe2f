//! HyperLogLogs: estimates of how many distinct elements there were.

use crate::command::{AclCategories as C, CommandSpec, Flags as F, Group, KeyAccess as A, KeySpec as K};

const fn command(name: &'static str, arity: i16, since: &'static str) -> CommandSpec {
    CommandSpec::new(name, arity, Group::HyperLogLog, since)
}

/// The family's commands.
pub(super) const COMMANDS: &[CommandSpec] = &[
    command("pfadd", -2, "2.8.9")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST, F::IDEMPOTENT])
        .acl(&[C::HYPERLOGLOG])
        .keys(&[K::one(1, &[A::RW, A::INSERT])])
        .docs("Takes elements into a HyperLogLog, which begins empty if the key is missing.", "O(N) for N elements"),
    command("pfcount", -2, "2.8.9")
        .flags(&[F::READONLY, F::MAY_REPLICATE, F::IDEMPOTENT])
        .acl(&[C::HYPERLOGLOG])
        .keys(&[K::run(1, -1, 1, &[A::RW, A::ACCESS])])
        .docs(
            "Estimates how many distinct elements HyperLogLogs have seen together.",
            "O(N) for N keys, with a far smaller constant for one",
        ),
    command("pfdebug", 3, "2.8.9")
        .flags(&[F::WRITE, F::DENYOOM, F::ADMIN])
        .acl(&[C::HYPERLOGLOG])
        .keys(&[K::one(2, &[A::RW, A::ACCESS])])
        .docs("Shows the inside of a HyperLogLog, for tests.", "O(N) for N registers"),
    command("pfmerge", -2, "2.8.9")
        .flags(&[F::WRITE, F::DENYOOM, F::IDEMPOTENT])
        .acl(&[C::HYPERLOGLOG])
        .keys(&[K::one(1, &[A::RW, A::ACCESS, A::INSERT]), K::run(2, -1, 1, &[A::RO, A::ACCESS])])
        .docs("Merges HyperLogLogs into one.", "O(N) for N keys"),
    command("pfselftest", 1, "2.8.9")
        .flags(&[F::ADMIN])
        .acl(&[C::HYPERLOGLOG])
        .docs("Checks the HyperLogLog code, for tests.", "Depends on the test"),
];
