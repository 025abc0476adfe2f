//! A slow origin: every request takes the same time, a limited number run together, the rest wait in line.

use std::collections::VecDeque;

/// The origin, driven by the fleet's clock in nanoseconds since the start.
#[derive(Debug)]
pub(super) struct Origin {
    latency_ns: u64,
    /// When each of the places that requests run in becomes free, earliest first. All requests take the same time, so
    /// places become free in the order in which they were taken.
    free_at: VecDeque<u64>,
    /// Requests in the order of their completion: when, and for which key.
    pending: VecDeque<(u64, u64)>,
    places: usize,
    longest_wait_ns: u64,
    longest_queue: u64,
}

impl Origin {
    /// An origin with `places` requests at a time.
    pub(super) fn new(latency_ns: u64, places: usize) -> Self {
        Self {
            latency_ns,
            free_at: std::iter::repeat_n(0, places.max(1)).collect(),
            pending: VecDeque::new(),
            places: places.max(1),
            longest_wait_ns: 0,
            longest_queue: 0,
        }
    }

    /// A request for `key` arrives.
    pub(super) fn ask(&mut self, key: u64, now_ns: u64) {
        let free_ns = self.free_at.pop_front().unwrap_or(now_ns);
        let done_ns = free_ns.max(now_ns) + self.latency_ns;
        self.free_at.push_back(done_ns);
        self.pending.push_back((done_ns, key));
        self.longest_wait_ns = self.longest_wait_ns.max(done_ns - now_ns);
        let queue = self.pending.len().saturating_sub(self.places) as u64;
        self.longest_queue = self.longest_queue.max(queue);
    }

    /// The next key whose answer is ready at `now_ns`.
    pub(super) fn answer(&mut self, now_ns: u64) -> Option<u64> {
        let &(done_ns, key) = self.pending.front()?;
        (done_ns <= now_ns).then(|| {
            self.pending.pop_front();
            key
        })
    }

    /// The longest time from a request to its answer so far.
    pub(super) fn longest_wait_ns(&self) -> u64 {
        self.longest_wait_ns
    }

    /// The most requests that waited for a place so far.
    pub(super) fn longest_queue(&self) -> u64 {
        self.longest_queue
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_beyond_the_places_wait_in_line() {
        let mut origin = Origin::new(10, 2);
        for key in 0..5 {
            origin.ask(key, 0);
        }
        assert_eq!(origin.answer(9), None);
        let done = |origin: &mut Origin, now_ns| std::iter::from_fn(|| origin.answer(now_ns)).collect::<Vec<_>>();
        assert_eq!(done(&mut origin, 10), [0, 1]);
        assert_eq!(done(&mut origin, 20), [2, 3]);
        assert_eq!(done(&mut origin, 30), [4]);
        assert_eq!(origin.longest_wait_ns(), 30);
        assert_eq!(origin.longest_queue(), 3);
    }

    #[test]
    fn an_idle_origin_takes_just_its_latency() {
        let mut origin = Origin::new(10, 2);
        origin.ask(1, 100);
        assert_eq!(origin.answer(109), None);
        assert_eq!(origin.answer(110), Some(1));
        assert_eq!(origin.longest_wait_ns(), 10);
    }
}
