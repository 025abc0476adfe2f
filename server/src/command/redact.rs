//! Which arguments are secrets, and must not show up in logs.

use rondache_protocol::command::CommandSpec;

use super::args::Args;
use crate::config::parameters;

/// What is shown instead.
pub(crate) const REPLACEMENT: &[u8] = b"(redacted)";

/// Whether the argument at `index` is a secret.
pub(crate) fn hides(spec: &CommandSpec, args: &Args<'_>, index: usize) -> bool {
    match spec.name {
        "auth" => index >= 1,
        "hello" => (2..index).any(|before| args.is(before, "auth") && index <= before + 2),
        "config" => args.is(1, "set") && index >= 3 && index % 2 == 1 && is_secret_parameter(args.get(index - 1)),
        _ => false,
    }
}

fn is_secret_parameter(name: &[u8]) -> bool {
    parameters::lookup(&String::from_utf8_lossy(name)).is_some_and(|parameter| parameter.is_secret)
}
