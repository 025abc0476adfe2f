//! WAIT, which asks every node and counts again where copies are behind.

use std::time::{Duration, Instant};

use super::Wave;
use crate::command::args::Args;

/// How long a WAIT that counted too few copies pauses before it counts again.
pub(crate) const WAIT_PAUSE: Duration = Duration::from_millis(2);

/// What WAIT asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WaitFor {
    /// How many copies.
    pub(crate) wanted: i64,
    /// For how long, in ms; 0: for ever.
    pub(crate) timeout_ms: i64,
}

impl WaitFor {
    /// By the command's arguments, which were looked at before.
    pub(crate) fn of(args: &Args<'_>) -> Option<Self> {
        Some(Self { wanted: args.integer(1).ok()?, timeout_ms: args.integer(2).ok()? })
    }

    /// The request that waits for the rest of the time; `None`: there is none.
    pub(crate) fn again(self, waited: Duration) -> Option<Vec<u8>> {
        let waited_ms = i64::try_from(waited.as_millis()).unwrap_or(i64::MAX);
        let rest_ms = if self.timeout_ms == 0 { 0 } else { self.timeout_ms.saturating_sub(waited_ms) };
        let is_over = self.timeout_ms != 0 && rest_ms <= 0;
        (!is_over).then(|| format!("*3\r\n$4\r\nWAIT\r\n{}{}", word(self.wanted), word(rest_ms)).into_bytes())
    }
}

fn word(number: i64) -> String {
    let digits = number.to_string();
    format!("${}\r\n{digits}\r\n", digits.len())
}

impl Wave {
    /// Where a WAIT counted too few copies: the request that goes on waiting, unless its time is over.
    pub(crate) fn wait_again(&self, now: Instant) -> Option<Vec<u8>> {
        let wait = self.wait?;
        let count = self.gathers.first()?.least(self, 0);
        if count >= wait.wanted { None } else { wait.again((now + WAIT_PAUSE).saturating_duration_since(self.began)) }
    }
}
