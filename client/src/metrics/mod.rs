//! What the client counts and measures, for whoever watches it.

pub(crate) mod cache;
pub(crate) mod counters;
mod histogram;

pub use cache::{CacheCounts, CacheSnapshot, NearCounts};
pub use histogram::{BUCKET_ENDS_US, Histogram, HistogramSnapshot};
