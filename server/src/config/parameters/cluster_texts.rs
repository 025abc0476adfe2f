//! The cluster's parameters that are texts of their own form.

use std::net::SocketAddr;

use super::texts;
use crate::cluster::member::WEIGHT_ONE;

/// Seeds beyond this are a mistake: each is asked in turn.
const JOIN_MAX: usize = 256;
/// Longest name of a node, a zone or a cluster: they travel in every datagram of the gossip.
const NAME_LEN_MAX: usize = 64;
/// The greatest weight.
const WEIGHT_MAX: u32 = 100 * WEIGHT_ONE;
/// More frequent probes would be noise.
pub(super) const PROBE_INTERVAL_MIN_MS: u64 = 10;

/// Addresses to listen on, or none for the default.
pub(super) fn read_listen(text: &str) -> Result<Vec<SocketAddr>, String> {
    if text.trim().is_empty() { Ok(Vec::new()) } else { texts::read_listen(text) }
}

pub(super) fn read_join(text: &str) -> Result<Vec<String>, String> {
    let seeds: Vec<_> = text.split([',', ' ']).filter(|word| !word.is_empty()).map(str::to_owned).collect();
    if let Some(bad) = seeds.iter().find(|seed| !is_seed(seed)) {
        return Err(format!("'{bad}' must be HOST:PORT, such as 'cache-1.example:6379' or '10.0.0.1:6379'"));
    }
    if seeds.len() > JOIN_MAX {
        return Err(format!("there may be {JOIN_MAX} nodes at most"));
    }
    Ok(seeds)
}

/// Whether this is `HOST:PORT` or `HOST:PORT@BUSPORT`.
fn is_seed(text: &str) -> bool {
    let (place, bus_port) = text.split_once('@').map_or((text, None), |(place, bus_port)| (place, Some(bus_port)));
    let Some((host, port)) = place.rsplit_once(':') else { return false };
    let is_plain = !host.is_empty() && !host.contains(':');
    let is_bracketed = host.starts_with('[') && host.ends_with(']') && place.parse::<SocketAddr>().is_ok();
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0);
    (is_plain || is_bracketed) && is_port(port) && bus_port.is_none_or(is_port)
}

pub(super) fn read_host(text: &str) -> Result<String, String> {
    let is_name = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
    if is_name || text.parse::<std::net::IpAddr>().is_ok() {
        return Ok(text.to_owned());
    }
    Err(format!("'{text}' is neither a host name nor an IP address; ports are not part of it"))
}

pub(super) fn read_name(text: &str) -> Result<String, String> {
    if text.len() > NAME_LEN_MAX {
        return Err(format!("a name may have {NAME_LEN_MAX} bytes at most"));
    }
    if text.chars().any(|letter| letter.is_control() || letter.is_whitespace() || letter == ',') {
        return Err("a name may not contain blanks, commas or control characters".to_owned());
    }
    Ok(text.to_owned())
}

pub(super) fn read_cluster_name(text: &str) -> Result<String, String> {
    if text.is_empty() { Err("a cluster needs a name".to_owned()) } else { read_name(text) }
}

/// Reads a decimal number into hundredths, without floating point.
pub(super) fn read_weight(text: &str) -> Result<u32, String> {
    let refusal = || "argument must be a decimal number from 0 to 100, with two decimals at most".to_owned();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 3 || fraction.len() > 2 || !is_digits(whole) || !is_digits(fraction) {
        return Err(refusal());
    }
    let whole: u32 = whole.parse().map_err(|_| refusal())?;
    let hundredths: u32 = format!("{fraction:0<2}").parse().map_err(|_| refusal())?;
    let weight = whole * WEIGHT_ONE + hundredths;
    if weight > WEIGHT_MAX { Err(refusal()) } else { Ok(weight) }
}

pub(super) fn show_weight(weight: u32) -> String {
    let (whole, hundredths) = (weight / WEIGHT_ONE, weight % WEIGHT_ONE);
    match hundredths {
        0 => whole.to_string(),
        tenths if tenths % 10 == 0 => format!("{whole}.{}", tenths / 10),
        _ => format!("{whole}.{hundredths:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_read_exactly() {
        for (text, weight, shown) in [
            ("1", 100, "1"),
            ("0.5", 50, "0.5"),
            ("2.25", 225, "2.25"),
            ("0", 0, "0"),
            ("100", 10_000, "100"),
            ("0.05", 5, "0.05"),
        ] {
            assert_eq!(read_weight(text), Ok(weight), "{text}");
            assert_eq!(show_weight(weight), shown);
        }
        for bad in ["", "-1", "1.234", "101", "100.01", "1e2", "x", ".5", "1.x", "nan"] {
            assert!(read_weight(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn seeds_are_hosts_with_ports() {
        assert_eq!(read_join("a:1@9, 10.0.0.1:2,[::1]:3").unwrap(), ["a:1@9", "10.0.0.1:2", "[::1]:3"]);
        assert_eq!(read_join("").unwrap(), Vec::<String>::new());
        for bad in ["a", "a:", ":1", "a:0", "a:70000", "::1:3", "a:b", "a:1@", "a:1@0", "a:1@b"] {
            assert!(read_join(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_are_single_words() {
        assert!(read_name("rack-7").is_ok() && read_name("").is_ok());
        assert!(read_name("a b").is_err() && read_name("a\n").is_err() && read_name(&"x".repeat(65)).is_err());
        assert!(read_cluster_name("").is_err());
        assert!(read_host("cache-1.example").is_ok() && read_host("::1").is_ok() && read_host("a:1").is_err());
    }
}
