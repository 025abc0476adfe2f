//! A backend in memory whose time is tokio's, and that fails or dawdles on demand.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::time::{Instant, sleep};

use super::{Backend, BackendError};

/// Clones share everything: several caches on one backend are several processes on one cluster.
#[derive(Clone, Default)]
pub(super) struct FakeBackend {
    entries: Arc<Mutex<HashMap<Bytes, (Bytes, Instant)>>>,
    is_down: Arc<AtomicBool>,
    /// How long each call takes, in milliseconds.
    latency_ms: Arc<AtomicU64>,
    gets: Arc<AtomicUsize>,
    sets: Arc<AtomicUsize>,
}

impl FakeBackend {
    pub(super) fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::Relaxed);
    }

    pub(super) fn set_latency(&self, latency: Duration) {
        self.latency_ms.store(latency.as_millis() as u64, Ordering::Relaxed);
    }

    /// Reads since the last call.
    pub(super) fn take_gets(&self) -> usize {
        self.gets.swap(0, Ordering::Relaxed)
    }

    /// Values stored since the last call.
    pub(super) fn take_sets(&self) -> usize {
        self.sets.swap(0, Ordering::Relaxed)
    }

    /// Puts bytes under a key, past the cache.
    pub(super) fn plant(&self, key: &str, value: impl Into<Bytes>) {
        let until = Instant::now() + Duration::from_secs(3600);
        self.entries.lock().insert(Bytes::copy_from_slice(key.as_bytes()), (value.into(), until));
    }

    /// The bytes under a key, and for how long they stay.
    pub(super) fn peek(&self, key: &[u8]) -> Option<(Bytes, Duration)> {
        let now = Instant::now();
        let entries = self.entries.lock();
        entries.get(key).filter(|(_, until)| *until > now).map(|(value, until)| (value.clone(), *until - now))
    }

    async fn answer(&self) -> Result<(), BackendError> {
        let latency = Duration::from_millis(self.latency_ms.load(Ordering::Relaxed));
        if !latency.is_zero() {
            sleep(latency).await;
        }
        if self.is_down.load(Ordering::Relaxed) { Err(BackendError::new("the backend is down")) } else { Ok(()) }
    }
}

impl Backend for FakeBackend {
    async fn get(&self, key: &Bytes) -> Result<Option<Bytes>, BackendError> {
        self.gets.fetch_add(1, Ordering::Relaxed);
        self.answer().await?;
        Ok(self.peek(key).map(|(value, _)| value))
    }

    async fn get_many(&self, keys: &[Bytes]) -> Result<Vec<Option<Bytes>>, BackendError> {
        self.gets.fetch_add(1, Ordering::Relaxed);
        self.answer().await?;
        Ok(keys.iter().map(|key| self.peek(key).map(|(value, _)| value)).collect())
    }

    async fn set(&self, key: &Bytes, value: Vec<u8>, ttl: Duration) -> Result<(), BackendError> {
        self.answer().await?;
        self.sets.fetch_add(1, Ordering::Relaxed);
        self.entries.lock().insert(key.clone(), (value.into(), Instant::now() + ttl));
        Ok(())
    }

    async fn delete(&self, keys: &[Bytes]) -> Result<(), BackendError> {
        self.answer().await?;
        let mut entries = self.entries.lock();
        keys.iter().for_each(|key| drop(entries.remove(key)));
        Ok(())
    }

    async fn acquire(&self, key: &Bytes, token: &str, ttl: Duration) -> Result<bool, BackendError> {
        self.answer().await?;
        if self.peek(key).is_some() {
            return Ok(false);
        }
        let token = Bytes::copy_from_slice(token.as_bytes());
        self.entries.lock().insert(key.clone(), (token, Instant::now() + ttl));
        Ok(true)
    }

    async fn release(&self, key: &Bytes, token: &str) -> Result<(), BackendError> {
        self.answer().await?;
        if self.peek(key).is_some_and(|(held, _)| held == token.as_bytes()) {
            self.entries.lock().remove(key);
        }
        Ok(())
    }
}
