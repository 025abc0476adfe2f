//! The slow log: commands that took long, newest first.

use std::collections::VecDeque;

use parking_lot::Mutex;
use rondache_protocol::command::CommandSpec;

use crate::{
    command::{args::Args, redact},
    session::client::Client,
};

/// Arguments kept of a command; the last tells how many more there were.
const ARGS_MAX: usize = 32;
/// Bytes kept of an argument.
const ARG_LEN_MAX: usize = 128;

/// A command that took long.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Counts up from 0 during the node's life.
    pub id: u64,
    /// When it ran: unix time in seconds.
    pub time_s: u64,
    /// How long it took, in µs.
    pub duration_us: u64,
    /// Its arguments, trimmed.
    pub args: Vec<Vec<u8>>,
    /// The client's address.
    pub client_addr: String,
    /// The client's name.
    pub client_name: String,
}

/// The slow log. Bound: `slowlog-max-len`; the oldest entry goes first.
#[derive(Debug, Default)]
pub struct SlowLog {
    /// Guards the entries; taken for commands that were slow only.
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    next_id: u64,
    /// Newest first.
    entries: VecDeque<Entry>,
}

impl SlowLog {
    /// Keeps a command, and `len_max` entries in all.
    pub fn push(
        &self,
        spec: &CommandSpec,
        args: &Args<'_>,
        client: &Client,
        time_s: u64,
        duration_us: u64,
        len_max: usize,
    ) {
        let args = trimmed(spec, args);
        let client_name = client.facts.lock().name.clone();
        let mut inner = self.inner.lock();
        let id = inner.next_id;
        inner.next_id += 1;
        let client_addr = client.addr.to_string();
        inner.entries.push_front(Entry { id, time_s, duration_us, args, client_addr, client_name });
        inner.entries.truncate(len_max);
    }

    /// The newest entries.
    #[must_use]
    pub fn newest(&self, count: usize) -> Vec<Entry> {
        self.inner.lock().entries.iter().take(count).cloned().collect()
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.inner.lock().entries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all entries; their numbers are not given again.
    pub fn reset(&self) {
        self.inner.lock().entries.clear();
    }
}

fn trimmed(spec: &CommandSpec, args: &Args<'_>) -> Vec<Vec<u8>> {
    let kept = if args.len() > ARGS_MAX { ARGS_MAX - 1 } else { args.len() };
    let mut out: Vec<Vec<u8>> = (0..kept)
        .map(|index| {
            let arg = if redact::hides(spec, args, index) { redact::REPLACEMENT } else { args.get(index) };
            let mut bytes = arg[..arg.len().min(ARG_LEN_MAX)].to_vec();
            if arg.len() > ARG_LEN_MAX {
                bytes.extend_from_slice(format!("... ({} more bytes)", arg.len() - ARG_LEN_MAX).as_bytes());
            }
            bytes
        })
        .collect();
    if kept < args.len() {
        out.push(format!("... ({} more arguments)", args.len() - kept).into_bytes());
    }
    out
}

#[cfg(test)]
mod tests {
    use rondache_protocol::command;

    use super::*;
    use crate::command::args::OwnedArgs;

    fn trimmed_text(parts: &[&str]) -> Vec<String> {
        let args = OwnedArgs::from_parts(parts);
        let spec = command::spec(command::lookup(parts[0].as_bytes()).unwrap());
        trimmed(spec, &args.as_args()).into_iter().map(|arg| String::from_utf8(arg).unwrap()).collect()
    }

    #[test]
    fn long_arguments_and_many_are_trimmed() {
        let long = "x".repeat(130);
        assert_eq!(trimmed_text(&["get", &long])[1], format!("{}... (2 more bytes)", "x".repeat(128)));
        let many: Vec<_> = std::iter::once("del").chain(std::iter::repeat_n("k", 39)).collect();
        let kept = trimmed_text(&many);
        assert_eq!((kept.len(), kept[31].as_str()), (32, "... (9 more arguments)"));
    }

    #[test]
    fn passwords_are_left_out() {
        assert_eq!(trimmed_text(&["config", "set", "requirepass", "x", "hz", "1"])[3..], ["(redacted)", "hz", "1"]);
        assert_eq!(trimmed_text(&["auth", "u", "p"])[1..], ["(redacted)", "(redacted)"]);
        assert_eq!(trimmed_text(&["hello", "3", "auth", "u", "p"])[1..], ["3", "auth", "(redacted)", "(redacted)"]);
    }
}
