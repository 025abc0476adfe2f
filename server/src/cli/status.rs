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
use crate::cluster::status::{ClusterStatus, MemberState};

/// Time between two looks with `--watch`.
const INTERVAL: Duration = Duration::from_secs(1);
/// In larger clusters only the one node is asked.
const ASKED_MAX: usize = 64;
/// How long the others may take to answer.
const OTHERS_PATIENCE: Duration = Duration::from_millis(500);

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
        let mut status = client.status()?;
        ask_others(&mut status, options.target.password.as_ref());
        let text = render::status(&status);
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

/// Completes what only each member knows of itself: keys, memory, lag. One that does not answer stays without.
fn ask_others(status: &mut ClusterStatus, password: Option<&String>) {
    if status.members.len() > ASKED_MAX {
        return;
    }
    let myself = usize::from(status.myself);
    thread::scope(|scope| {
        let others = status.members.iter_mut().enumerate().filter(|(place, _)| *place != myself);
        for (_, member) in
            others.filter(|(_, member)| matches!(member.state, MemberState::Active | MemberState::Joining))
        {
            let target = Target { node: member.addrs.client.to_string(), password: password.cloned() };
            scope.spawn(move || {
                let Ok(told) = Client::connect_within(&target, OTHERS_PATIENCE).and_then(|mut client| client.status())
                else {
                    return;
                };
                if let Some(told) = told.me().filter(|told| told.id == member.id) {
                    member.keys = told.keys;
                    member.memory_bytes = told.memory_bytes;
                    member.memory_bytes_max = told.memory_bytes_max;
                    member.lag_ms = told.lag_ms;
                }
            });
        }
    });
}
