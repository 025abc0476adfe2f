//! Exact cache policies, simulated offline: what a server's eviction is held against.

pub mod lru;
pub mod s3fifo;

use std::str::FromStr;

use crate::trace::Access;

/// A cache of a fixed number of entries.
pub trait Policy {
    /// Looks `key` up and, on a miss, admits it. Tells whether it was a hit.
    fn access(&mut self, key: u64) -> bool;
}

/// A policy by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyKind {
    /// [`s3fifo::S3Fifo`]
    S3Fifo,
    /// [`lru::Lru`]
    Lru,
}

impl FromStr for PolicyKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "s3fifo" => Ok(Self::S3Fifo),
            "lru" => Ok(Self::Lru),
            _ => Err(format!("{text:?} is none of s3fifo, lru")),
        }
    }
}

impl std::fmt::Display for PolicyKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::S3Fifo => "s3fifo",
            Self::Lru => "lru",
        })
    }
}

impl PolicyKind {
    /// The hit ratio (0 to 1) of this policy with `entries` entries, from a cold start over all accesses.
    pub fn hit_ratio(self, entries: usize, accesses: &[Access]) -> f64 {
        let mut policy: Box<dyn Policy> = match self {
            Self::S3Fifo => Box::new(s3fifo::S3Fifo::new(entries)),
            Self::Lru => Box::new(lru::Lru::new(entries)),
        };
        let hits = accesses.iter().filter(|access| policy.access(access.key)).count();
        hits as f64 / accesses.len().max(1) as f64
    }
}
