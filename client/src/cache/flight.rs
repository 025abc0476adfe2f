//! Single flight: of all who want a missing key, one loads it and the others wait for the outcome.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::watch;
use xxhash_rust::xxh3::xxh3_64;

use super::{envelope::Envelope, error::CacheError};

/// Locks, so that keys rarely contend for one.
const SHARDS: usize = 64;

/// The outcome of a load: the value in its envelope, or an error.
pub(crate) type Outcome = Result<Envelope, CacheError>;

/// The loads that are under way in this process.
#[derive(Debug)]
pub(crate) struct Flights {
    shards: Box<[Shard]>,
}

#[derive(Debug, Default)]
struct Shard {
    /// Guards which key is being loaded; held for nanoseconds, taken alone.
    flights: Mutex<HashMap<Bytes, Arc<Flight>>>,
    /// How many flights of this shard have ended.
    ended: AtomicU64,
}

#[derive(Debug)]
struct Flight {
    outcome: watch::Sender<Option<Outcome>>,
    is_invalidated: AtomicBool,
}

/// Part in a flight.
pub(crate) enum Role {
    /// This caller has to load the key.
    Leader(Pilot),
    /// Another one loads it.
    Follower(Passenger),
}

impl Flights {
    pub(crate) fn new() -> Self {
        Self { shards: (0..SHARDS).map(|_| Shard::default()).collect() }
    }

    /// A mark to be taken before the cache is read; see [`Pilot::may_be_cached_since`].
    pub(crate) fn mark(&self, key: &[u8]) -> u64 {
        self.shard(key).ended.load(Ordering::Acquire)
    }

    /// Joins the flight of a key, or begins one.
    pub(crate) fn join(self: &Arc<Self>, key: &Bytes) -> Role {
        let mut flights = self.shard(key).flights.lock();
        if let Some(flight) = flights.get(key) {
            return Role::Follower(Passenger { outcome: flight.outcome.subscribe() });
        }
        let flight = Arc::new(Flight { outcome: watch::Sender::new(None), is_invalidated: AtomicBool::new(false) });
        flights.insert(key.clone(), Arc::clone(&flight));
        Role::Leader(Pilot { flights: Arc::clone(self), key: key.clone(), flight })
    }

    /// Begins a flight if there is none.
    pub(crate) fn try_lead(self: &Arc<Self>, key: &Bytes) -> Option<Pilot> {
        match self.join(key) {
            Role::Leader(pilot) => Some(pilot),
            Role::Follower(_) => None,
        }
    }

    /// Keeps what is being loaded for a key out of the cache: it may have been read before a change that the caller
    /// knows of. Those who wait still get it; who comes from now on loads anew.
    pub(crate) fn invalidate(&self, key: &[u8]) {
        if let Some(flight) = self.shard(key).flights.lock().remove(key) {
            flight.is_invalidated.store(true, Ordering::Release);
        }
    }

    fn shard(&self, key: &[u8]) -> &Shard {
        &self.shards[xxh3_64(key) as usize % SHARDS]
    }
}

/// Who loads. When it is dropped without an outcome, by a panic or because its task was aborted, those who wait get
/// [`CacheError::Abandoned`], and the key may be loaded again.
pub(crate) struct Pilot {
    flights: Arc<Flights>,
    key: Bytes,
    flight: Arc<Flight>,
}

impl Pilot {
    pub(crate) fn key(&self) -> &Bytes {
        &self.key
    }

    /// Whether another flight ended since the mark was taken. If so, it may have filled the cache after this caller
    /// found nothing there, so that it should look again rather than load.
    pub(crate) fn may_be_cached_since(&self, mark: u64) -> bool {
        self.flights.mark(&self.key) != mark
    }

    /// Tells those who wait. The flight goes on until the pilot is dropped: who joins meanwhile gets this outcome.
    pub(crate) fn publish(&self, outcome: Outcome) {
        self.flight.outcome.send_replace(Some(outcome));
    }

    /// Whether what was loaded must not be cached.
    pub(crate) fn is_invalidated(&self) -> bool {
        self.flight.is_invalidated.load(Ordering::Acquire)
    }

    /// A waiter, for the leader's own caller.
    pub(crate) fn passenger(&self) -> Passenger {
        Passenger { outcome: self.flight.outcome.subscribe() }
    }
}

impl Drop for Pilot {
    fn drop(&mut self) {
        let shard = self.flights.shard(&self.key);
        let mut flights = shard.flights.lock();
        // After an invalidation another flight may stand under this key.
        if flights.get(&self.key).is_some_and(|flight| Arc::ptr_eq(flight, &self.flight)) {
            flights.remove(&self.key);
        }
        shard.ended.fetch_add(1, Ordering::Release);
        drop(flights);
        self.flight.outcome.send_if_modified(|outcome| {
            let is_abandoned = outcome.is_none();
            if is_abandoned {
                *outcome = Some(Err(CacheError::Abandoned));
            }
            is_abandoned
        });
    }
}

/// Who waits for a flight.
pub(crate) struct Passenger {
    outcome: watch::Receiver<Option<Outcome>>,
}

impl Passenger {
    /// The outcome. Cancelling it does no harm to the others.
    pub(crate) async fn outcome(mut self) -> Outcome {
        match self.outcome.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone().unwrap_or(Err(CacheError::Abandoned)),
            Err(_) => Err(CacheError::Abandoned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Bytes = Bytes::from_static(b"key");

    fn leader(flights: &Arc<Flights>) -> Pilot {
        flights.try_lead(&KEY).expect("nobody leads yet")
    }

    fn follower(flights: &Arc<Flights>) -> Passenger {
        match flights.join(&KEY) {
            Role::Follower(passenger) => passenger,
            Role::Leader(_) => panic!("there is no flight to join"),
        }
    }

    #[tokio::test]
    async fn all_followers_get_the_leaders_outcome() {
        let flights = Arc::new(Flights::new());
        let pilot = leader(&flights);
        let followers = [follower(&flights), follower(&flights)];
        pilot.publish(Err(CacheError::Missing));
        let late = follower(&flights);
        drop(pilot);
        for passenger in followers.into_iter().chain([late]) {
            assert!(matches!(passenger.outcome().await, Err(CacheError::Missing)));
        }
    }

    #[tokio::test]
    async fn a_leader_that_vanishes_wedges_nobody() {
        let flights = Arc::new(Flights::new());
        let pilot = leader(&flights);
        let passenger = follower(&flights);
        drop(pilot);
        assert!(matches!(passenger.outcome().await, Err(CacheError::Abandoned)));
        assert!(flights.try_lead(&KEY).is_some());
    }

    #[test]
    fn an_invalidation_detaches_the_flight() {
        let flights = Arc::new(Flights::new());
        let old = leader(&flights);
        flights.invalidate(&KEY);
        assert!(old.is_invalidated());
        let new = leader(&flights);
        drop(old);
        assert!(flights.try_lead(&KEY).is_none(), "the end of the old flight ended the new one");
        assert!(!new.is_invalidated());
    }

    #[test]
    fn a_flight_that_ended_meanwhile_shows() {
        let flights = Arc::new(Flights::new());
        let mark = flights.mark(&KEY);
        drop(leader(&flights));
        assert!(leader(&flights).may_be_cached_since(mark));
        let mark = flights.mark(&KEY);
        assert!(!leader(&flights).may_be_cached_since(mark));
    }
}
