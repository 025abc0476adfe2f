//! Which key is asked for: uniform, Zipf, or each in turn.

use std::str::FromStr;

const DEFAULT_THETA: f64 = 0.99;

/// A choice of distribution: `uniform`, `zipf`, `zipf:1.1` or `sequential`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum DistributionKind {
    /// Every key is equally likely.
    Uniform,
    /// The key of rank r is asked for in proportion to r^-theta.
    Zipf {
        /// The exponent; 0.99 is YCSB's.
        theta: f64,
    },
    /// Keys in order, again and again.
    Sequential,
}

impl FromStr for DistributionKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, parameter) = match text.split_once(':') {
            Some((name, parameter)) => (name, Some(parameter)),
            None => (text, None),
        };
        match (name, parameter) {
            ("uniform", None) => Ok(Self::Uniform),
            ("sequential", None) => Ok(Self::Sequential),
            ("zipf", None) => Ok(Self::Zipf { theta: DEFAULT_THETA }),
            ("zipf", Some(parameter)) => match parameter.parse::<f64>() {
                Ok(theta) if theta > 0.0 && theta <= 10.0 => Ok(Self::Zipf { theta }),
                _ => Err(format!("{parameter:?} is no exponent between 0 and 10")),
            },
            _ => Err(format!("{text:?} is none of uniform, zipf[:theta], sequential")),
        }
    }
}

/// Draws key numbers below a bound.
#[derive(Debug, Clone)]
pub struct Distribution {
    keys: u64,
    sampler: Sampler,
}

#[derive(Debug, Clone)]
enum Sampler {
    Uniform,
    Zipf { zipf: Zipf, stride: u64 },
    Sequential { next: u64 },
}

impl Distribution {
    /// A distribution over `0..keys` (at least one key).
    pub fn new(kind: DistributionKind, keys: u64) -> Self {
        let keys = keys.max(1);
        let sampler = match kind {
            DistributionKind::Uniform => Sampler::Uniform,
            DistributionKind::Zipf { theta } => {
                Sampler::Zipf { zipf: Zipf::new(keys, theta), stride: scatter_stride(keys) }
            }
            DistributionKind::Sequential => Sampler::Sequential { next: 0 },
        };
        Self { keys, sampler }
    }

    /// The next key number.
    pub fn draw(&mut self, rng: &mut fastrand::Rng) -> u64 {
        match &mut self.sampler {
            Sampler::Uniform => rng.u64(..self.keys),
            // Ranks are scattered, or the hot keys would be neighbours by name.
            Sampler::Zipf { zipf, stride } => {
                let rank = zipf.draw(rng) - 1;
                (u128::from(rank) * u128::from(*stride) % u128::from(self.keys)) as u64
            }
            Sampler::Sequential { next } => {
                let n = *next;
                *next = if n + 1 == self.keys { 0 } else { n + 1 };
                n
            }
        }
    }
}

/// A multiplier without common divisor with `keys`, so that multiplying permutes `0..keys`.
fn scatter_stride(keys: u64) -> u64 {
    let mut stride = (keys as f64 * 0.618_033_988_75) as u64 | 1;
    while gcd(stride, keys) != 1 {
        stride += 1;
    }
    stride
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Zipf ranks by rejection-inversion (W. Hörmann and G. Derflinger, "Rejection-inversion to generate variates from
/// monotone discrete distributions", 1996): constant time, no table, any exponent.
#[derive(Debug, Clone)]
struct Zipf {
    ranks: f64,
    theta: f64,
    integral_low: f64,
    integral_high: f64,
    shortcut: f64,
}

impl Zipf {
    fn new(ranks: u64, theta: f64) -> Self {
        let mut zipf = Self { ranks: ranks as f64, theta, integral_low: 0.0, integral_high: 0.0, shortcut: 0.0 };
        zipf.integral_low = zipf.integral(1.5) - 1.0;
        zipf.integral_high = zipf.integral(zipf.ranks + 0.5);
        zipf.shortcut = 2.0 - zipf.inverse(zipf.integral(2.5) - zipf.density(2.0));
        zipf
    }

    /// x^-theta
    fn density(&self, x: f64) -> f64 {
        (-self.theta * x.ln()).exp()
    }

    /// An antiderivative of the density, written so that theta = 1 is no special case.
    fn integral(&self, x: f64) -> f64 {
        let log = x.ln();
        let t = (1.0 - self.theta) * log;
        let factor = if t.abs() > 1e-8 { t.exp_m1() / t } else { 1.0 + t / 2.0 };
        factor * log
    }

    fn inverse(&self, y: f64) -> f64 {
        let t = (y * (1.0 - self.theta)).max(-1.0);
        let factor = if t.abs() > 1e-8 { t.ln_1p() / t } else { 1.0 - t / 2.0 };
        (factor * y).exp()
    }

    /// A rank from 1 on.
    fn draw(&self, rng: &mut fastrand::Rng) -> u64 {
        loop {
            let u = self.integral_high + rng.f64() * (self.integral_low - self.integral_high);
            let x = self.inverse(u);
            let rank = x.round().clamp(1.0, self.ranks);
            if rank - x <= self.shortcut || u >= self.integral(rank + 0.5) - self.density(rank) {
                return rank as u64;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zipf_frequencies_follow_the_power_law() {
        const SEED: u64 = 42;
        const RANKS: u64 = 1000;
        const DRAWS: u64 = 1_000_000;
        for theta in [0.5, 0.99, 1.0, 1.3] {
            let zipf = Zipf::new(RANKS, theta);
            let mut rng = fastrand::Rng::with_seed(SEED);
            let mut counts = vec![0u64; RANKS as usize + 1];
            for _ in 0..DRAWS {
                counts[zipf.draw(&mut rng) as usize] += 1;
            }
            let total: f64 = (1..=RANKS).map(|r| (r as f64).powf(-theta)).sum();
            for rank in [1u64, 2, 5, 20] {
                let expected = (rank as f64).powf(-theta) / total * DRAWS as f64;
                let seen = counts[rank as usize] as f64;
                // Five standard deviations of a binomial count.
                let margin = 5.0 * expected.sqrt();
                assert!(
                    (seen - expected).abs() < margin,
                    "seed {SEED}, theta {theta}, rank {rank}: {seen} for {expected}"
                );
            }
        }
    }

    #[test]
    fn scattering_reaches_every_key_exactly_once() {
        for keys in [1u64, 2, 6, 1000, 4096, 99_991] {
            let stride = scatter_stride(keys);
            let mut seen = vec![false; keys as usize];
            for rank in 0..keys {
                seen[(rank * stride % keys) as usize] = true;
            }
            assert!(seen.iter().all(|&hit| hit), "{keys} keys");
        }
    }

    #[test]
    fn every_draw_is_a_key_of_the_keyspace() {
        let mut rng = fastrand::Rng::with_seed(3);
        for kind in ["uniform", "zipf", "zipf:1.2", "sequential"] {
            for keys in [1u64, 2, 1000] {
                let mut distribution = Distribution::new(kind.parse().expect("a known name"), keys);
                for _ in 0..1000 {
                    assert!(distribution.draw(&mut rng) < keys, "{kind}");
                }
            }
        }
    }

    #[test]
    fn unknown_distributions_are_refused() {
        for bad in ["normal", "zipf:x", "zipf:0", "uniform:1"] {
            assert!(bad.parse::<DistributionKind>().is_err(), "{bad}");
        }
    }
}
