//! The batch form: many keys, one read of the cache, one call of the loader.

use std::{error::Error, future::Future, sync::Arc};

use bytes::Bytes;
use tokio::time::Instant;
use tracing::Instrument;

use super::{
    Backend, Cache, CacheError, Codec, LoadOptions, Shared, decode_outcome,
    flight::{Passenger, Pilot, Role},
    load::{Load, publish_all},
    lookup::Found,
};

/// A key that this caller leads the load of: its place among the keys asked for, and when the value that it replaces was
/// loaded.
struct Led {
    at: usize,
    pilot: Pilot,
    load: Load,
}

/// What is to be answered for a key.
enum Answer<T> {
    Now(Option<T>),
    Later { passenger: Passenger, stale: Option<T> },
}

impl<B: Backend, C: Send + Sync + 'static> Cache<B, C> {
    /// The values of many keys in their order, each nothing if there is none. The cache is read once; what is missing
    /// and loaded by nobody else yet is given to the loader in one call, as places in `keys`, and the loader answers
    /// the values for these places in the same order. The call counts as one load towards the limit; leases are not used.
    ///
    /// # Errors
    /// Any [`CacheError`]: that of the first key without a value to answer. A loader that answers another number of
    /// values than it was asked for fails.
    pub async fn get_many_or_load<K, T, E, F, Fut>(
        &self,
        keys: &[K],
        options: &LoadOptions,
        loader: F,
    ) -> Result<Vec<Option<T>>, CacheError>
    where
        K: AsRef<[u8]>,
        C: Codec<T>,
        T: Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
        F: FnOnce(Vec<usize>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<Vec<Option<T>>, E>> + Send + 'static,
    {
        let stored_keys: Vec<Bytes> = keys.iter().map(|key| self.shared.key(key.as_ref())).collect();
        let (answers, led) = self.look_up_many::<T>(&stored_keys, options).await;
        if !led.is_empty() {
            let shared = Arc::clone(&self.shared);
            let options = options.clone();
            let load = async move { load_many::<B, C, T, E, F, Fut>(&shared, led, options, loader).await };
            tokio::spawn(load.instrument(tracing::debug_span!("cache_load_many")));
        }
        let mut values = Vec::with_capacity(answers.len());
        for answer in answers {
            values.push(match answer {
                Answer::Now(value) => value,
                Answer::Later { passenger, stale } => match (passenger.outcome().await, stale) {
                    (Ok(envelope), _) => decode_outcome::<C, T>(&envelope, options)?,
                    (Err(_), Some(stale)) => {
                        self.shared.metrics.counters.stale_on_error.increment();
                        Some(stale)
                    }
                    (Err(error), None) => return Err(error),
                },
            });
        }
        Ok(values)
    }

    /// Reads the keys, and joins or begins a flight for each that is missing or ageing.
    async fn look_up_many<T>(&self, keys: &[Bytes], options: &LoadOptions) -> (Vec<Answer<T>>, Vec<Led>)
    where
        C: Codec<T>,
    {
        let flights = &self.shared.flights;
        let counters = &self.shared.metrics.counters;
        let marks: Vec<u64> = keys.iter().map(|key| flights.mark(key)).collect();
        let read = if keys.is_empty() { Vec::new() } else { self.shared.read_many(keys).await.unwrap_or_default() };
        let (mut answers, mut led) = (Vec::with_capacity(keys.len()), Vec::new());
        for (at, key) in keys.iter().enumerate() {
            let load = |seen_created_ms| Load { mark: marks[at], seen_created_ms, options: options.clone() };
            let bytes = read.get(at).and_then(Option::as_ref);
            let stale = match self.shared.judge::<C, T>(bytes, options) {
                Found::Fresh { value } => {
                    answers.push(Answer::Now(value));
                    continue;
                }
                Found::Aging { value, created_ms, is_stale } => {
                    if let Some(pilot) = flights.try_lead(key) {
                        self.shared.count_refresh(is_stale);
                        led.push(Led { at, pilot, load: load(Some(created_ms)) });
                    }
                    answers.push(Answer::Now(value));
                    continue;
                }
                Found::Expired { value } => Some(value),
                Found::Missing => None,
            };
            let passenger = match flights.join(key) {
                Role::Leader(pilot) => {
                    let passenger = pilot.passenger();
                    led.push(Led { at, pilot, load: load(None) });
                    passenger
                }
                Role::Follower(passenger) => {
                    counters.coalesced.increment();
                    passenger
                }
            };
            answers.push(Answer::Later { passenger, stale });
        }
        (answers, led)
    }
}

async fn load_many<B, C, T, E, F, Fut>(shared: &Shared<B>, led: Vec<Led>, options: LoadOptions, loader: F)
where
    B: Backend,
    C: Codec<T>,
    T: Send + 'static,
    E: Into<Box<dyn Error + Send + Sync>>,
    F: FnOnce(Vec<usize>) -> Fut + Send + 'static,
    Fut: Future<Output = Result<Vec<Option<T>>, E>> + Send + 'static,
{
    let permit = match shared.limit.acquire().await {
        Ok(permit) => permit,
        Err(error) => {
            shared.metrics.counters.shed.add(led.len() as u64);
            return led.iter().for_each(|led| led.pilot.publish(Err(error.clone())));
        }
    };
    let led = without_those_stored_meanwhile::<B, C, T>(shared, led).await;
    if led.is_empty() {
        return;
    }
    shared.metrics.counters.loads.add(led.len() as u64);
    let places: Vec<usize> = led.iter().map(|led| led.at).collect();
    let asked = places.len();
    let started = Instant::now();
    let load = async move {
        let values = loader(places).await.map_err(Into::into)?;
        let is_complete = values.len() == asked;
        let wrong = || format!("the loader answered {} values for {asked} keys", values.len()).into();
        if is_complete { Ok(values) } else { Err(wrong()) }
    };
    let loaded = shared.call(load, options.load_timeout).await;
    let load_time = started.elapsed();
    drop(permit);
    shared.count_end(loaded.is_ok(), load_time);
    let values = match loaded {
        Ok(values) => values,
        Err(error) => {
            let pilots: Vec<Pilot> = led.into_iter().map(|led| led.pilot).collect();
            return publish_all(&pilots, &Err(error));
        }
    };
    let mut to_store = Vec::with_capacity(led.len());
    for (Led { pilot, .. }, value) in led.into_iter().zip(values) {
        match value.as_ref().map(C::encode).transpose() {
            Ok(payload) => {
                let (envelope, ttl) = shared.seal(C::ID, payload.map(Bytes::from), load_time, &options);
                pilot.publish(Ok(envelope.clone()));
                to_store.push((pilot, envelope, ttl));
            }
            Err(error) => pilot.publish(Err(CacheError::Encode(error))),
        }
    }
    // Nobody waits for these any more; one after the other is gentle to the connections.
    for (pilot, envelope, ttl) in to_store {
        shared.store(&pilot, &envelope, ttl).await;
    }
}

/// Looks again at the keys for which another flight ended since they were read: who led it may have stored the value.
async fn without_those_stored_meanwhile<B: Backend, C: Codec<T>, T>(shared: &Shared<B>, led: Vec<Led>) -> Vec<Led> {
    let (again, mut missing): (Vec<Led>, Vec<Led>) =
        led.into_iter().partition(|led| led.pilot.may_be_cached_since(led.load.mark));
    if again.is_empty() {
        return missing;
    }
    let keys: Vec<Bytes> = again.iter().map(|led| led.pilot.key().clone()).collect();
    let read = shared.read_many(&keys).await.unwrap_or_default();
    for (index, led) in again.into_iter().enumerate() {
        let bytes = read.get(index).and_then(Option::as_ref);
        match bytes.and_then(|bytes| led.load.newer::<B, C, T>(shared, bytes)) {
            Some(envelope) => led.pilot.publish(Ok(envelope)),
            None => missing.push(led),
        }
    }
    missing
}
