//! Reading CLUSTER SLOTS.

use std::sync::Arc;

use rondache_protocol::{resp::value::Value, slot::SLOTS};

use crate::config::seed::Seed;

/// A run of slots with one owner.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SlotRange {
    pub(crate) first: u16,
    pub(crate) last: u16,
    pub(crate) owner: ListedNode,
    pub(crate) copies: Vec<ListedNode>,
}

/// A node as it is listed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ListedNode {
    /// Where cluster rules hold.
    pub(crate) addr: Seed,
    /// Where the node answers for every key, if it has such a port.
    pub(crate) main_port: Option<u16>,
    pub(crate) zone: Option<Arc<str>>,
    /// Its share of the slots; 1 where nothing is said.
    pub(crate) weight: f64,
}

impl ListedNode {
    /// Where it answers for every key.
    pub(crate) fn main(&self) -> Option<Seed> {
        self.main_port.map(|port| Seed { host: self.addr.host.clone(), port })
    }
}

/// Most nodes and ranges that are believed: far beyond any real cluster.
const RANGES_MAX: usize = SLOTS as usize;
const COPIES_MAX: usize = 16;
const NODES_MAX: usize = 4096;

/// Reads the reply of CLUSTER SLOTS; `asked` is whose host stands for hosts that are left out. What cannot be read is left
/// out: a slot without an owner is asked for by an entry. `None` if it is no such reply at all.
pub(crate) fn slot_ranges(reply: &Value, asked: &Seed) -> Option<Vec<SlotRange>> {
    let Value::Array(entries) = reply else {
        return None;
    };
    let mut nodes = std::collections::HashSet::new();
    let mut ranges = Vec::new();
    for entry in entries.iter().take(RANGES_MAX) {
        let Some(range) = slot_range(entry, asked) else {
            tracing::debug!(?entry, "unreadable entry of CLUSTER SLOTS");
            continue;
        };
        nodes.insert(range.owner.addr.clone());
        if nodes.len() > NODES_MAX {
            return None;
        }
        ranges.push(range);
    }
    // Entries of which none can be read are no cluster's.
    (entries.is_empty() || !ranges.is_empty()).then_some(ranges)
}

fn slot_range(entry: &Value, asked: &Seed) -> Option<SlotRange> {
    let Value::Array(fields) = entry else {
        return None;
    };
    let [Value::Integer(first), Value::Integer(last), owner, copies @ ..] = fields.as_slice() else {
        return None;
    };
    let (first, last) = (u16::try_from(*first).ok()?, u16::try_from(*last).ok()?);
    if first > last || last >= SLOTS {
        return None;
    }
    let owner = node(owner, asked)?;
    let copies = copies.iter().take(COPIES_MAX).filter_map(|copy| node(copy, asked));
    let copies = copies.filter(|copy| copy.addr != owner.addr).collect();
    Some(SlotRange { first, last, owner, copies })
}

fn node(value: &Value, asked: &Seed) -> Option<ListedNode> {
    let Value::Array(fields) = value else {
        return None;
    };
    let [host, Value::Integer(port), more @ ..] = fields.as_slice() else {
        return None;
    };
    let port = u16::try_from(*port).ok().filter(|port| *port > 0)?;
    let host = match host {
        Value::Null => "",
        text => std::str::from_utf8(text.as_bytes()?).ok()?,
    };
    let metadata = more.get(1);
    let listed = |addr| ListedNode {
        addr,
        main_port: main_port_of(metadata),
        zone: zone_of(metadata),
        weight: weight_of(metadata),
    };
    // "?" is what a node writes that doesn't know its own address.
    if host.is_empty() || host == "?" {
        return Some(listed(Seed { host: asked.host.clone(), port }));
    }
    let is_plain = host.len() <= 255 && host.chars().all(|char| char.is_ascii_graphic());
    is_plain.then(|| listed(Seed::new(host, port)))
}

/// What a node's metadata say under a name: a map, or a list in which names and values alternate.
fn metadata_text<'a>(metadata: Option<&'a Value>, wanted: &str) -> Option<&'a str> {
    let is_wanted = |name: &Value| name.as_bytes() == Some(wanted.as_bytes());
    let found = match metadata? {
        Value::Map(pairs) => pairs.iter().find(|(name, _)| is_wanted(name)).map(|(_, value)| value),
        Value::Array(words) => words.chunks_exact(2).find(|pair| pair.first().is_some_and(is_wanted))?.get(1),
        _ => None,
    };
    std::str::from_utf8(found?.as_bytes()?).ok()
}

fn main_port_of(metadata: Option<&Value>) -> Option<u16> {
    metadata_text(metadata, "main-port")?.parse().ok().filter(|port| *port > 0)
}

fn zone_of(metadata: Option<&Value>) -> Option<Arc<str>> {
    metadata_text(metadata, "availability-zone").filter(|zone| !zone.is_empty()).map(Arc::from)
}

fn weight_of(metadata: Option<&Value>) -> f64 {
    let weight = metadata_text(metadata, "weight").and_then(|text| text.parse().ok());
    weight.filter(|weight: &f64| weight.is_finite() && *weight >= 0.0).unwrap_or(1.0)
}

#[cfg(test)]
mod tests {
    use super::{ListedNode, SlotRange, slot_ranges};
    use crate::config::seed::Seed;
    use bytes::Bytes;
    use rondache_protocol::resp::value::Value;

    fn listed(host: &str, port: u16) -> ListedNode {
        ListedNode { addr: Seed::new(host, port), main_port: None, zone: None, weight: 1.0 }
    }

    fn text(text: &str) -> Value {
        Value::Bulk(Bytes::copy_from_slice(text.as_bytes()))
    }

    fn node(host: Value, port: i64) -> Value {
        Value::Array(vec![host, Value::Integer(port), text("id"), Value::Array(vec![])])
    }

    fn range(first: i64, last: i64, nodes: Vec<Value>) -> Value {
        Value::Array([Value::Integer(first), Value::Integer(last)].into_iter().chain(nodes).collect())
    }

    fn read(entries: Vec<Value>) -> Option<Vec<SlotRange>> {
        slot_ranges(&Value::Array(entries), &Seed::new("asked", 1))
    }

    #[test]
    fn ranges_have_an_owner_and_copies() {
        let ranges = read(vec![range(0, 99, vec![node(text("a"), 7), node(text("b"), 8)])]);
        let wanted = SlotRange { first: 0, last: 99, owner: listed("a", 7), copies: vec![listed("b", 8)] };
        assert_eq!(ranges, Some(vec![wanted]));
    }

    #[test]
    fn metadata_tell_main_port_zone_and_weight() {
        let pairs = [("hostname", "h"), ("main-port", "6"), ("availability-zone", "east"), ("weight", "2.5")];
        let as_map = Value::Map(pairs.iter().map(|(name, value)| (text(name), text(value))).collect());
        let as_list = Value::Array(pairs.iter().flat_map(|(name, value)| [text(name), text(value)]).collect());
        for metadata in [as_map, as_list] {
            let node = Value::Array(vec![text("a"), Value::Integer(7), text("id"), metadata]);
            let owner = read(vec![range(0, 1, vec![node])]).expect("ranges").remove(0).owner;
            assert_eq!(
                owner,
                ListedNode { main_port: Some(6), zone: Some("east".into()), weight: 2.5, ..listed("a", 7) }
            );
        }
    }

    #[test]
    fn a_weight_that_is_none_counts_as_one() {
        for weight in ["-1", "NaN", "inf", "x", ""] {
            let metadata = Value::Array(vec![text("weight"), text(weight)]);
            let node = Value::Array(vec![text("a"), Value::Integer(7), text("id"), metadata]);
            let owner = read(vec![range(0, 1, vec![node])]).expect("ranges").remove(0).owner;
            assert!((owner.weight - 1.0).abs() < f64::EPSILON, "{weight:?}");
        }
    }

    #[test]
    fn a_host_that_is_left_out_is_the_one_that_was_asked() {
        for host in [Value::Null, text(""), text("?")] {
            let ranges = read(vec![range(0, 1, vec![node(host, 7)])]).expect("ranges");
            assert_eq!(ranges.first().map(|range| range.owner.clone()), Some(listed("asked", 7)));
        }
    }

    #[test]
    fn nonsense_is_left_out_and_nothing_but_nonsense_is_no_topology() {
        let good = range(5, 6, vec![node(text("a"), 7)]);
        let bad = [
            range(-1, 5, vec![node(text("a"), 7)]),
            range(7, 6, vec![node(text("a"), 7)]),
            range(0, 16384, vec![node(text("a"), 7)]),
            range(0, 1, vec![node(text("a"), 0)]),
            range(0, 1, vec![node(text("a"), 70000)]),
            range(0, 1, vec![node(text("a b"), 7)]),
            range(0, 1, vec![]),
            Value::Null,
            Value::Array(vec![]),
        ];
        for bad in bad {
            assert_eq!(read(vec![bad.clone(), good.clone()]).map(|ranges| ranges.len()), Some(1), "{bad:?}");
            assert_eq!(read(vec![bad]), None);
        }
        assert_eq!(read(vec![]), Some(vec![]));
        assert_eq!(slot_ranges(&text("x"), &Seed::new("a", 1)), None);
    }
}
