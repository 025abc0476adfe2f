//! `rondache status`: a cluster on a terminal.

use std::{
    io::{self, IsTerminal, Write},
    thread,
    time::Duration,
};

use super::{
    Target,
    client::{Client, ClientError},
    render,
};

/// Time between two looks with `--watch`.
const INTERVAL: Duration = Duration::from_secs(1);

/// What to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusOptions {
    /// Whom to ask.
    pub target: Target,
    /// Whether to go on until interrupted.
    pub watches: bool,
}

/// Shows the cluster.
///
/// # Errors
/// The node cannot be asked.
pub fn run(options: &StatusOptions) -> Result<(), ClientError> {
    let mut client = Client::connect(&options.target)?;
    loop {
        let text = render::status(&client.status()?);
        let mut out = io::stdout().lock();
        let begin = if options.watches && out.is_terminal() { "\x1b[H\x1b[2J" } else { "" };
        // Nobody reads any more: the end, and no error.
        if write!(out, "{begin}{text}").and_then(|()| out.flush()).is_err() || !options.watches {
            return Ok(());
        }
        drop(out);
        thread::sleep(INTERVAL);
    }
}
