//! The store against dashmap, with a million keys: far more than the caches hold, so that waiting for memory is seen.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use dashmap::DashMap;
use rondache_server::store::{
    Store,
    keyspace::{Circumstances, Keyspace, Ttl},
    observer::NoObserver,
};

const KEYS: usize = 1_000_000;
const VALUE: [u8; 64] = [b'v'; 64];
const BATCH_LEN: usize = 64;

fn key(number: usize) -> String {
    format!("key:{number:012}")
}

/// Keys in an order that no prefetcher of the processor guesses, the same in every run.
fn random_keys(count: usize) -> Vec<String> {
    let mut rng = fastrand::Rng::with_seed(1);
    (0..count).map(|_| key(rng.usize(..KEYS))).collect()
}

fn keyspace(store: &Store) -> Keyspace<'_> {
    let circumstances = Circumstances { db: 0, now_ms: 1, client_id: 0, touch: true };
    Keyspace::new(store, &NoObserver, circumstances)
}

fn put(ks: &mut Keyspace<'_>, bytes: &[u8]) {
    let key = ks.key(bytes);
    ks.hold_one(key.shard());
    ks.put_string(&key, &VALUE, Ttl::Clear);
}

fn get_len(ks: &mut Keyspace<'_>, bytes: &[u8]) -> usize {
    let key = ks.key(bytes);
    ks.hold_one(key.shard());
    ks.read_string(&key).ok().flatten().map_or(0, <[u8]>::len)
}

fn filled_store() -> Store {
    let store = Store::new(1);
    let mut ks = keyspace(&store);
    (0..KEYS).for_each(|number| put(&mut ks, key(number).as_bytes()));
    drop(ks);
    store
}

fn filled_dashmap() -> DashMap<Box<[u8]>, Box<[u8]>> {
    (0..KEYS).map(|number| (key(number).into_bytes().into_boxed_slice(), Box::from(VALUE.as_slice()))).collect()
}

/// One key after the other.
fn singles(criterion: &mut Criterion) {
    let keys = random_keys(KEYS);
    let mut group = criterion.benchmark_group("one of a million keys");
    group.throughput(Throughput::Elements(1));
    {
        let store = filled_store();
        let mut ks = keyspace(&store);
        let mut order = keys.iter().cycle();
        let mut next = || order.next().map_or(&b""[..], |key| key.as_bytes());
        group.bench_function("get", |bencher| bencher.iter(|| black_box(get_len(&mut ks, next()))));
        group.bench_function("set", |bencher| bencher.iter(|| put(&mut ks, next())));
    }
    let map = filled_dashmap();
    let mut order = keys.iter().cycle();
    let mut next = || order.next().map_or(&b""[..], |key| key.as_bytes());
    group.bench_function("get from dashmap", |bencher| {
        bencher.iter(|| black_box(map.get(next()).map_or(0, |value| value.len())));
    });
    group.bench_function("set in dashmap", |bencher| {
        bencher.iter(|| black_box(map.insert(Box::from(next()), Box::from(VALUE.as_slice()))));
    });
    group.finish();
}

/// A table that grows from nothing.
fn inserts(criterion: &mut Criterion) {
    const INSERTS: usize = 100_000;
    let keys: Vec<String> = (0..INSERTS).map(key).collect();
    let mut group = criterion.benchmark_group("insert into an empty table");
    group.throughput(Throughput::Elements(INSERTS as u64)).sample_size(10);
    group.bench_function("store", |bencher| {
        bencher.iter_batched(
            || Store::new(1),
            |store| {
                let mut ks = keyspace(&store);
                keys.iter().for_each(|key| put(&mut ks, key.as_bytes()));
                drop(ks);
                store
            },
            BatchSize::LargeInput,
        );
    });
    group.bench_function("dashmap", |bencher| {
        bencher.iter_batched(
            DashMap::<Box<[u8]>, Box<[u8]>>::new,
            |map| {
                for key in &keys {
                    map.insert(Box::from(key.as_bytes()), Box::from(VALUE.as_slice()));
                }
                map
            },
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

/// A pipeline of reads, whose loads overlap where they are prefetched.
fn batches(criterion: &mut Criterion) {
    let store = filled_store();
    let mut ks = keyspace(&store);
    let keys = random_keys(KEYS);
    let mut group = criterion.benchmark_group("a batch of 64 reads");
    group.throughput(Throughput::Elements(BATCH_LEN as u64));
    for prefetches in [false, true] {
        let name = if prefetches { "with prefetch" } else { "without prefetch" };
        let mut order = keys.chunks_exact(BATCH_LEN).cycle();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let batch = order.next().unwrap_or_default();
                if prefetches {
                    prefetch(&store, batch);
                }
                batch.iter().map(|key| get_len(&mut ks, key.as_bytes())).sum::<usize>()
            });
        });
    }
    group.finish();
}

fn prefetch(store: &Store, batch: &[String]) {
    batch.iter().for_each(|key| store.prefetch_bucket(&store.key(key.as_bytes())));
    let pinned = crossbeam_epoch::pin();
    for key in batch {
        let key = store.key(key.as_bytes());
        store.prefetch_entry(key.hash, key.shard(), &pinned);
    }
}

criterion_group!(benches, singles, inserts, batches);
criterion_main!(benches);
