//! A node is to join by a host name that leads to nobody at first, and elsewhere later.

use std::time::{Duration, Instant};

use super::isolation::{PORT, start_one};
use crate::{netns::Network, wire::WireError};

const NAME: &str = "cache.test";

/// What was seen.
#[derive(Debug)]
pub struct Report {
    /// What the node logged while nobody answered.
    pub told: String,
    /// How long after the change of the name both nodes had their shares.
    pub joined_after: Duration,
}

/// Runs the scenario.
///
/// # Errors
/// The namespaces can't be made.
///
/// # Panics
/// The node does not say that it looks for the cluster, or does not join it.
pub fn run() -> Result<Report, WireError> {
    let network = Network::new(2)?;
    let mut first = start_one(&network, 0, None, &[]);
    first.wait_ready();
    network.set_name(1, NAME, network.nobodys_addr())?;
    let mut second = start_one(&network, 1, Some(&format!("{NAME}:{PORT}")), &[]);
    let mut told = String::new();
    second.wait_until("tells that it is in no cluster", |node| {
        let log = node.log_tail();
        told = log.lines().find(|line| line.contains("not in a cluster yet")).unwrap_or_default().to_owned();
        !told.is_empty()
    });
    network.set_name(1, NAME, network.addr(0))?;
    let changed = Instant::now();
    first.wait_settled(2);
    second.wait_settled(2);
    Ok(Report { told, joined_after: changed.elapsed() })
}
