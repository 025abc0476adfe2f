//! Clients that ask as fast as they get answers, deeply pipelined: together they leave no processor idle.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use rondache_protocol::resp::value::Value;
use tokio::task::JoinHandle;

use crate::wire::{Conn, WireError, encode};

/// Requests under way on a connection.
const DEPTH: u64 = 64;
const KEYS: u64 = 100_000;
const VALUE: [u8; 64] = [b'v'; 64];

/// What the clients saw.
#[derive(Clone, Debug, Default)]
pub struct Flooded {
    /// Requests that were answered.
    pub answered: u64,
    /// Error replies, and connections that broke.
    pub errors: u64,
    /// The first error's text.
    pub first_error: Option<String>,
}

impl Flooded {
    fn fail(&mut self, error: impl ToString) {
        self.errors += 1;
        self.first_error.get_or_insert_with(|| error.to_string());
    }
}

/// The clients at work.
#[derive(Debug)]
pub struct Flood {
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<Flooded>>,
}

impl Flood {
    /// Starts so many clients on each address. Half of what they ask is SET, half GET, all over the keyspace.
    #[must_use]
    pub fn start(addrs: &[SocketAddr], clients: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let all = addrs.iter().flat_map(|&addr| (0..clients as u64).map(move |seed| (addr, seed)));
        Self { clients: all.map(|(addr, seed)| tokio::spawn(client(addr, seed, stop.clone()))).collect(), stop }
    }

    /// Lets the clients finish what they are at, and answers what they saw.
    pub async fn finish(self) -> Flooded {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Flooded::default();
        for client in self.clients {
            match client.await {
                Ok(seen) => {
                    all.answered += seen.answered;
                    all.errors += seen.errors;
                    all.first_error = all.first_error.or(seen.first_error);
                }
                Err(error) => all.fail(error),
            }
        }
        all
    }
}

async fn client(addr: SocketAddr, seed: u64, stop: Arc<AtomicBool>) -> Flooded {
    let mut seen = Flooded::default();
    if let Err(error) = ask(addr, seed, &stop, &mut seen).await {
        seen.fail(error);
    }
    seen
}

async fn ask(addr: SocketAddr, seed: u64, stop: &AtomicBool, seen: &mut Flooded) -> Result<(), WireError> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut conn = Conn::open(addr).await?;
    while !stop.load(Ordering::Relaxed) {
        conn.send(|out| {
            for _ in 0..DEPTH {
                let key = format!("flood:{}", rng.u64(..KEYS));
                if rng.bool() {
                    encode(out, &[b"SET", key.as_bytes(), &VALUE]);
                } else {
                    encode(out, &[b"GET", key.as_bytes()]);
                }
            }
        })
        .await?;
        for _ in 0..DEPTH {
            match conn.read().await? {
                Value::Error(text) => seen.fail(String::from_utf8_lossy(&text)),
                _ => seen.answered += 1,
            }
        }
    }
    Ok(())
}
