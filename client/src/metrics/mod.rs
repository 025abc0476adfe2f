//! What the client counts and measures, for whoever watches it: as values ([`Client::metrics`](crate::Client::metrics),
//! [`Cache::metrics`](crate::cache::Cache::metrics), [`NearCache::metrics`](crate::near::NearCache::metrics)), and with
//! the feature `prometheus` as a collector.

pub(crate) mod cache;
pub(crate) mod commands;
pub(crate) mod counters;
mod histogram;
#[cfg(feature = "prometheus")]
mod prometheus;

pub use cache::{CacheCounts, CacheSnapshot, NearCounts};
pub use commands::{ClientSnapshot, FamilySnapshot, NodeSnapshot};
pub use histogram::{BUCKET_ENDS_US, Histogram, HistogramSnapshot};
#[cfg(feature = "prometheus")]
pub use prometheus::PrometheusCollector;
