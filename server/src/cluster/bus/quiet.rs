//! One log line a minute per source and kind of trouble, so that whoever makes trouble cannot fill the disk.

use std::{collections::HashMap, hash::Hash, net::IpAddr, time::Duration};

/// How long a source is not mentioned again.
pub const SILENCE: Duration = Duration::from_secs(60);

/// Sources, with their kinds of trouble, that are remembered; beyond it, new ones are not mentioned.
pub const SOURCES_MAX: usize = 1024;

/// Decides which troubles are worth a line. `K`: the kinds of trouble; few, as a source may make each of them.
#[derive(Debug)]
pub struct Quiet<K> {
    mentioned_ms: HashMap<(IpAddr, K), u64>,
}

impl<K> Default for Quiet<K> {
    fn default() -> Self {
        Self { mentioned_ms: HashMap::new() }
    }
}

impl<K: Copy + Eq + Hash> Quiet<K> {
    /// Whether a trouble that `source` makes now is to be mentioned. Time is any clock's that only goes on.
    pub fn may_mention(&mut self, source: IpAddr, kind: K, now_ms: u64) -> bool {
        let source = (source, kind);
        let silence_ms = SILENCE.as_millis() as u64;
        if self.mentioned_ms.len() >= SOURCES_MAX {
            self.mentioned_ms.retain(|_, at_ms| now_ms.saturating_sub(*at_ms) < silence_ms);
        }
        let known = self.mentioned_ms.get(&source).copied();
        let is_due = known.is_none_or(|at_ms| now_ms.saturating_sub(at_ms) >= silence_ms);
        let may = is_due && (known.is_some() || self.mentioned_ms.len() < SOURCES_MAX);
        if may {
            self.mentioned_ms.insert(source, now_ms);
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn a_source_is_mentioned_once_a_minute() {
        let (mut quiet, source) = (Quiet::default(), IpAddr::V4(Ipv4Addr::LOCALHOST));
        assert!(quiet.may_mention(source, (), 1000));
        assert!(!quiet.may_mention(source, (), 60_999));
        assert!(quiet.may_mention(source, (), 61_000));
    }

    #[test]
    fn another_kind_of_trouble_from_the_same_source_is_mentioned() {
        let (mut quiet, source) = (Quiet::default(), IpAddr::V4(Ipv4Addr::LOCALHOST));
        assert!(quiet.may_mention(source, "garbage", 0));
        assert!(quiet.may_mention(source, "another secret", 1));
        assert!(!quiet.may_mention(source, "garbage", 2));
    }

    #[test]
    fn sources_beyond_the_limit_are_not_mentioned_until_others_are_forgotten() {
        let mut quiet = Quiet::default();
        let source = |index: u32| IpAddr::V4(Ipv4Addr::from_bits(index));
        for index in 0..SOURCES_MAX as u32 {
            assert!(quiet.may_mention(source(index), (), 0));
        }
        assert!(!quiet.may_mention(source(5000), (), 1));
        assert!(quiet.may_mention(source(5000), (), 60_000));
    }
}
