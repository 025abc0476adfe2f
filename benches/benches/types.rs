//! Collections, small ones in their compact encoding and ones of a million members.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use rondache_server::types::{hash::Hash, limits::EncodingLimits, list::List, set::Set, zset::ZSet};

const SIZES: [usize; 2] = [100, 1_000_000];
const NOW_MS: u64 = 1;

fn member(number: usize) -> [u8; 16] {
    let mut bytes = *b"member:000000000";
    let mut rest = number;
    for digit in bytes[7..].iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    bytes
}

/// Counts up within the collection's size in steps that jump about in it.
fn walk(size: usize) -> impl FnMut() -> usize {
    let mut at = 0;
    move || {
        at = (at + 7919) % size;
        at
    }
}

fn lists(criterion: &mut Criterion) {
    let limits = EncodingLimits::default();
    for size in SIZES {
        let mut list = List::default();
        (0..size).for_each(|number| list.push_back(&member(number), &limits));
        // Popped again, so that the list keeps its size.
        criterion.bench_function(&format!("LPUSH and RPOP/{size}"), |bencher| {
            bencher.iter(|| {
                list.push_front(&member(1), &limits);
                black_box(list.pop_back(&limits))
            });
        });
        criterion.bench_with_input(BenchmarkId::new("LRANGE 100", size), &list, |bencher, list| {
            bencher.iter(|| list.iter_from(0).take(100).map(<[u8]>::len).sum::<usize>());
        });
        criterion.bench_with_input(BenchmarkId::new("LRANGE 100 from the middle", size), &list, |bencher, list| {
            bencher.iter(|| list.iter_from(size / 2).take(100).map(<[u8]>::len).sum::<usize>());
        });
    }
}

fn hashes(criterion: &mut Criterion) {
    let limits = EncodingLimits::default();
    for size in SIZES {
        let mut hash = Hash::default();
        for number in 0..size {
            hash.insert(&member(number), &member(number), NOW_MS, &limits);
        }
        let mut next = walk(size);
        criterion.bench_function(&format!("HSET/{size}"), |bencher| {
            bencher.iter(|| hash.insert(&member(next()), &member(0), NOW_MS, &limits));
        });
        criterion.bench_function(&format!("HGET/{size}"), |bencher| {
            bencher.iter(|| black_box(hash.get(&member(next()), NOW_MS).map(<[u8]>::len)));
        });
    }
}

fn sets(criterion: &mut Criterion) {
    let limits = EncodingLimits::default();
    for size in SIZES {
        let mut set = Set::default();
        for number in 0..size {
            set.add(&member(number), &limits);
        }
        let mut next = walk(size);
        criterion.bench_function(&format!("SREM and SADD/{size}"), |bencher| {
            bencher.iter(|| {
                let member = member(next());
                set.remove(&member) && set.add(&member, &limits)
            });
        });
        criterion.bench_function(&format!("SISMEMBER/{size}"), |bencher| {
            bencher.iter(|| set.contains(&member(next())));
        });
    }
}

fn sorted_sets(criterion: &mut Criterion) {
    let limits = EncodingLimits::default();
    for size in SIZES {
        let mut zset = ZSet::default();
        for number in 0..size {
            zset.insert(&member(number), number as f64, &limits);
        }
        let mut next = walk(size);
        let mut score = 0.0;
        criterion.bench_function(&format!("ZADD of another score/{size}"), |bencher| {
            bencher.iter(|| {
                score = (score + 104_729.0) % size as f64;
                black_box(zset.insert(&member(next()), score, &limits))
            });
        });
        criterion.bench_function(&format!("ZRANGE 100/{size}"), |bencher| {
            bencher.iter(|| {
                let from = next().saturating_sub(100);
                zset.range(from..from + 100, false).count()
            });
        });
    }
}

criterion_group!(benches, lists, hashes, sets, sorted_sets);
criterion_main!(benches);
