//! Watches a server's memory from a thread of its own while a load runs.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::net::Client;
use crate::proc::usage;

/// One look at a server.
#[derive(Debug, Clone, Copy)]
pub struct MemorySample {
    /// When.
    pub at: Instant,
    /// Resident size in bytes.
    pub rss_bytes: u64,
    /// What INFO calls used_memory, in bytes; 0 when it was not asked or did not answer.
    pub used_bytes: u64,
}

/// A running watch.
#[derive(Debug)]
pub struct MemorySampler {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<MemorySample>>,
}

impl MemorySampler {
    /// Looks at process `pid` every `interval`, and with `info` also asks the server there for used_memory.
    pub fn start(pid: u32, info: Option<SocketAddr>, interval: Duration) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut client = info.and_then(|addr| Client::connect(addr).ok());
            let mut samples = Vec::new();
            // Relaxed: the flag carries no data, and joining the thread orders the samples.
            while !stopped.load(Ordering::Relaxed) {
                let used = client.as_mut().and_then(|client| client.info_number("memory", "used_memory").ok());
                // A server that has ended has no more memory to look at.
                let Ok(memory) = usage::memory(pid) else {
                    break;
                };
                samples.push(MemorySample {
                    at: Instant::now(),
                    rss_bytes: memory.rss_bytes,
                    used_bytes: used.unwrap_or(0),
                });
                std::thread::sleep(interval);
            }
            samples
        });
        Self { stop, thread }
    }

    /// Ends the watch and returns what it saw, in order of time.
    pub fn finish(self) -> Vec<MemorySample> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_default()
    }
}
