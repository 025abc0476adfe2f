//! Where to look for the cluster, and who founds it if there is none.
//!
//! `--join` names *client* ports, as the user knows them; the bus is 10,000 above, or named behind an `@` as `CLUSTER
//! NODES` does: `HOST`, `HOST:PORT`, `HOST:PORT@BUSPORT`. Names are resolved anew at every attempt.

use std::{fmt, str::FromStr};

use rondache_protocol::bus::identity::Identity;

use crate::config::cluster::BUS_OFFSET;

/// The client port where none is named.
pub const DEFAULT_PORT: u16 = 6379;
/// In how many rounds in a row the seeds must agree that there is no cluster. Together they take about a second: time for
/// the seeds of a fleet that starts at once to find each other.
const ROUNDS_TO_FOUND: u32 = 4;

/// A place where a member of the cluster may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seed {
    /// A name or an address.
    pub host: String,
    /// The port for clients, as it was given.
    pub client_port: u16,
    /// The port for nodes.
    pub bus_port: u16,
}

/// Why a text is no seed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SeedError {
    /// There is no host.
    #[error("'{0}' names no host: expected HOST:PORT, the address for clients of a node")]
    NoHost(String),
    /// A port is not one.
    #[error("'{0}' has no valid port: expected HOST:PORT with a port from 1 to 65535")]
    BadPort(String),
    /// There is no port 10,000 above.
    #[error("'{0}': the bus port would be above 65535; name it as HOST:PORT@BUSPORT")]
    NoBusPort(String),
}

impl FromStr for Seed {
    type Err = SeedError;

    fn from_str(text: &str) -> Result<Self, SeedError> {
        let port = |port: &str| match port.parse::<u16>() {
            Ok(port) if port != 0 => Ok(port),
            _ => Err(SeedError::BadPort(text.to_owned())),
        };
        let (place, bus_port) = match text.rsplit_once('@') {
            Some((place, bus)) => (place, Some(port(bus)?)),
            None => (text, None),
        };
        let is_bare_ip = place.parse::<std::net::Ipv6Addr>().is_ok() || place.ends_with(']');
        let (host, client_port) = match place.rsplit_once(':') {
            Some((host, client_port)) if !is_bare_ip => (host, port(client_port)?),
            _ => (place, DEFAULT_PORT),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(SeedError::NoHost(text.to_owned()));
        }
        let bus_port = match bus_port {
            Some(bus_port) => bus_port,
            None => client_port.checked_add(BUS_OFFSET).ok_or_else(|| SeedError::NoBusPort(text.to_owned()))?,
        };
        Ok(Self { host: host.to_owned(), client_port, bus_port })
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.client_port)
    }
}

/// What was found at one seed's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// This node.
    Itself,
    /// A node that looks for a cluster too.
    Seeker(Identity),
    /// Nobody, or nobody that answers.
    Nobody,
    /// A node that refuses this one: a mistake in the configuration.
    Refusal,
}

/// Decides when this node founds the cluster: when it is a seed, the lowest of those that can be reached, and none of
/// them knows of a cluster, for some rounds.
#[derive(Debug, Default)]
pub(super) struct Founding {
    rounds: u32,
}

impl Founding {
    /// Takes a round in which no seed knew of a cluster; answers whether `me` is to found it now.
    pub(super) fn may_found(&mut self, me: Identity, found: &[Found]) -> bool {
        let is_seed = found.contains(&Found::Itself);
        let is_lowest = found.iter().all(|found| match found {
            Found::Seeker(other) => me <= *other,
            Found::Refusal => false,
            Found::Itself | Found::Nobody => true,
        });
        self.rounds = if is_seed && is_lowest { self.rounds + 1 } else { 0 };
        self.rounds >= ROUNDS_TO_FOUND
    }
}

#[cfg(test)]
mod tests {
    use rondache_protocol::bus::identity::NodeId;

    use super::*;

    #[test]
    fn seeds_name_client_ports_and_may_name_the_bus_port() {
        let seed = |text: &str| text.parse::<Seed>().map(|seed| (seed.host, seed.client_port, seed.bus_port));
        assert_eq!(seed("node-a"), Ok(("node-a".to_owned(), 6379, 16379)));
        assert_eq!(seed("10.0.0.1:7001"), Ok(("10.0.0.1".to_owned(), 7001, 17001)));
        assert_eq!(seed("[::1]:7001"), Ok(("::1".to_owned(), 7001, 17001)));
        assert_eq!(seed("::1"), Ok(("::1".to_owned(), 6379, 16379)));
        assert_eq!(seed("[::1]"), Ok(("::1".to_owned(), 6379, 16379)));
        assert_eq!(seed("a:60000@123"), Ok(("a".to_owned(), 60000, 123)));
    }

    #[test]
    fn what_is_no_seed_is_told_why() {
        let error = |text: &str| text.parse::<Seed>().expect_err("no seed");
        assert_eq!(error(":7001"), SeedError::NoHost(":7001".to_owned()));
        assert_eq!(error("a:0"), SeedError::BadPort("a:0".to_owned()));
        assert_eq!(error("a:x"), SeedError::BadPort("a:x".to_owned()));
        assert_eq!(error("a:1@"), SeedError::BadPort("a:1@".to_owned()));
        assert_eq!(error("a:60000"), SeedError::NoBusPort("a:60000".to_owned()));
    }

    fn node(id: u128) -> Identity {
        Identity { generation: 1, id: NodeId(id) }
    }

    fn founds(me: Identity, found: &[Found]) -> bool {
        let mut founding = Founding::default();
        (0..ROUNDS_TO_FOUND).any(|_| founding.may_found(me, found))
    }

    #[test]
    fn the_lowest_reachable_seed_founds_the_cluster_and_no_other() {
        assert!(founds(node(1), &[Found::Itself, Found::Seeker(node(2)), Found::Nobody]));
        assert!(!founds(node(2), &[Found::Seeker(node(1)), Found::Itself]));
        assert!(!founds(node(1), &[Found::Seeker(node(2))]), "not a seed itself");
        assert!(!founds(node(1), &[Found::Itself, Found::Refusal]), "another cluster may be there");
    }

    #[test]
    fn a_lower_seed_that_appears_in_time_is_waited_for() {
        let mut founding = Founding::default();
        for _ in 1..ROUNDS_TO_FOUND {
            assert!(!founding.may_found(node(2), &[Found::Itself, Found::Nobody]));
        }
        assert!(!founding.may_found(node(2), &[Found::Itself, Found::Seeker(node(1))]));
        assert!(!founding.may_found(node(2), &[Found::Itself, Found::Nobody]), "counted anew");
    }
}
