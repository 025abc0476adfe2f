//! The latency monitor: when something took at least `latency-monitor-threshold`, kept by kind of event.

use std::collections::{BTreeMap, VecDeque};

use parking_lot::Mutex;

/// Samples kept of an event; the oldest goes first.
pub const SAMPLES_MAX: usize = 160;

/// When an event happened and how long it took. Within one second only the longest is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Unix time in seconds.
    pub time_s: u64,
    /// How long it took.
    pub ms: u64,
}

/// What is known of one kind of event.
#[derive(Clone, Debug, Default)]
pub struct Event {
    /// Oldest first.
    pub samples: VecDeque<Sample>,
    /// The longest ever.
    pub max_ms: u64,
    /// The sum of all samples ever.
    pub sum_ms: u64,
    /// How many there ever were.
    pub count: u64,
}

/// Slow events by kind. Bound: the kinds are few and fixed, and each keeps [`SAMPLES_MAX`].
#[derive(Debug, Default)]
pub struct LatencyMonitor {
    /// Taken where something was slow only.
    events: Mutex<BTreeMap<&'static str, Event>>,
}

impl LatencyMonitor {
    /// Keeps a sample.
    pub fn add(&self, kind: &'static str, time_s: u64, ms: u64) {
        let mut events = self.events.lock();
        let event = events.entry(kind).or_default();
        event.max_ms = event.max_ms.max(ms);
        event.sum_ms += ms;
        event.count += 1;
        match event.samples.back_mut() {
            Some(last) if last.time_s == time_s => last.ms = last.ms.max(ms),
            _ => {
                if event.samples.len() == SAMPLES_MAX {
                    event.samples.pop_front();
                }
                event.samples.push_back(Sample { time_s, ms });
            }
        }
    }

    /// All kinds of events that have samples.
    #[must_use]
    pub fn all(&self) -> Vec<(&'static str, Event)> {
        self.events.lock().iter().map(|(kind, event)| (*kind, event.clone())).collect()
    }

    /// One kind of event.
    #[must_use]
    pub fn get(&self, kind: &str) -> Option<Event> {
        self.events.lock().get(kind).cloned()
    }

    /// Forgets some kinds of events, or all if none is named; answers how many it forgot.
    pub fn reset<'a>(&self, kinds: impl ExactSizeIterator<Item = &'a [u8]>) -> usize {
        let mut events = self.events.lock();
        if kinds.len() == 0 {
            return std::mem::take(&mut *events).len();
        }
        kinds.filter(|kind| std::str::from_utf8(kind).is_ok_and(|kind| events.remove(kind).is_some())).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn within_a_second_the_longest_is_kept() {
        let monitor = LatencyMonitor::default();
        for (time_s, ms) in [(1, 5), (1, 9), (1, 7), (2, 3)] {
            monitor.add("command", time_s, ms);
        }
        let event = monitor.get("command").unwrap();
        assert_eq!(event.samples, [Sample { time_s: 1, ms: 9 }, Sample { time_s: 2, ms: 3 }]);
        assert_eq!((event.max_ms, event.count), (9, 4));
    }

    #[test]
    fn the_oldest_sample_goes_first() {
        let monitor = LatencyMonitor::default();
        for time_s in 0..200 {
            monitor.add("command", time_s, 1);
        }
        let event = monitor.get("command").unwrap();
        assert_eq!((event.samples.len(), event.samples[0].time_s), (SAMPLES_MAX, 40));
    }

    #[test]
    fn a_reset_counts_what_it_forgot() {
        let monitor = LatencyMonitor::default();
        monitor.add("command", 1, 1);
        monitor.add("fast-command", 1, 1);
        assert_eq!(monitor.reset([&b"nothing"[..]].into_iter()), 0);
        assert_eq!(monitor.reset([&b"command"[..]].into_iter()), 1);
        assert_eq!(monitor.reset([].into_iter()), 1);
    }
}
