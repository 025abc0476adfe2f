//! Look-aside replay of a trace against one server: the part that `replay` and `hitratio` share.

use crate::error::{BenchError, Result};
use crate::load::outcome::Outcome;
use crate::load::values::{SizeRange, SizeSpread, ValuePool};
use crate::net::encode::{push_bulk_header, push_decimal};
use crate::net::{Client, Reply};
use crate::proc::usage;
use crate::stats::mean;
use crate::trace::{Access, Trace};

/// How a trace is replayed.
#[derive(Debug, Clone)]
pub struct LookAside {
    /// Requests in flight together; a key that occurs twice ends a window early, so that order is kept per key.
    pub window: usize,
    /// Connections that a window is spread over, by key.
    pub connections: usize,
    /// Size of values when the trace tells none or is not asked, in bytes.
    pub value_size: usize,
    /// Take the trace's sizes, up to so many bytes.
    pub trace_sizes_max: Option<usize>,
    /// Samples of entries and memory over the run.
    pub samples: usize,
}

/// What a replay measured.
#[derive(Debug, Clone, Default)]
pub struct Replayed {
    /// Hits.
    pub hits: u64,
    /// Counts, errors and latencies of the windows' GETs.
    pub outcome: Outcome,
    /// SETs that the server refused.
    pub refused_sets: u64,
    /// Mean number of keys held, over the samples.
    pub entries_mean: f64,
    /// Largest resident size among the samples, and the kernel's own high-water mark at the end.
    pub peak_rss_bytes: u64,
}

impl Replayed {
    /// Hits among all accesses, 0 to 1.
    pub fn hit_ratio(&self) -> f64 {
        self.hits as f64 / self.outcome.requests.max(1) as f64
    }
}

struct Run<'a> {
    options: &'a LookAside,
    clients: Vec<Client>,
    /// Requests for each connection: SETs of the window before, then this window's GETs.
    out: Vec<Vec<u8>>,
    /// Per connection the SETs that come before the GETs, and the accesses that are asked for.
    sets: Vec<usize>,
    asked: Vec<Vec<Access>>,
    values: ValuePool,
    rng: fastrand::Rng,
    result: Replayed,
}

impl LookAside {
    /// Replays `trace` on the server behind `sampler`; `pid` is its process, if it runs on this machine.
    ///
    /// # Errors
    /// Those of the connections.
    pub fn replay(
        &self,
        trace: &Trace,
        sampler: &mut Client,
        pid: Option<u32>,
        mut on_progress: impl FnMut(u64),
    ) -> Result<Replayed> {
        let mut run = Run::new(self, sampler)?;
        let sample_every = (trace.accesses.len() / self.samples.max(1)).max(1);
        let mut next_sample = sample_every;
        let mut entries = Vec::new();
        let start = std::time::Instant::now();
        let mut at = 0;
        while at < trace.accesses.len() {
            at += run.window(&trace.accesses[at..])?;
            if at >= next_sample {
                next_sample = at + sample_every;
                entries.push(sampler.dbsize()? as f64);
                if let Some(pid) = pid {
                    run.result.peak_rss_bytes = run.result.peak_rss_bytes.max(usage::memory(pid)?.rss_bytes);
                }
                on_progress(at as u64);
            }
        }
        run.finish()?;
        let mut result = run.result;
        result.outcome.elapsed = start.elapsed();
        result.entries_mean = mean(&entries);
        if let Some(pid) = pid {
            result.peak_rss_bytes = result.peak_rss_bytes.max(usage::memory(pid)?.peak_rss_bytes);
        }
        Ok(result)
    }

    fn size_of(&self, access: &Access) -> usize {
        match (self.trace_sizes_max, access.size) {
            (Some(max), Some(size)) => (size as usize).clamp(1, max.max(1)),
            _ => self.value_size,
        }
    }
}

impl<'a> Run<'a> {
    fn new(options: &'a LookAside, sampler: &Client) -> Result<Self> {
        if options.window == 0 || options.connections == 0 {
            return Err(BenchError::Usage("window and connections must be at least 1".to_owned()));
        }
        let connections = options.connections;
        let clients = (0..connections).map(|_| Client::connect(sampler.addr())).collect::<Result<_>>()?;
        let largest = options.value_size.max(options.trace_sizes_max.unwrap_or(0));
        let mut rng = fastrand::Rng::with_seed(1);
        let sizes = SizeRange { min: 0, max: largest };
        Ok(Self {
            options,
            clients,
            out: vec![Vec::new(); connections],
            sets: vec![0; connections],
            asked: vec![Vec::new(); connections],
            values: ValuePool::new(sizes, SizeSpread::Uniform, &mut rng),
            rng,
            result: Replayed::default(),
        })
    }

    /// Asks for as many accesses as fit into a window and tells how many that were.
    fn window(&mut self, accesses: &[Access]) -> Result<usize> {
        let mut taken = 0;
        for access in accesses.iter().take(self.options.window) {
            let connection = connection_of(access.key, self.clients.len());
            if self.asked[connection].iter().any(|other| other.key == access.key) {
                break;
            }
            self.asked[connection].push(*access);
            self.out[connection].extend_from_slice(b"*2\r\n$3\r\nGET\r\n");
            push_key(&mut self.out[connection], access.key);
            taken += 1;
        }
        self.exchange()?;
        Ok(taken)
    }

    /// Sends what has been gathered, reads every reply, and gathers the SETs for the misses.
    fn exchange(&mut self) -> Result<()> {
        let start = std::time::Instant::now();
        for (client, out) in self.clients.iter_mut().zip(&mut self.out) {
            if !out.is_empty() {
                client.send(out)?;
                out.clear();
            }
        }
        for connection in 0..self.clients.len() {
            let sets = std::mem::take(&mut self.sets[connection]);
            let asked = std::mem::take(&mut self.asked[connection]);
            let mut missed = Vec::new();
            let mut seen = 0;
            let result = &mut self.result;
            self.clients[connection].receive(sets + asked.len(), |reply| {
                let get = seen >= sets;
                match reply {
                    Reply::Error(line) => {
                        result.outcome.count_error(line);
                        result.refused_sets += u64::from(!get);
                    }
                    Reply::Null if get => missed.push(asked[seen - sets]),
                    Reply::Value if get => result.hits += 1,
                    _ => {}
                }
                seen += 1;
            })?;
            self.result.outcome.requests += asked.len() as u64;
            self.result.outcome.latencies.record(start.elapsed().as_nanos() as u64, asked.len() as u64);
            for access in &missed {
                self.push_set(connection, access);
            }
        }
        Ok(())
    }

    fn push_set(&mut self, connection: usize, access: &Access) {
        let size = self.options.size_of(access);
        let out = &mut self.out[connection];
        out.extend_from_slice(b"*3\r\n$3\r\nSET\r\n");
        push_key(out, access.key);
        push_bulk_header(out, size);
        out.extend_from_slice(self.values.cut(size, &mut self.rng));
        out.extend_from_slice(b"\r\n");
        self.sets[connection] += 1;
    }

    /// Sends the last window's SETs.
    fn finish(&mut self) -> Result<()> {
        self.exchange()
    }
}

/// Keys are names of 16 bytes or a little more, so that small numbers cost what large ones cost.
fn push_key(out: &mut Vec<u8>, key: u64) {
    let mut name = Vec::with_capacity(24);
    push_decimal(&mut name, key);
    let width = name.len().max(16);
    push_bulk_header(out, width);
    out.resize(out.len() + width - name.len(), b'0');
    out.extend_from_slice(&name);
    out.extend_from_slice(b"\r\n");
}

/// Neighbouring keys go to different connections.
fn connection_of(key: u64, connections: usize) -> usize {
    (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33) as usize % connections
}
