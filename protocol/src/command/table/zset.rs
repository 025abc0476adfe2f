//! Sorted sets.

use crate::command::{AclCategories as C, CommandSpec, Flags as F, Group, KeyAccess as A, KeySpec as K};

const fn command(name: &'static str, arity: i16, since: &'static str) -> CommandSpec {
    CommandSpec::new(name, arity, Group::SortedSet, since)
}

/// The family's commands.
pub(super) const COMMANDS: &[CommandSpec] = &[
    command("bzmpop", -5, "7.0.0")
        .flags(&[F::WRITE, F::BLOCKING])
        .acl(&[C::SORTEDSET])
        .keys(&[K::counted(2, &[A::RW, A::ACCESS, A::DELETE])])
        .docs(
            "Pops the lowest or highest members of the first sorted set that has any; \
             waits for some to come.",
            "O(K+M*log(N)) for K keys and M of N members",
        ),
    command("bzpopmax", -3, "5.0.0")
        .flags(&[F::WRITE, F::FAST, F::BLOCKING])
        .acl(&[C::SORTEDSET])
        .keys(&[K::run(1, -2, 1, &[A::RW, A::ACCESS, A::DELETE])])
        .docs(
            "Pops the highest member of the first sorted set that has one; waits for one \
             to come.",
            "O(log(N)) for N members",
        ),
    command("bzpopmin", -3, "5.0.0")
        .flags(&[F::WRITE, F::FAST, F::BLOCKING])
        .acl(&[C::SORTEDSET])
        .keys(&[K::run(1, -2, 1, &[A::RW, A::ACCESS, A::DELETE])])
        .docs(
            "Pops the lowest member of the first sorted set that has one; waits for one to \
             come.",
            "O(log(N)) for N members",
        ),
    command("zadd", -4, "1.2.0")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST, F::IDEMPOTENT])
        .acl(&[C::SORTEDSET])
        .keys(&[K::one(1, &[A::RW, A::UPDATE])])
        .docs(
            "Puts members with scores into a sorted set, or changes their scores.",
            "O(log(N)) a member, for N members",
        ),
    command("zcard", 2, "1.2.0")
        .flags(&[F::READONLY, F::FAST, F::IDEMPOTENT])
        .acl(&[C::SORTEDSET])
        .keys(&[K::one(1, &[A::RO])])
        .docs("Counts the members of a sorted set.", "O(1)"),
    command("zcount", 4, "2.0.0")
        .flags(&[F::READONLY, F::FAST, F::IDEMPOTENT])
        .acl(&[C::SORTEDSET])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .docs("Counts the members whose scores lie in a range.", "O(log(N)) for N members"),
    command("zdiff", -3, "6.2.0")
        .flags(&[F::READONLY, F::IDEMPOTENT])
        .acl(&[C::SORTEDSET])
        .keys(&[K::counted(1, &[A::RO, A::ACCESS])])
        .docs(
            "Answers the members of the first sorted set that no other given one has.",
            "O(L+(N-K)*log(N)) for L members in all sets, N in the first, K answered",
        ),
    command("zdiffstore", -4, "6.2.0")
        .flags(&[F::WRITE, F::DENYOOM, F::IDEMPOTENT])
        .acl(&[C::SORTEDSET])
        .keys(&[K::one(1, &[A::OW, A::UPDATE]), K::counted(2, &[A::RO, A::ACCESS])])
        .docs(
            "Stores the members of the first sorted set that no other given one has.",
            "O(L+(N-K)*log(N)) for L members in all sets, N in the first, K stored",
        ),
    command("zincrby", 4, "1.2.0")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST])
        .acl(&[C::SORTEDSET])
        .keys(&[K::one(1, &[A::RW, A::ACCESS, A::UPDATE])])
        .docs("Adds to a member's score; a missing member counts as 0.", "O(log(N)) for N members"),
    command("zinter", -3, "6.2.0")
        .flags(&[F::READONLY, F::IDEMPOTENT])
        .acl(&[C::SORTEDSET])
        .keys(&[K::counted(1, &[A::RO, A::ACCESS])])
        .docs(
            "Answers the members that all given sorted sets have, with combined scores.",
            "O(N*K+M*log(M)) at worst for K sets, the smallest of N members, and M answered",
        ),
    command("zintercard", -3, "7.0.0")
        .flags(&[F::READONLY, F::IDEMPOTENT])
        .acl(&[C::SORTEDSET])
        .keys(&[K::counted(1, &[A::RO, A::ACCESS])])
        .docs(
            "Counts the members that all given sorted sets have, up to a limit.",
            "O(N*K) at worst for K sets, the smallest of N members",
        ),
    command("zinterstore", -4, "2.0.0")
        .flags(&[F::WRITE, F::DENYOOM])
        .acl(&[C::SORTEDSET])
        .keys(&[K::one(1, &[A::OW, A::UPDATE]), K::counted(2, &[A::RO, A::ACCESS])])
        .docs(
            "Stores the members that all given sorted sets have, with combined scores.",
            "O(N*K+M*log(M)) at worst for K sets, the smallest of N members, and M stored",
        ),
    command("zlexcount", 4, "2.8.9")
        .flags(&[F::READONLY, F::FAST, F::IDEMPOTENT])
        .acl(&[C::SORTEDSET])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .docs("Counts the members whose names lie in a range, where all scores are equal.", "O(log(N)) for N members"),
    command("zmpop", -4, "7.0.0")
        .flags(&[F::WRITE])
        .acl(&[C::SORTEDSET])
        .keys(&[K::counted(1, &[A::RW, A::ACCESS, A::DELETE])])
        .docs(
            "Pops the lowest or highest members of the first sorted set that has any.",
            "O(K+M*log(N)) for K keys and M of N members",
        ),
    command("zmscore", -3, "6.2.0")
        .flags(&[F::READONLY, F::FAST, F::IDEMPOTENT])
        .acl(&[C::SORTEDSET])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .docs("Answers the scores of several members, in their order.", "O(N) for N members asked for"),
    command("zpopmax", -2, "5.0.0")
        .flags(&[F::WRITE, F::FAST])
        .acl(&[C::SORTEDSET])
        .keys(&[K::one(1, &[A::RW, A::ACCESS, A::DELETE])])
        .docs("Pops the members with the highest scores.", "O(M*log(N)) for M of N members"),
    command("zpopmin", -2, "5.0.0")
        .flags(&[F::WRITE, F::FAST])
        .acl(&[C::SORTEDSET])
        .keys(&[K::one(1, &[A::RW, A::ACCESS, A::DELETE])])
        .docs("Pops the members with the lowest scores.", "O(M*log(N)) for M of N members"),
    command("zrandmember", -2, "6.2.0")
        .flags(&[F::READONLY, F::IDEMPOTENT])
        .acl(&[C::SORTEDSET])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .tips(&["nondeterministic_output"])
        .docs("Answers members of a sorted set, drawn at random.", "O(N) for N members answered"),
    command("zrange", -4, "1.2.0")
        .flags(&[F::READONLY, F::IDEMPOTENT])
        .acl(&[C::SORTEDSET])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .docs("Answers the members in a range of ranks, scores or names.", "O(log(N)+M) for M of N members"),
    command("zrangebylex", -4, "2.8.9")
        .flags(&[F::READONLY, F::IDEMPOTENT])
        .acl(&[C::SORTEDSET])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .deprecated("6.2.0", "`ZRANGE` with `BYLEX`")
        .docs("Answers the members in a range of names, where all scores are equal.", "O(log(N)+M) for M of N members"),
    command("zrangebyscore", -4, "1.0.5")
        .flags(&[F::READONLY, F::IDEMPOTENT])
        .acl(&[C::SORTEDSET])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .deprecated("6.2.0", "`ZRANGE` with `BYSCORE`")
        .docs("Answers the members in a range of scores.", "O(log(N)+M) for M of N members"),
    command("zrangestore", -5, "6.2.0")
        .flags(&[F::WRITE, F::DENYOOM])
        .acl(&[C::SORTEDSET])
        .keys(&[K::one(1, &[A::OW, A::UPDATE]), K::one(2, &[A::RO, A::ACCESS])])
        .docs(
            "Stores the members in a range of ranks, scores or names under another key.",
            "O(log(N)+M) for M of N members",
        ),
    command("zrank", -3, "2.0.0")
        .flags(&[F::READONLY, F::FAST, F::IDEMPOTENT])
        .acl(&[C::SORTEDSET])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .docs("Answers a member's position, counted from the lowest score.", "O(log(N)) for N members"),
    command("zrem", -3, "1.2.0")
        .flags(&[F::WRITE, F::FAST])
        .acl(&[C::SORTEDSET])
        .keys(&[K::one(1, &[A::RW, A::DELETE])])
        .docs("Removes members from a sorted set, and the set with its last member.", "O(M*log(N)) for M of N members"),
    command("zremrangebylex", 4, "2.8.9")
        .flags(&[F::WRITE])
        .acl(&[C::SORTEDSET])
        .keys(&[K::one(1, &[A::RW, A::DELETE])])
        .docs("Removes the members in a range of names, where all scores are equal.", "O(log(N)+M) for M of N members"),
    command("zremrangebyrank", 4, "2.0.0")
        .flags(&[F::WRITE])
        .acl(&[C::SORTEDSET])
        .keys(&[K::one(1, &[A::RW, A::DELETE])])
        .docs("Removes the members in a range of positions.", "O(log(N)+M) for M of N members"),
    command("zremrangebyscore", 4, "1.2.0")
        .flags(&[F::WRITE])
        .acl(&[C::SORTEDSET])
        .keys(&[K::one(1, &[A::RW, A::DELETE])])
        .docs("Removes the members in a range of scores.", "O(log(N)+M) for M of N members"),
    command("zrevrange", -4, "1.2.0")
        .flags(&[F::READONLY, F::IDEMPOTENT])
        .acl(&[C::SORTEDSET])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .deprecated("6.2.0", "`ZRANGE` with `REV`")
        .docs(
            "Answers the members in a range of positions, counted from the highest score.",
            "O(log(N)+M) for M of N members",
        ),
    command("zrevrangebylex", -4, "2.8.9")
        .flags(&[F::READONLY, F::IDEMPOTENT])
        .acl(&[C::SORTEDSET])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .deprecated("6.2.0", "`ZRANGE` with `REV` and `BYLEX`")
        .docs(
            "Answers the members in a range of names from its end, where all scores are \
             equal.",
            "O(log(N)+M) for M of N members",
        ),
    command("zrevrangebyscore", -4, "2.2.0")
        .flags(&[F::READONLY, F::IDEMPOTENT])
        .acl(&[C::SORTEDSET])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .deprecated("6.2.0", "`ZRANGE` with `REV` and `BYSCORE`")
        .docs("Answers the members in a range of scores, the highest first.", "O(log(N)+M) for M of N members"),
    command("zrevrank", -3, "2.0.0")
        .flags(&[F::READONLY, F::FAST, F::IDEMPOTENT])
        .acl(&[C::SORTEDSET])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .docs("Answers a member's position, counted from the highest score.", "O(log(N)) for N members"),
    command("zscan", -3, "2.8.0")
        .flags(&[F::READONLY, F::IDEMPOTENT])
        .acl(&[C::SORTEDSET])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .tips(&["nondeterministic_output"])
        .docs(
            "Walks the members of a sorted set a few at a time, with a cursor.",
            "O(1) a call, O(N) for a walk over N members",
        ),
    command("zscore", 3, "1.2.0")
        .flags(&[F::READONLY, F::FAST, F::IDEMPOTENT])
        .acl(&[C::SORTEDSET])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .docs("Answers a member's score.", "O(1)"),
    command("zunion", -3, "6.2.0")
        .flags(&[F::READONLY, F::IDEMPOTENT])
        .acl(&[C::SORTEDSET])
        .keys(&[K::counted(1, &[A::RO, A::ACCESS])])
        .docs(
            "Answers the members that any of the given sorted sets has, with combined scores.",
            "O(N+M*log(M)) for N members in all sets and M answered",
        ),
    command("zunionstore", -4, "2.0.0")
        .flags(&[F::WRITE, F::DENYOOM])
        .acl(&[C::SORTEDSET])
        .keys(&[K::one(1, &[A::OW, A::UPDATE]), K::counted(2, &[A::RO, A::ACCESS])])
        .docs(
            "Stores the members that any of the given sorted sets has, with combined scores.",
            "O(N+M*log(M)) for N members in all sets and M stored",
        ),
];
