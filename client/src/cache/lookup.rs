//! Reading the cache, and judging what was found: fresh, ageing, expired or missing.

use std::time::Duration;

use bytes::Bytes;

use super::{Backend, BackendError, Codec, LoadOptions, Shared, early, envelope::Envelope};

/// What the cache holds for a key, as a reader with these options sees it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<T> {
    /// Answer this value.
    Fresh { value: Option<T> },
    /// Answer this value, and refresh it in the background: it expires soon, or it has expired a short while ago.
    Aging { value: Option<T>, created_ms: u64, is_stale: bool },
    /// Load the value; answer this one if that fails.
    Expired { value: T },
    /// Load the value.
    Missing,
}

impl<B: Backend> Shared<B> {
    /// The key as it is stored.
    pub(super) fn key(&self, key: &[u8]) -> Bytes {
        if self.prefix.is_empty() { Bytes::copy_from_slice(key) } else { Bytes::from([&self.prefix, key].concat()) }
    }

    /// Reads a key, within the time allowed.
    pub(super) async fn read(&self, key: &Bytes) -> Result<Option<Bytes>, BackendError> {
        let read = tokio::time::timeout(self.read_timeout, self.backend.get(key)).await;
        self.read_outcome(read)
    }

    /// Reads keys, within the time allowed.
    pub(super) async fn read_many(&self, keys: &[Bytes]) -> Result<Vec<Option<Bytes>>, BackendError> {
        let read = tokio::time::timeout(self.read_timeout, self.backend.get_many(keys)).await;
        self.read_outcome(read)
    }

    fn read_outcome<R>(
        &self,
        read: Result<Result<R, BackendError>, tokio::time::error::Elapsed>,
    ) -> Result<R, BackendError> {
        let read = read.unwrap_or_else(|_| {
            Err(BackendError::new(format!("no answer from the cache within {:?}", self.read_timeout)))
        });
        if let Err(error) = &read {
            self.metrics.counters.backend_errors.increment();
            tracing::debug!(%error, "the cache cannot be read");
        }
        read
    }

    /// Reads a key and judges it. A cache that cannot be read has nothing.
    pub(super) async fn look_up<C: Codec<T>, T>(&self, key: &Bytes, options: &LoadOptions) -> Found<T> {
        let bytes = self.read(key).await.unwrap_or_default();
        self.judge::<C, T>(bytes.as_ref(), options)
    }

    /// Judges what was read, and counts it.
    pub(super) fn judge<C: Codec<T>, T>(&self, bytes: Option<&Bytes>, options: &LoadOptions) -> Found<T> {
        let found = self.judge_uncounted::<C, T>(bytes, options);
        let counters = &self.metrics.counters;
        match &found {
            Found::Aging { is_stale: true, .. } => counters.stale.increment(),
            Found::Fresh { value: Some(_) } | Found::Aging { value: Some(_), .. } => counters.hits.increment(),
            Found::Fresh { value: None } | Found::Aging { value: None, .. } => counters.negative_hits.increment(),
            Found::Expired { .. } | Found::Missing => counters.misses.increment(),
        }
        found
    }

    /// Counts a refresh that begins in the background.
    pub(super) fn count_refresh(&self, is_stale: bool) {
        if !is_stale {
            self.metrics.counters.early.increment();
        }
    }

    fn judge_uncounted<C: Codec<T>, T>(&self, bytes: Option<&Bytes>, options: &LoadOptions) -> Found<T> {
        let Some(envelope) = bytes.and_then(|bytes| self.open(bytes, C::ID, options)) else {
            return Found::Missing;
        };
        let value = match envelope.payload.as_deref().map(C::decode).transpose() {
            Ok(value) => value,
            Err(error) => {
                self.metrics.counters.undecodable.increment();
                tracing::debug!(%error, "a cached value cannot be decoded; it is loaded anew");
                return Found::Missing;
            }
        };
        self.judge_age(value, &envelope, options)
    }

    fn judge_age<T>(&self, value: Option<T>, envelope: &Envelope, options: &LoadOptions) -> Found<T> {
        let (now_ms, created_ms) = ((self.now_ms)(), envelope.created_ms);
        let (deadline_ms, load_time_us) = (envelope.fresh_until_ms, envelope.load_time_us);
        if envelope.is_fresh(now_ms) {
            let draw = 1.0 - fastrand::f64();
            if options.early_refresh > 0.0
                && early::is_due(now_ms, deadline_ms, load_time_us, options.early_refresh, draw)
            {
                return Found::Aging { value, created_ms, is_stale: false };
            }
            return Found::Fresh { value };
        }
        let Some(value) = value else {
            return Found::Missing;
        };
        let stale_for = Duration::from_millis(now_ms - deadline_ms);
        if stale_for < options.stale_while_revalidate {
            Found::Aging { value: Some(value), created_ms, is_stale: true }
        } else if stale_for < options.stale_if_error {
            Found::Expired { value }
        } else {
            Found::Missing
        }
    }

    /// The envelope of stored bytes, if it is intact and written with this codec and schema.
    pub(super) fn open(&self, bytes: &Bytes, codec: u8, options: &LoadOptions) -> Option<Envelope> {
        let envelope = Envelope::decode(bytes);
        let usable = envelope.filter(|envelope| envelope.codec == codec && envelope.schema == options.schema);
        if usable.is_none() {
            self.metrics.counters.undecodable.increment();
        }
        usable
    }

    /// The envelope of a value that was just loaded, and for how long to store it.
    pub(super) fn seal(
        &self,
        codec: u8,
        payload: Option<Bytes>,
        load_time: Duration,
        options: &LoadOptions,
    ) -> (Envelope, Duration) {
        let created_ms = (self.now_ms)();
        let is_absent = payload.is_none();
        let fresh_for = options.fresh_for(is_absent, fastrand::f64());
        let envelope = Envelope {
            codec,
            schema: options.schema,
            created_ms,
            fresh_until_ms: created_ms.saturating_add(u64::try_from(fresh_for.as_millis()).unwrap_or(u64::MAX)),
            load_time_us: u32::try_from(load_time.as_micros()).unwrap_or(u32::MAX),
            payload,
        };
        (envelope, fresh_for.saturating_add(options.kept_stale_for(is_absent)))
    }
}
