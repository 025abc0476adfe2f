//! Options that several commands share.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::Cmd;

/// When a key expires.
///
/// A node shortens a [`In`](Self::In) by its TTL jitter, so that keys written together don't expire together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expiry {
    /// Never.
    #[default]
    Never,
    /// After so long, to the millisecond; a time below one counts as one.
    In(Duration),
    /// At that time, to the millisecond.
    At(SystemTime),
    /// When it would have expired anyway.
    Keep,
}

impl Expiry {
    /// Adds the option as SET writes it.
    pub(super) fn add_to(self, cmd: Cmd) -> Cmd {
        match self {
            Self::Never => cmd,
            Self::In(ttl) => match whole_seconds(ttl) {
                Some(seconds) => cmd.arg("EX").arg(seconds),
                None => cmd.arg("PX").arg(millis(ttl)),
            },
            Self::At(time) => cmd.arg("PXAT").arg(unix_ms(time)),
            Self::Keep => cmd.arg("KEEPTTL"),
        }
    }

    /// Adds the option as GETEX writes it, where "never" has to be said.
    pub(super) fn add_to_getex(self, cmd: Cmd) -> Cmd {
        match self {
            Self::Never => cmd.arg("PERSIST"),
            Self::Keep => cmd,
            expiry => expiry.add_to(cmd),
        }
    }
}

fn whole_seconds(ttl: Duration) -> Option<u64> {
    (ttl.subsec_nanos() == 0 && ttl.as_secs() > 0).then_some(ttl.as_secs())
}

pub(super) fn millis(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).max(1)
}

pub(super) fn unix_ms(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(1, millis)
}

/// Whether something has to be there, or must not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// NX: only if it is missing.
    IfMissing,
    /// XX: only if it is there.
    IfPresent,
}

impl Condition {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::IfMissing => "NX",
            Self::IfPresent => "XX",
        }
    }
}

/// Options of SET.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SetOptions {
    /// When the key expires.
    pub expiry: Expiry,
    /// Whether the key has to be there, or must not be.
    pub condition: Option<Condition>,
}

impl SetOptions {
    pub(super) fn add_to(self, cmd: Cmd) -> Cmd {
        self.expiry.add_to(cmd.optional(self.condition.map(Condition::word)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Condition, Expiry, SetOptions};
    use crate::Cmd;
    use std::time::{Duration, UNIX_EPOCH};

    fn words(options: SetOptions) -> String {
        let cmd = options.add_to(Cmd::new("SET"));
        cmd.iter().skip(1).map(String::from_utf8_lossy).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn times_are_written_in_the_coarsest_unit_that_is_exact() {
        let expiry = |expiry| words(SetOptions { expiry, condition: None });
        assert_eq!(expiry(Expiry::Never), "");
        assert_eq!(expiry(Expiry::In(Duration::from_secs(60))), "EX 60");
        assert_eq!(expiry(Expiry::In(Duration::from_millis(1500))), "PX 1500");
        assert_eq!(expiry(Expiry::In(Duration::from_nanos(1))), "PX 1");
        assert_eq!(expiry(Expiry::At(UNIX_EPOCH + Duration::from_secs(5))), "PXAT 5000");
        let both = SetOptions { expiry: Expiry::Keep, condition: Some(Condition::IfPresent) };
        assert_eq!(words(both), "XX KEEPTTL");
    }
}
