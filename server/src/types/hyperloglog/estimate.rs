//! Where an element goes, and what the registers say about how many there were.

use super::REGISTERS;

/// Bits of the hash that choose the register.
const INDEX_BITS: u32 = REGISTERS.trailing_zeros();
/// Bits of the hash that are left for the run of zeros.
const RUN_BITS: usize = 64 - INDEX_BITS as usize;
const HASH_SEED: u64 = 0xadc8_3b19;

/// How many registers hold each value.
pub(super) type Histogram = [u32; 64];

/// The register of an element and the value it asks for: the position of the first 1 bit in the rest of its hash.
pub(super) fn place(element: &[u8]) -> (usize, u8) {
    let hash = murmur_hash_64a(element, HASH_SEED);
    let index = hash as usize & (REGISTERS - 1);
    // The bit set on top bounds the run.
    let run = (hash >> INDEX_BITS) | (1 << RUN_BITS);
    (index, run.trailing_zeros() as u8 + 1)
}

/// MurmurHash64A (Austin Appleby, public domain), as the format requires it.
fn murmur_hash_64a(data: &[u8], seed: u64) -> u64 {
    const MULTIPLIER: u64 = 0xc6a4_a793_5bd1_e995;
    let mix = |word: u64| {
        let word = word.wrapping_mul(MULTIPLIER);
        (word ^ (word >> 47)).wrapping_mul(MULTIPLIER)
    };
    let (words, tail) = data.as_chunks::<8>();
    let mut hash = seed ^ (data.len() as u64).wrapping_mul(MULTIPLIER);
    for word in words {
        hash = (hash ^ mix(u64::from_le_bytes(*word))).wrapping_mul(MULTIPLIER);
    }
    if !tail.is_empty() {
        let mut padded = [0; 8];
        padded[..tail.len()].copy_from_slice(tail);
        hash = (hash ^ u64::from_le_bytes(padded)).wrapping_mul(MULTIPLIER);
    }
    hash = (hash ^ (hash >> 47)).wrapping_mul(MULTIPLIER);
    hash ^ (hash >> 47)
}

/// Ertl's improved raw estimator ("New cardinality estimation algorithms for HyperLogLog sketches", arXiv:1702.01284,
/// algorithm 6), which needs no empirical bias tables.
pub(super) fn estimate(histogram: &Histogram) -> u64 {
    const ALPHA_INFINITY: f64 = 0.721_347_520_444_481_7;
    let registers = REGISTERS as f64;
    let mut z = registers * tau((registers - f64::from(histogram[RUN_BITS + 1])) / registers);
    for &count in histogram[1..=RUN_BITS].iter().rev() {
        z = (z + f64::from(count)) * 0.5;
    }
    z += registers * sigma(f64::from(histogram[0]) / registers);
    // A saturating cast; corrupted registers may make it anything.
    (ALPHA_INFINITY * registers * registers / z).round() as u64
}

/// The correction for registers that are still zero.
fn sigma(mut x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    let (mut weight, mut sum) = (1.0, x);
    loop {
        x *= x;
        let previous = sum;
        sum += x * weight;
        weight += weight;
        if sum == previous {
            return sum;
        }
    }
}

/// The correction for registers that are full.
fn tau(mut x: f64) -> f64 {
    if x == 0.0 || x == 1.0 {
        return 0.0;
    }
    let (mut weight, mut sum) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let previous = sum;
        weight *= 0.5;
        sum -= (1.0 - x).powi(2) * weight;
        if sum == previous {
            return sum / 3.0;
        }
    }
}
