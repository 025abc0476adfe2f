//! The metrics for Prometheus, read when it asks.

use std::fmt;

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
};

use super::{CacheSnapshot, ClientSnapshot, HistogramSnapshot};
use crate::near::NearSnapshot;

type Read<T> = Box<dyn Fn() -> T + Send + Sync>;

/// Collects what a client, caches and near caches have counted. Register it with
/// [`Registry::register_collector`](prometheus_client::registry::Registry::register_collector).
///
/// ```no_run
/// # use rondache_client::{Client, cache::Cache, metrics::PrometheusCollector};
/// # fn example(client: Client, cache: Cache, mut registry: prometheus_client::registry::Registry) {
/// let collector = PrometheusCollector::default()
///     .client("main", move || client.metrics())
///     .cache("users", move || cache.metrics());
/// registry.register_collector(Box::new(collector));
/// # }
/// ```
#[derive(Default)]
pub struct PrometheusCollector {
    clients: Vec<(String, Read<ClientSnapshot>)>,
    caches: Vec<(String, Read<CacheSnapshot>)>,
    nears: Vec<(String, Read<NearSnapshot>)>,
}

impl PrometheusCollector {
    /// Adds a client under a name, which becomes the label `client`.
    #[must_use]
    pub fn client(
        mut self,
        name: impl Into<String>,
        read: impl Fn() -> ClientSnapshot + Send + Sync + 'static,
    ) -> Self {
        self.clients.push((name.into(), Box::new(read)));
        self
    }

    /// Adds a cache under a name, which becomes the label `cache`.
    #[must_use]
    pub fn cache(mut self, name: impl Into<String>, read: impl Fn() -> CacheSnapshot + Send + Sync + 'static) -> Self {
        self.caches.push((name.into(), Box::new(read)));
        self
    }

    /// Adds a near cache under a name, which becomes the label `cache`.
    #[must_use]
    pub fn near(mut self, name: impl Into<String>, read: impl Fn() -> NearSnapshot + Send + Sync + 'static) -> Self {
        self.nears.push((name.into(), Box::new(read)));
        self
    }

    fn encode_clients(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let clients: Vec<_> = self.clients.iter().map(|(name, read)| (name, read())).collect();
        let rows = || {
            clients.iter().flat_map(|(name, client)| {
                client.nodes.iter().flat_map(move |node| {
                    node.families.iter().map(move |family| {
                        let labels = [("client", name.as_str()), ("node", &*node.node), ("family", family.family)];
                        (labels, family)
                    })
                })
            })
        };
        let mut errors =
            encoder.encode_descriptor("rondache_client_errors", "Requests that failed", None, MetricType::Counter)?;
        for (labels, family) in rows() {
            ConstCounter::new(family.errors).encode(errors.encode_family(&labels)?)?;
        }
        let about = "Reads sent to a node because another copy was slow";
        let mut hedges = encoder.encode_descriptor("rondache_client_hedges", about, None, MetricType::Counter)?;
        for (name, client) in &clients {
            for node in &client.nodes {
                let labels = [("client", name.as_str()), ("node", &*node.node)];
                ConstCounter::new(node.hedges).encode(hedges.encode_family(&labels)?)?;
            }
        }
        let about = "How long requests took, in seconds";
        let mut latency =
            encoder.encode_descriptor("rondache_client_latency_seconds", about, None, MetricType::Histogram)?;
        for (labels, family) in rows() {
            encode_histogram(&family.latency, &mut latency.encode_family(&labels)?)?;
        }
        Ok(())
    }

    fn encode_caches(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let caches: Vec<_> = self.caches.iter().map(|(name, read)| (name, read())).collect();
        let of_caches = caches.iter().map(|(name, cache)| (name.as_str(), cache.counts.iter().collect()));
        encode_counters(encoder, "rondache_cache", of_caches.collect())?;
        if caches.is_empty() {
            return Ok(());
        }
        let about = "How long loaders took, in seconds";
        let mut load_time =
            encoder.encode_descriptor("rondache_cache_load_seconds", about, None, MetricType::Histogram)?;
        for (name, cache) in &caches {
            encode_histogram(&cache.load_time, &mut load_time.encode_family(&[("cache", name.as_str())])?)?;
        }
        Ok(())
    }

    fn encode_nears(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let nears: Vec<_> = self.nears.iter().map(|(name, read)| (name, read())).collect();
        let of_nears = nears.iter().map(|(name, near)| (name.as_str(), near.counts.iter().collect()));
        encode_counters(encoder, "rondache_near", of_nears.collect())?;
        if nears.is_empty() {
            return Ok(());
        }
        let mut bytes =
            encoder.encode_descriptor("rondache_near_bytes", "Bytes of entries, about", None, MetricType::Gauge)?;
        for (name, near) in &nears {
            let held = i64::try_from(near.bytes).unwrap_or(i64::MAX);
            ConstGauge::new(held).encode(bytes.encode_family(&[("cache", name.as_str())])?)?;
        }
        Ok(())
    }
}

/// Counters of one kind of cache, each with its name, what it counts, and its value.
type NamedCounts<'a> = Vec<(&'a str, Vec<(&'static str, &'static str, u64)>)>;

/// Each counter is one metric, with a row for each cache.
fn encode_counters(encoder: &mut DescriptorEncoder<'_>, prefix: &str, caches: NamedCounts<'_>) -> fmt::Result {
    let Some((_, first)) = caches.first() else {
        return Ok(());
    };
    for (index, (counter, about, _)) in first.iter().enumerate() {
        let name = format!("{prefix}_{counter}");
        let about = about.trim_end_matches('.');
        let mut metric = encoder.encode_descriptor(&name, about, None, MetricType::Counter)?;
        for (cache, counts) in &caches {
            let value = counts.get(index).map_or(0, |(_, _, value)| *value);
            ConstCounter::new(value).encode(metric.encode_family(&[("cache", *cache)])?)?;
        }
    }
    Ok(())
}

fn encode_histogram(
    histogram: &HistogramSnapshot,
    encoder: &mut prometheus_client::encoding::MetricEncoder<'_>,
) -> fmt::Result {
    let in_seconds = |end_us: Option<u64>| end_us.map_or(f64::INFINITY, |end_us| end_us as f64 / 1e6);
    let buckets: Vec<(f64, u64)> = histogram.buckets().map(|(end_us, count)| (in_seconds(end_us), count)).collect();
    encoder.encode_histogram::<NoLabelSet>(histogram.sum().as_secs_f64(), histogram.count(), &buckets, None)
}

impl Collector for PrometheusCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.encode_clients(&mut encoder)?;
        self.encode_caches(&mut encoder)?;
        self.encode_nears(&mut encoder)
    }
}

impl fmt::Debug for PrometheusCollector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |names: &mut dyn Iterator<Item = &String>| names.cloned().collect::<Vec<_>>();
        f.debug_struct("PrometheusCollector")
            .field("clients", &names(&mut self.clients.iter().map(|(name, _)| name)))
            .field("caches", &names(&mut self.caches.iter().map(|(name, _)| name)))
            .field("nears", &names(&mut self.nears.iter().map(|(name, _)| name)))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{cache::CacheMetrics, commands::NodeMetrics};
    use prometheus_client::{encoding::text::encode, registry::Registry};
    use std::{sync::Arc, time::Duration};

    #[test]
    fn what_was_counted_is_exported() {
        let (cache, node) = (Arc::new(CacheMetrics::default()), NodeMetrics::default());
        cache.counters.hits.add(3);
        cache.load_time.record(Duration::from_millis(40));
        node.record(None, Duration::from_micros(80), false);
        let client = ClientSnapshot { nodes: vec![node.snapshot("a:1".into())] };
        let collector = PrometheusCollector::default()
            .client("main", move || client.clone())
            .cache("users", move || cache.snapshot())
            .near("near", NearSnapshot::default);
        let mut registry = Registry::default();
        registry.register_collector(Box::new(collector));
        let mut text = String::new();
        assert!(encode(&mut text, &registry).is_ok());
        for line in [
            r#"rondache_cache_hits_total{cache="users"} 3"#,
            r#"rondache_cache_load_seconds_bucket{le="0.05",cache="users"} 1"#,
            r#"rondache_client_errors_total{client="main",node="a:1",family="other"} 1"#,
            r#"rondache_near_bytes{cache="near"} 0"#,
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }
}
