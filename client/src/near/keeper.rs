//! Keeps the bound on staleness: proves that connections are alive, and notices slots that move.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::{task::JoinSet, time::Instant};

use super::{
    source::{Route, Source},
    store::NearStore,
};

/// So often within the bound each connection is tried, so that one late answer does not cost the entries.
const TRIES: u32 = 4;

/// Runs until the near cache is gone.
pub(super) async fn run<S: Source>(store: Weak<NearStore>, source: Arc<S>)
where
    S::Route: 'static,
{
    let mut digests: HashMap<Arc<str>, u64> = HashMap::new();
    loop {
        let Some(store) = store.upgrade() else { return };
        let interval = (store.config.max_staleness / TRIES).max(Duration::from_millis(1));
        let routes = source.routes();
        digests = drop_where_slots_moved(&store, &routes, &digests);
        let began = Instant::now();
        let mut pings = JoinSet::new();
        for (route, _) in routes {
            let (store, source) = (Arc::clone(&store), Arc::clone(&source));
            pings.spawn(async move {
                let node = store.node(&route.node());
                let (sent_at, epoch) = (Instant::now(), node.epoch());
                if source.ping(&route, store.config.max_staleness).await {
                    node.verify(sent_at, epoch);
                }
            });
        }
        drop(store);
        // A node that does not answer must not keep the others from being tried again.
        tokio::time::sleep_until(began + interval).await;
        pings.detach_all();
    }
}

/// A node that owns other slots than a moment ago may not report on those that it gave away: nothing that was read from
/// it counts any more.
fn drop_where_slots_moved<R: Route>(
    store: &NearStore,
    routes: &[(R, u64)],
    before: &HashMap<Arc<str>, u64>,
) -> HashMap<Arc<str>, u64> {
    let now: HashMap<Arc<str>, u64> = routes.iter().map(|(route, digest)| (route.node(), *digest)).collect();
    for (name, digest) in before {
        if now.get(name) != Some(digest) {
            store.drop_node(name);
        }
    }
    now
}
