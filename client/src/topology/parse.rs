//! Reading CLUSTER SLOTS.

use rondache_protocol::{resp::value::Value, slot::SLOTS};

use crate::config::seed::Seed;

/// A run of slots with one owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SlotRange {
    pub(crate) first: u16,
    pub(crate) last: u16,
    pub(crate) owner: Seed,
    pub(crate) copies: Vec<Seed>,
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
        nodes.insert(range.owner.clone());
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
    let copies = copies.filter(|copy| *copy != owner).collect();
    Some(SlotRange { first, last, owner, copies })
}

fn node(value: &Value, asked: &Seed) -> Option<Seed> {
    let Value::Array(fields) = value else {
        return None;
    };
    let [host, Value::Integer(port), ..] = fields.as_slice() else {
        return None;
    };
    let port = u16::try_from(*port).ok().filter(|port| *port > 0)?;
    let host = match host {
        Value::Null => "",
        text => std::str::from_utf8(text.as_bytes()?).ok()?,
    };
    // "?" is what a node writes that doesn't know its own address.
    if host.is_empty() || host == "?" {
        return Some(Seed { host: asked.host.clone(), port });
    }
    let is_plain = host.len() <= 255 && host.chars().all(|char| char.is_ascii_graphic());
    is_plain.then(|| Seed::new(host, port))
}

#[cfg(test)]
mod tests {
    use super::{SlotRange, slot_ranges};
    use crate::config::seed::Seed;
    use bytes::Bytes;
    use rondache_protocol::resp::value::Value;

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
        let wanted = SlotRange { first: 0, last: 99, owner: Seed::new("a", 7), copies: vec![Seed::new("b", 8)] };
        assert_eq!(ranges, Some(vec![wanted]));
    }

    #[test]
    fn a_host_that_is_left_out_is_the_one_that_was_asked() {
        for host in [Value::Null, text(""), text("?")] {
            let ranges = read(vec![range(0, 1, vec![node(host, 7)])]).expect("ranges");
            assert_eq!(ranges.first().map(|range| range.owner.clone()), Some(Seed::new("asked", 7)));
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
