//! The near cache's own client as its source.

use std::{
    hash::Hasher,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use rondache_protocol::{
    resp::value::Value,
    slot::{SLOTS, slot_of},
};
use xxhash_rust::xxh3::Xxh3Default;

use super::source::{Fetched, Route, Source};
use crate::{
    Client, Cmd, FromValue,
    cache::BackendError,
    conn::{Outcome, Payload},
    topology::Link,
};

impl Route for Arc<Link> {
    fn node(&self) -> Arc<str> {
        self.name()
    }
}

impl Source for Client {
    type Route = Arc<Link>;

    fn route(&self, key: &[u8]) -> Option<Arc<Link>> {
        self.inner.with_topology(|topology| topology.owner(slot_of(key)).cloned())
    }

    async fn fetch(&self, route: &Arc<Link>, key: &Bytes) -> Option<Fetched> {
        // The TTL comes second: the node tracks the key from the GET on, and reports what happens in between.
        let get = Cmd::new("GET").arg(&key[..]);
        let pttl = Cmd::new("PTTL").arg(&key[..]);
        let until = Instant::now() + self.deadline.min(self.inner.config.attempt_timeout);
        let sent = self.inner.send(route, Payload::Many(&[&get, &pttl]), until).await;
        let Ok(Outcome::Many(replies)) = sent else {
            return None;
        };
        let [value, ttl_ms] = <[Value; 2]>::try_from(replies).ok()?;
        let value = Option::<Bytes>::from_value(value).ok()?;
        let ttl_ms = i64::from_value(ttl_ms).ok()?;
        // -1 is a key without a TTL, -2 no key: the node reports when one appears.
        let lives_for = u64::try_from(ttl_ms).ok().map(Duration::from_millis);
        Some(Fetched { value, lives_for })
    }

    async fn fetch_anywhere(&self, key: &Bytes) -> Result<Option<Bytes>, BackendError> {
        Ok(self.query(Cmd::new("GET").arg(&key[..])).await?)
    }

    async fn ping(&self, route: &Arc<Link>, within: Duration) -> bool {
        let ping = Cmd::new("PING");
        matches!(
            self.inner.send(route, Payload::One(&ping), Instant::now() + within).await,
            Ok(Outcome::One(reply)) if reply.as_error().is_none()
        )
    }

    fn routes(&self) -> Vec<(Arc<Link>, u64)> {
        let topology = self.inner.topology();
        let mut digests: Vec<(Arc<Link>, Xxh3Default)> =
            topology.nodes.iter().map(|node| (Arc::clone(node), Xxh3Default::new())).collect();
        let mut last: Option<&Arc<Link>> = None;
        for slot in 0..SLOTS {
            let owner = topology.owner(slot);
            let is_same = owner.map(Arc::as_ptr) == last.map(Arc::as_ptr);
            if is_same {
                continue;
            }
            // Where the slots of one node end, and those of another one begin: that says it all.
            for node in [last, owner].into_iter().flatten() {
                if let Some((_, digest)) = digests.iter_mut().find(|(known, _)| Arc::ptr_eq(known, node)) {
                    digest.write_u16(slot);
                }
            }
            last = owner;
        }
        // Nodes without slots have nothing to report.
        let empty = Xxh3Default::new().digest();
        digests
            .into_iter()
            .map(|(node, digest)| (node, digest.digest()))
            .filter(|(_, digest)| *digest != empty)
            .collect()
    }
}
