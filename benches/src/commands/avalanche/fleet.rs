//! The fleet: all its clients' reads, merged into ticks of one pipeline.

use std::time::{Duration, Instant};

use crate::error::{BenchError, Result};
use crate::load::distribution::Distribution;
use crate::load::keys::KeyFormat;
use crate::net::encode::{push_bulk, push_header};
use crate::net::{Client, Reply};
use crate::output::progress;
use crate::proc::Server;

use super::AvalancheArgs;
use super::origin::Origin;

const KEY_SIZE: usize = 16;
/// The fleet acts in steps of this length.
const TICK: Duration = Duration::from_millis(5);
/// Requests that are sent before their replies are read, so that neither side's buffers fill up.
const BATCH: usize = 500;

/// What a fleet saw.
#[derive(Debug, Clone, Default)]
pub(super) struct Played {
    /// Requests that reached the origin in each second.
    pub(super) origin_per_second: Vec<u64>,
    pub(super) longest_queue: u64,
    pub(super) longest_wait_ns: u64,
    pub(super) reads: u64,
    pub(super) hits: u64,
    pub(super) errors: u64,
    /// How far the fleet itself fell behind its schedule at worst; large values mean that its figures are too low.
    pub(super) late_ns_max: u64,
}

impl Played {
    /// Points for a plot: the middle of each second, and its count.
    pub(super) fn points(&self) -> Vec<(f64, f64)> {
        self.origin_per_second.iter().enumerate().map(|(second, &count)| (second as f64 + 0.5, count as f64)).collect()
    }
}

/// A fleet before its play.
pub(super) struct Fleet<'a> {
    args: &'a AvalancheArgs,
    /// Jitter that the clients apply themselves, in percent.
    client_jitter: u32,
    keys: KeyFormat,
    distribution: Distribution,
    rng: fastrand::Rng,
    value: Vec<u8>,
    origin: Origin,
    played: Played,
    requests: Vec<u8>,
}

impl<'a> Fleet<'a> {
    pub(super) fn new(args: &'a AvalancheArgs, client_jitter: u32) -> Result<Self> {
        Ok(Self {
            args,
            client_jitter: client_jitter.min(100),
            keys: KeyFormat::new(KEY_SIZE, args.keys)?,
            distribution: Distribution::new(args.distribution, args.keys),
            rng: fastrand::Rng::with_seed(args.seed),
            value: vec![b'v'; args.value_size],
            origin: Origin::new(args.origin_latency_ms * 1_000_000, args.origin_concurrency as usize),
            played: Played::default(),
            requests: Vec::new(),
        })
    }

    /// Fills the keys, then reads for the whole duration.
    pub(super) fn play(mut self, server: &Server) -> Result<Played> {
        let mut client = server.client()?;
        let all: Vec<u64> = (0..self.args.keys).collect();
        self.store(&mut client, &all)?;
        let duration = self.args.duration();
        let seconds = duration.as_secs_f64().ceil() as usize;
        self.played.origin_per_second = vec![0; seconds];
        let bar = progress::bar("second", Some(seconds as u64));
        let start = Instant::now();
        let mut due = Duration::ZERO;
        while due < duration {
            let now = start.elapsed();
            if now < due {
                std::thread::sleep(due - now);
            }
            let late = start.elapsed().saturating_sub(due).as_nanos() as u64;
            self.played.late_ns_max = self.played.late_ns_max.max(late);
            self.tick(&mut client, start, due)?;
            due += TICK;
            bar.set_position(due.as_secs());
        }
        bar.finish_and_clear();
        self.played.longest_queue = self.origin.longest_queue();
        self.played.longest_wait_ns = self.origin.longest_wait_ns();
        Ok(self.played)
    }

    /// Stores what the origin has answered, then does the reads of one tick.
    fn tick(&mut self, client: &mut Client, start: Instant, due: Duration) -> Result<()> {
        let now_ns = start.elapsed().as_nanos() as u64;
        let origin = &mut self.origin;
        let answered: Vec<u64> = std::iter::from_fn(|| origin.answer(now_ns)).collect();
        self.store(client, &answered)?;
        // Differences of running totals, so that no fraction of a read is lost.
        let total_at = |time: Duration| (time.as_secs_f64() * self.args.rate as f64) as usize;
        let reads = total_at(due + TICK) - total_at(due);
        let keys: Vec<u64> = (0..reads).map(|_| self.distribution.draw(&mut self.rng)).collect();
        for batch in keys.chunks(BATCH) {
            self.read(client, start, batch)?;
        }
        Ok(())
    }

    fn read(&mut self, client: &mut Client, start: Instant, keys: &[u64]) -> Result<()> {
        self.requests.clear();
        for &key in keys {
            self.requests.extend_from_slice(b"*2\r\n$3\r\nGET\r\n");
            self.keys.push(key, &mut self.requests);
        }
        let mut missed = Vec::new();
        let mut at = 0;
        let played = &mut self.played;
        client.pipeline(&self.requests, keys.len(), |reply| {
            match reply {
                Reply::Value => played.hits += 1,
                Reply::Null => missed.extend(keys.get(at)),
                Reply::Error(_) => played.errors += 1,
            }
            at += 1;
        })?;
        played.reads += keys.len() as u64;
        let now = start.elapsed();
        if let Some(count) = played.origin_per_second.get_mut(now.as_secs() as usize) {
            *count += missed.len() as u64;
        }
        for key in missed {
            self.origin.ask(key, now.as_nanos() as u64);
        }
        Ok(())
    }

    fn store(&mut self, client: &mut Client, keys: &[u64]) -> Result<()> {
        for batch in keys.chunks(BATCH) {
            self.requests.clear();
            for &key in batch {
                let ttl_ms = self.draw_ttl_ms().to_string();
                push_header(&mut self.requests, 5);
                push_bulk(&mut self.requests, b"SET");
                self.keys.push(key, &mut self.requests);
                push_bulk(&mut self.requests, &self.value);
                push_bulk(&mut self.requests, b"PX");
                push_bulk(&mut self.requests, ttl_ms.as_bytes());
            }
            let mut refused = None;
            client.pipeline(&self.requests, batch.len(), |reply| {
                if let Reply::Error(line) = reply {
                    refused.get_or_insert_with(|| String::from_utf8_lossy(line).into_owned());
                }
            })?;
            if let Some(reply) = refused {
                return Err(BenchError::Refused { command: "SET … PX".to_owned(), reply });
            }
        }
        Ok(())
    }

    /// The TTL, shortened by a random share when the clients jitter.
    fn draw_ttl_ms(&mut self) -> u64 {
        let ttl_ms = self.args.ttl.as_millis() as u64;
        let cut_ms_max = ttl_ms * u64::from(self.client_jitter) / 100;
        (ttl_ms - self.rng.u64(..=cut_ms_max)).max(1)
    }
}
