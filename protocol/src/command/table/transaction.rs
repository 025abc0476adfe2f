//! Transactions.

use crate::command::{AclCategories as C, CommandSpec, Flags as F, Group, KeyAccess as A, KeySpec as K};

const fn command(name: &'static str, arity: i16, since: &'static str) -> CommandSpec {
    CommandSpec::new(name, arity, Group::Transactions, since)
}

/// The family's commands.
pub(super) const COMMANDS: &[CommandSpec] = &[
    command("discard", 1, "2.0.0")
        .flags(&[F::NOSCRIPT, F::LOADING, F::STALE, F::FAST, F::ALLOW_BUSY])
        .acl(&[C::TRANSACTION])
        .docs("Drops the queued commands and ends the transaction.", "O(N) for N queued commands"),
    command("exec", 1, "1.2.0")
        .flags(&[F::NOSCRIPT, F::LOADING, F::STALE, F::SKIP_SLOWLOG])
        .acl(&[C::TRANSACTION])
        .docs("Runs the queued commands, unless a watched key has changed.", "By the queued commands"),
    command("multi", 1, "1.2.0")
        .flags(&[F::NOSCRIPT, F::LOADING, F::STALE, F::FAST, F::NO_MULTI, F::ALLOW_BUSY])
        .acl(&[C::TRANSACTION])
        .docs("Begins a transaction: the commands that follow are queued.", "O(1)"),
    command("unwatch", 1, "2.2.0")
        .flags(&[F::NOSCRIPT, F::LOADING, F::STALE, F::FAST, F::ALLOW_BUSY])
        .acl(&[C::TRANSACTION])
        .docs("Forgets all watched keys.", "O(N) for N watched keys"),
    command("watch", -2, "2.2.0")
        .flags(&[F::NOSCRIPT, F::LOADING, F::STALE, F::FAST, F::NO_MULTI, F::ALLOW_BUSY])
        .acl(&[C::TRANSACTION])
        .keys(&[K::run(1, -1, 1, &[A::RO])])
        .docs("Lets the next transaction run only if these keys stay as they are.", "O(N) for N keys"),
];
