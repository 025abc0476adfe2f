//! Values of fixed or random sizes, cut from one pool of random bytes.

use std::str::FromStr;

use crate::net::encode::push_bulk_header;

/// Bytes beyond the largest value, so that cuts start at varying places.
const POOL_SLACK_BYTES: usize = 64 << 10;

/// An inclusive range of value sizes: `64` or `64-1024`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SizeRange {
    /// Smallest size in bytes.
    pub min: usize,
    /// Largest size in bytes.
    pub max: usize,
}

impl FromStr for SizeRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = |part: &str| part.trim().parse::<usize>().map_err(|_| format!("{part:?} is no size in bytes"));
        let (min, max) = match text.split_once('-') {
            Some((min, max)) => (parse(min)?, parse(max)?),
            None => (parse(text)?, parse(text)?),
        };
        if min > max {
            return Err(format!("{min} is above {max}"));
        }
        if max > 512 << 20 {
            return Err("values above 512 MiB are not supported".to_owned());
        }
        Ok(Self { min, max })
    }
}

impl std::fmt::Display for SizeRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.min == self.max { write!(f, "{}", self.min) } else { write!(f, "{}-{}", self.min, self.max) }
    }
}

/// How sizes within the range are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SizeSpread {
    /// Every size is equally likely.
    Uniform,
    /// Every order of magnitude is equally likely: many small values, few large ones.
    Logarithmic,
}

/// Random bytes that values are cut from, so that making one costs a copy.
#[derive(Debug, Clone)]
pub struct ValuePool {
    bytes: Vec<u8>,
    sizes: SizeRange,
    spread: SizeSpread,
}

impl ValuePool {
    /// A pool for values of `sizes`, filled from `rng`.
    pub fn new(sizes: SizeRange, spread: SizeSpread, rng: &mut fastrand::Rng) -> Self {
        let bytes = std::iter::repeat_with(|| rng.alphanumeric() as u8).take(sizes.max + POOL_SLACK_BYTES).collect();
        Self { bytes, sizes, spread }
    }

    /// Draws a size.
    pub fn draw_size(&self, rng: &mut fastrand::Rng) -> usize {
        let SizeRange { min, max } = self.sizes;
        if min == max {
            return min;
        }
        match self.spread {
            SizeSpread::Uniform => rng.usize(min..=max),
            SizeSpread::Logarithmic => {
                let low = (min.max(1) as f64).ln();
                let high = (max as f64).ln();
                let size = (low + (high - low) * rng.f64()).exp().round() as usize;
                size.clamp(min, max)
            }
        }
    }

    /// `size` bytes from a random place, at most the largest size of the range.
    pub fn cut(&self, size: usize, rng: &mut fastrand::Rng) -> &[u8] {
        let size = size.min(self.sizes.max);
        let start = rng.usize(..POOL_SLACK_BYTES);
        &self.bytes[start..start + size]
    }

    /// Appends a value of a drawn size as a bulk string.
    pub fn push(&self, rng: &mut fastrand::Rng, out: &mut Vec<u8>) {
        let size = self.draw_size(rng);
        push_bulk_header(out, size);
        out.extend_from_slice(self.cut(size, rng));
        out.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_one_number_or_a_range() {
        assert_eq!("64".parse(), Ok(SizeRange { min: 64, max: 64 }));
        assert_eq!("10-100".parse(), Ok(SizeRange { min: 10, max: 100 }));
        assert!("100-10".parse::<SizeRange>().is_err());
        assert!("x".parse::<SizeRange>().is_err());
    }

    #[test]
    fn drawn_sizes_stay_in_the_range_under_both_spreads() {
        let mut rng = fastrand::Rng::with_seed(7);
        for spread in [SizeSpread::Uniform, SizeSpread::Logarithmic] {
            let pool = ValuePool::new(SizeRange { min: 10, max: 1000 }, spread, &mut rng);
            for _ in 0..10_000 {
                let size = pool.draw_size(&mut rng);
                assert!((10..=1000).contains(&size), "{size}");
                assert_eq!(pool.cut(size, &mut rng).len(), size);
            }
        }
    }
}
