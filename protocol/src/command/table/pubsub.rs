//! Publish/subscribe.

use crate::command::{CommandSpec, Flags as F, Group, KeyAccess as A, KeySpec as K};

const fn command(name: &'static str, arity: i16, since: &'static str) -> CommandSpec {
    CommandSpec::new(name, arity, Group::PubSub, since)
}

/// The family's commands.
pub(super) const COMMANDS: &[CommandSpec] = &[
    command("psubscribe", -2, "2.0.0")
        .flags(&[F::PUBSUB, F::NOSCRIPT, F::LOADING, F::STALE])
        .docs("Listens to the channels whose names match patterns.", "O(N) for N patterns"),
    command("publish", 3, "2.0.0")
        .flags(&[F::PUBSUB, F::LOADING, F::STALE, F::FAST, F::MAY_REPLICATE])
        .docs("Sends a message to a channel.", "O(N+M) for N subscribers and M patterns"),
    command("pubsub", -2, "2.8.0")
        .docs("Holds the commands that look into publish/subscribe.", "By subcommand")
        .subcommands(PUBSUB),
    command("punsubscribe", -1, "2.0.0")
        .flags(&[F::PUBSUB, F::NOSCRIPT, F::LOADING, F::STALE])
        .docs("Stops listening to patterns, or to all of them.", "O(N) for N patterns"),
    command("spublish", 3, "7.0.0")
        .flags(&[F::PUBSUB, F::LOADING, F::STALE, F::FAST, F::MAY_REPLICATE])
        .keys(&[K::one(1, &[A::NOT_KEY])])
        .docs("Sends a message to a shard channel.", "O(N) for N subscribers"),
    command("ssubscribe", -2, "7.0.0")
        .flags(&[F::PUBSUB, F::NOSCRIPT, F::LOADING, F::STALE])
        .keys(&[K::run(1, -1, 1, &[A::NOT_KEY])])
        .docs("Listens to shard channels.", "O(N) for N shard channels"),
    command("subscribe", -2, "2.0.0")
        .flags(&[F::PUBSUB, F::NOSCRIPT, F::LOADING, F::STALE])
        .docs("Listens to channels.", "O(N) for N channels"),
    command("sunsubscribe", -1, "7.0.0")
        .flags(&[F::PUBSUB, F::NOSCRIPT, F::LOADING, F::STALE])
        .keys(&[K::run(1, -1, 1, &[A::NOT_KEY])])
        .docs("Stops listening to shard channels, or to all of them.", "O(N) for N shard channels"),
    command("unsubscribe", -1, "2.0.0")
        .flags(&[F::PUBSUB, F::NOSCRIPT, F::LOADING, F::STALE])
        .docs("Stops listening to channels, or to all of them.", "O(N) for N channels"),
];

/// The subcommands of PUBSUB.
const PUBSUB: &[CommandSpec] = &[
    command("channels", -2, "2.8.0")
        .flags(&[F::PUBSUB, F::LOADING, F::STALE])
        .docs("Lists the channels that someone listens to.", "O(N) for N channels"),
    command("help", 2, "6.2.0").flags(&[F::LOADING, F::STALE]).docs("Explains the subcommands.", "O(1)"),
    command("numpat", 2, "2.8.0")
        .flags(&[F::PUBSUB, F::LOADING, F::STALE])
        .docs("Counts the patterns that someone listens to.", "O(1)"),
    command("numsub", -2, "2.8.0")
        .flags(&[F::PUBSUB, F::LOADING, F::STALE])
        .docs("Counts the listeners of channels.", "O(N) for N channels asked for"),
    command("shardchannels", -2, "7.0.0")
        .flags(&[F::PUBSUB, F::LOADING, F::STALE])
        .docs("Lists the shard channels that someone listens to.", "O(N) for N shard channels"),
    command("shardnumsub", -2, "7.0.0")
        .flags(&[F::PUBSUB, F::LOADING, F::STALE])
        .docs("Counts the listeners of shard channels.", "O(N) for N shard channels asked for"),
];
