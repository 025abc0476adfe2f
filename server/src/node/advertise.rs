//! Under which address others reach this node, where its settings don't say.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket},
};

use crate::{cluster::thread::seeds::Seed, config::settings::Settings};

/// Finds the address that stands for the node: that of the host which `advertise` names, or where the node listens on all
/// addresses the one that it has itself on the way to a seed, else on the way to the internet. `None`: what it listens on
/// is an address already.
///
/// # Errors
/// The host has no address.
pub(super) fn find(settings: &Settings, seeds: &[Seed]) -> io::Result<Option<IpAddr>> {
    let listen = settings.bus_addrs().first().copied();
    let prefers_v6 = listen.is_some_and(|addr| addr.is_ipv6());
    let host = &settings.cluster.advertise;
    if !host.is_empty() {
        return resolve(host, prefers_v6).map(Some);
    }
    if listen.is_none_or(|addr| !addr.ip().is_unspecified()) {
        return Ok(None);
    }
    let seeds = seeds.iter().flat_map(|seed| (seed.host.as_str(), seed.bus_port).to_socket_addrs().ok()).flatten();
    // Addresses that are kept for documentation: nobody is asked anything.
    let beyond: [IpAddr; 2] =
        [Ipv4Addr::new(192, 0, 2, 1).into(), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into()];
    let beyond = beyond.into_iter().filter(|ip| prefers_v6 || ip.is_ipv4()).map(|ip| SocketAddr::new(ip, 9));
    Ok(seeds.chain(beyond).find_map(on_the_way_to))
}

fn resolve(host: &str, prefers_v6: bool) -> io::Result<IpAddr> {
    let found: Vec<IpAddr> = (host, 0).to_socket_addrs()?.map(|addr| addr.ip()).collect();
    let best = found.iter().find(|ip| ip.is_ipv6() == prefers_v6).or_else(|| found.first());
    best.copied().ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the name has no address"))
}

/// The address that packets to `there` carry as their origin. None is sent.
fn on_the_way_to(there: SocketAddr) -> Option<IpAddr> {
    let any: IpAddr = if there.is_ipv6() { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(there).ok()?;
    socket.local_addr().ok().map(|addr| addr.ip()).filter(|ip| !ip.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listening(addr: &str) -> Settings {
        Settings { listen: vec![addr.parse().unwrap()], ..Settings::default() }
    }

    fn advertised(settings: &Settings, seeds: &[&str]) -> IpAddr {
        let seeds: Vec<Seed> = seeds.iter().map(|seed| seed.parse().unwrap()).collect();
        let mut settings = settings.clone();
        settings.cluster.advertised_ip = find(&settings, &seeds).unwrap();
        let addr = settings.listen[0];
        settings.advertised(addr).ip()
    }

    #[test]
    fn a_host_name_is_advertised_as_its_address() {
        let mut settings = listening("0.0.0.0:7001");
        settings.cluster.advertise = "localhost".to_owned();
        assert_eq!(advertised(&settings, &[]), Ipv4Addr::LOCALHOST);
        settings.cluster.advertise = "10.1.2.3".to_owned();
        assert_eq!(advertised(&settings, &[]), Ipv4Addr::new(10, 1, 2, 3));
    }

    #[test]
    fn a_name_without_an_address_is_an_error() {
        let mut settings = listening("127.0.0.1:7001");
        settings.cluster.advertise = "no-such-host.invalid".to_owned();
        assert!(find(&settings, &[]).is_err());
    }

    #[test]
    fn a_node_that_listens_everywhere_advertises_the_address_that_seeds_see() {
        assert_eq!(advertised(&listening("0.0.0.0:7001"), &["127.0.0.1:7002"]), Ipv4Addr::LOCALHOST);
        assert!(!advertised(&listening("0.0.0.0:7001"), &[]).is_unspecified());
    }

    #[test]
    fn a_node_that_listens_on_one_address_advertises_it() {
        assert_eq!(find(&listening("127.0.0.1:7001"), &["10.0.0.1:7002".parse().unwrap()]).unwrap(), None);
    }
}
