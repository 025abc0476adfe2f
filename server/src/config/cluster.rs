//! The settings of a node's part in a cluster: where it listens for whom, whom it joins, and how the cluster behaves.

use std::net::{IpAddr, SocketAddr};

use super::settings::Settings;
use crate::cluster::member::WEIGHT_ONE;

/// From the main port to the redirect port.
const REDIRECT_OFFSET: u16 = 1000;
/// From the main port to the admin port.
const ADMIN_OFFSET: u16 = 2000;
/// From the main port to the bus port.
pub const BUS_OFFSET: u16 = 10_000;

/// Whether a node serves writes while it sees no majority of its cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PartitionPolicy {
    /// Both sides of a partition serve; at the heal firm claims win, slot by slot.
    #[default]
    Available,
    /// A node that sees no majority refuses writes.
    Majority,
}

/// Which of a slot's holders answers reads that come in on the main port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReadFrom {
    /// The owner: a read sees every acknowledged write.
    #[default]
    Owner,
    /// A copy, where there is one in sync.
    Replica,
    /// This node if it holds the slot in any role, else one in its zone, else the owner.
    Nearest,
}

/// The settings of a node's part in a cluster.
#[derive(Clone, Debug)]
pub struct ClusterSettings {
    /// `redirect-listen`; empty: the addresses of `listen` with port + 1000.
    pub redirect_listen: Vec<SocketAddr>,
    /// `bus-listen`; empty: the addresses of `listen` with port + 10000.
    pub bus_listen: Vec<SocketAddr>,
    /// `admin-listen`; empty: the addresses of `listen` with port + 2000.
    pub admin_listen: Vec<SocketAddr>,
    /// `advertise`: host name or address by which others reach this node; empty: the first address of `listen`.
    pub advertise: String,
    /// The address that stands for this node, where one was found at its start: what `advertise` names, or what others see
    /// of a node that listens everywhere.
    pub advertised_ip: Option<IpAddr>,
    /// `join`: `HOST:PORT` of main ports of nodes to join, any of which suffices.
    pub join: Vec<String>,
    /// `node-name`
    pub node_name: String,
    /// `cluster-name`: nodes with different ones never join each other.
    pub name: String,
    /// `cluster-secret`; empty: none.
    pub secret: String,
    /// `replicas`: copies of each slot besides its owner.
    pub replicas: usize,
    /// `write-acks`: copies that must have a write before it is acknowledged.
    pub write_acks: usize,
    /// `partition-policy`
    pub partition_policy: PartitionPolicy,
    /// `weight` in hundredths; 0: owns nothing.
    pub weight: u32,
    /// `zone`; empty: none.
    pub zone: String,
    /// `read-from`
    pub read_from: ReadFrom,
    /// `rebalance-bandwidth`: bytes a second that a node sends of slots that move; 0: no limit.
    pub rebalance_bytes_per_s: u64,
    /// `request-deadline`: how long a request may wait for its slot's owner, in ms.
    pub request_deadline_ms: u64,
    /// `probe-interval`: time between two probes of other members, in ms.
    pub probe_interval_ms: u64,
    /// `suspicion-timeout`: how long a member that missed its probe may refute that it is dead, in ms.
    pub suspicion_ms: u64,
    /// `forget-after`: how long a dead member counts for the majority, in ms, unless another takes its place; 0: for ever.
    pub forget_after_ms: u64,
}

impl Default for ClusterSettings {
    fn default() -> Self {
        Self {
            redirect_listen: Vec::new(),
            bus_listen: Vec::new(),
            admin_listen: Vec::new(),
            advertise: String::new(),
            advertised_ip: None,
            join: Vec::new(),
            node_name: String::new(),
            name: "rondache".to_owned(),
            secret: String::new(),
            replicas: 1,
            write_acks: 0,
            partition_policy: PartitionPolicy::Available,
            weight: WEIGHT_ONE,
            zone: String::new(),
            read_from: ReadFrom::Owner,
            rebalance_bytes_per_s: 64 * 1024 * 1024,
            request_deadline_ms: 5000,
            probe_interval_ms: 300,
            suspicion_ms: 1200,
            forget_after_ms: 10 * 60 * 1000,
        }
    }
}

impl Settings {
    /// Where cluster clients connect.
    #[must_use]
    pub fn redirect_addrs(&self) -> Vec<SocketAddr> {
        self.given_or_beside(&self.cluster.redirect_listen, REDIRECT_OFFSET)
    }

    /// Where other nodes connect, and where their datagrams arrive.
    #[must_use]
    pub fn bus_addrs(&self) -> Vec<SocketAddr> {
        self.given_or_beside(&self.cluster.bus_listen, BUS_OFFSET)
    }

    /// Where operators' programs connect.
    #[must_use]
    pub fn admin_addrs(&self) -> Vec<SocketAddr> {
        self.given_or_beside(&self.cluster.admin_listen, ADMIN_OFFSET)
    }

    fn given_or_beside(&self, given: &[SocketAddr], offset: u16) -> Vec<SocketAddr> {
        if !given.is_empty() {
            return given.to_vec();
        }
        let beside = |addr: &SocketAddr| {
            let port = match addr.port() {
                0 => 0,
                // Beyond the last port: any free one, which the log names and members tell each other.
                port => port.checked_add(offset).unwrap_or(0),
            };
            SocketAddr::new(addr.ip(), port)
        };
        self.listen.iter().map(beside).collect()
    }

    /// Whether only clients on this machine may connect: there is no password, and nothing says that this node is part of
    /// a cluster of several machines.
    #[must_use]
    pub fn is_protected(&self) -> bool {
        self.protected_mode && self.password.is_empty() && !self.is_meant_for_others()
    }

    /// Whether a node at `peer` may connect to the bus, before it proves who it is. A password does not open the bus: it
    /// is for clients.
    #[must_use]
    pub fn bus_accepts(&self, peer: IpAddr) -> bool {
        !self.protected_mode || self.is_meant_for_others() || peer.to_canonical().is_loopback()
    }

    /// Whether somebody said that nodes on other machines belong to this one.
    fn is_meant_for_others(&self) -> bool {
        !self.cluster.join.is_empty() || !self.cluster.secret.is_empty()
    }

    /// The name for people: `node-name`, or else the host's and the main port.
    #[must_use]
    pub fn node_name(&self) -> String {
        if !self.cluster.node_name.is_empty() {
            return self.cluster.node_name.clone();
        }
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let host = if host.trim().is_empty() { "node" } else { host.trim() };
        let port = self.listen.first().map_or(0, SocketAddr::port);
        format!("{host}:{port}")
    }

    /// The address by which others reach `addr` of this node: what was found at its start in place of the host, loopback
    /// where the node listens everywhere and nothing better is known.
    #[must_use]
    pub fn advertised(&self, addr: SocketAddr) -> SocketAddr {
        let is_named = !self.cluster.advertise.is_empty();
        if let Some(ip) = self.cluster.advertised_ip.filter(|_| is_named || addr.ip().is_unspecified()) {
            return SocketAddr::new(ip, addr.port());
        }
        if !addr.ip().is_unspecified() {
            return addr;
        }
        let ip = match addr {
            SocketAddr::V4(_) => IpAddr::from([127, 0, 0, 1]),
            SocketAddr::V6(_) => IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]),
        };
        SocketAddr::new(ip, addr.port())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listening(addr: &str) -> Settings {
        Settings { listen: vec![addr.parse().unwrap()], ..Settings::default() }
    }

    #[test]
    fn the_other_ports_stand_beside_the_main_one() {
        let settings = listening("127.0.0.1:7001");
        assert_eq!(settings.redirect_addrs(), ["127.0.0.1:8001".parse().unwrap()]);
        assert_eq!(settings.admin_addrs(), ["127.0.0.1:9001".parse().unwrap()]);
        assert_eq!(settings.bus_addrs(), ["127.0.0.1:17001".parse().unwrap()]);
    }

    #[test]
    fn any_free_port_beside_any_free_port_or_beyond_the_last() {
        assert_eq!(listening("127.0.0.1:0").redirect_addrs(), ["127.0.0.1:0".parse().unwrap()]);
        assert_eq!(listening("[::1]:60000").bus_addrs(), ["[::1]:0".parse().unwrap()]);
    }

    #[test]
    fn an_address_that_was_given_stands() {
        let mut settings = listening("127.0.0.1:7001");
        settings.cluster.redirect_listen = vec!["127.0.0.1:5".parse().unwrap()];
        assert_eq!(settings.redirect_addrs(), ["127.0.0.1:5".parse().unwrap()]);
    }

    #[test]
    fn a_secret_or_a_seed_opens_the_node_to_other_machines() {
        let other = IpAddr::from([10, 0, 0, 1]);
        let mut settings = Settings::default();
        assert!(settings.is_protected() && !settings.bus_accepts(other));
        assert!(settings.bus_accepts(IpAddr::from([127, 0, 0, 1])));
        settings.password = "p".to_owned();
        assert!(!settings.is_protected() && !settings.bus_accepts(other), "a password is for clients");
        settings.password.clear();
        settings.cluster.secret = "s".to_owned();
        assert!(!settings.is_protected() && settings.bus_accepts(other));
        settings.cluster.secret.clear();
        settings.cluster.join = vec!["a:1".to_owned()];
        assert!(!settings.is_protected() && settings.bus_accepts(other));
    }

    #[test]
    fn an_advertised_address_replaces_the_host_and_keeps_the_port() {
        let mut settings = listening("0.0.0.0:7001");
        let addr = settings.listen[0];
        assert_eq!(settings.advertised(addr), "127.0.0.1:7001".parse().unwrap());
        settings.cluster.advertised_ip = Some(IpAddr::from([10, 1, 2, 3]));
        assert_eq!(settings.advertised(addr), "10.1.2.3:7001".parse().unwrap());
        let one = "127.0.0.1:7001".parse().unwrap();
        assert_eq!(settings.advertised(one), one, "where it listens is an address");
        settings.cluster.advertise = "host".to_owned();
        assert_eq!(settings.advertised(one), "10.1.2.3:7001".parse().unwrap());
    }
}
