//! WAIT, as it goes on: the owners are asked again and again how many copies have what the connection wrote.

use std::time::{Duration, Instant};

use rondache_protocol::resp::writer::{ReplyWriter, RespVersion};

use super::wave::{Joining, Wave};
use crate::command::args::Args;

/// The pause before the owners are asked again: doubled each time, up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(1);
const PAUSE_MAX: Duration = Duration::from_millis(16);

/// A WAIT under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WaitFor {
    /// How many copies it wants.
    wanted: i64,
    /// Until when; `None`: for ever.
    until: Option<Instant>,
    /// How its parts join the wave.
    pub(crate) joining: Joining,
    /// What was counted last.
    counted: i64,
    /// How often.
    counts: u32,
}

impl WaitFor {
    /// By the command's arguments, which were looked at before.
    pub(crate) fn of(args: &Args<'_>, joining: Joining, now: Instant) -> Option<Self> {
        let (wanted, timeout_ms) = (args.integer(1).ok()?, u64::try_from(args.integer(2).ok()?).ok()?);
        // Longer than the clock counts is for ever.
        let until = if timeout_ms == 0 { None } else { now.checked_add(Duration::from_millis(timeout_ms)) };
        Some(Self { wanted, until, joining, counted: 0, counts: 0 })
    }

    fn is_over(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| until <= now)
    }

    /// By when the owners' answers are needed that are asked now.
    pub(crate) fn deadline(&self, now: Instant, patience: Duration) -> Instant {
        self.until.map_or(now + patience, |until| until.min(now + patience))
    }
}

impl Wave {
    /// Of a WAIT whose owners have all answered: until when it pauses before it asks them again; `None`: it is answered,
    /// or this is none. `is_alone`: there is nobody who could have a copy.
    pub(crate) fn count_again(&mut self, now: Instant, is_alone: bool) -> Option<Instant> {
        let mut wait = self.wait?;
        wait.counted = self.gathers.first().map_or(0, |gather| gather.least(self, 0));
        if wait.counted >= wait.wanted || is_alone || wait.is_over(now) {
            self.wait = Some(wait);
            self.end_wait(false);
            return None;
        }
        let pause = PAUSE_MIN * 2_u32.saturating_pow(wait.counts.min(8));
        wait.counts += 1;
        self.wait = Some(wait);
        let at = now + pause.min(PAUSE_MAX);
        Some(wait.until.map_or(at, |until| until.min(at)))
    }

    /// Ends a WAIT whose time is over though an owner has not answered yet.
    pub(crate) fn end_late_wait(&mut self, now: Instant) -> bool {
        let is_late = self.wait.is_some_and(|wait| wait.is_over(now));
        if is_late {
            self.end_wait(false);
        }
        is_late
    }

    /// Ends a WAIT with what was counted last, or with an error (CLIENT UNBLOCK).
    pub(crate) fn end_wait(&mut self, with_error: bool) {
        let Some(wait) = self.wait.take() else { return };
        self.items.clear();
        self.gathers.clear();
        self.unresolved = 0;
        if wait.joining.is_silent {
            return;
        }
        let mut reply = ReplyWriter::new(&mut self.local, RespVersion::V2);
        match with_error {
            true => reply.error("UNBLOCKED client unblocked via CLIENT UNBLOCK"),
            false => reply.integer(wait.counted),
        }
    }
}
