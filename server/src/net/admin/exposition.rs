//! The metrics as Prometheus reads them. Nothing is counted twice for its sake: a collector reads the node's own counters
//! when it is asked.

use std::{fmt, sync::Arc};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeGaugeValue, MetricEncoder, NoLabelSet, text},
    metrics::MetricType,
    registry::{Registry, Unit},
};

use super::{cluster_metrics, metrics};
use crate::node::Node;

/// OpenMetrics, which Prometheus asks for and understands.
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A node's metrics.
pub(super) struct Exposition {
    registry: Registry,
}

impl Exposition {
    pub(super) fn new(node: &Arc<Node>) -> Self {
        let mut registry = Registry::with_prefix("rondache");
        registry.register_collector(Box::new(NodeCollector { node: node.clone() }));
        Self { registry }
    }

    /// All metrics at this moment.
    pub(super) fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

struct NodeCollector {
    node: Arc<Node>,
}

impl fmt::Debug for NodeCollector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeCollector({:?})", self.node.cluster.identity)
    }
}

impl Collector for NodeCollector {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut out = Out { encoder };
        let keys = metrics::write(&mut out, &self.node)?;
        cluster_metrics::write(&mut out, &self.node.cluster_status_with(keys))?;
        cluster_metrics::write_counts(&mut out, &self.node.cluster)
    }
}

/// Labels of one metric.
pub(super) type Labels<'a> = [(&'static str, &'a str)];

/// Writes metrics one after the other.
pub(super) struct Out<'e> {
    encoder: DescriptorEncoder<'e>,
}

impl Out<'_> {
    /// A count that only grows; the name gets `_total` appended.
    pub(super) fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let mut metric = self.encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        metric.encode_counter::<NoLabelSet, u64, u64>(&value, None)
    }

    /// A value that comes and goes.
    pub(super) fn gauge(&mut self, name: &str, help: &str, value: impl EncodeGaugeValue) -> fmt::Result {
        self.encoder.encode_descriptor(name, help, None, MetricType::Gauge)?.encode_gauge(&value)
    }

    /// As [`Out::gauge`], in bytes; the name gets `_bytes` appended.
    pub(super) fn bytes(&mut self, name: &str, help: &str, value: impl EncodeGaugeValue) -> fmt::Result {
        self.encoder.encode_descriptor(name, help, Some(&Unit::Bytes), MetricType::Gauge)?.encode_gauge(&value)
    }

    /// Counts by label.
    pub(super) fn counters<'a>(
        &mut self,
        name: &str,
        help: &str,
        label: &'static str,
        values: impl IntoIterator<Item = (&'a str, u64)>,
    ) -> fmt::Result {
        let mut family = self.encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (value, count) in values {
            let labels = [(label, value)];
            labelled(&mut family, &labels, |metric| metric.encode_counter::<NoLabelSet, u64, u64>(&count, None))?;
        }
        Ok(())
    }

    /// Values by labels.
    pub(super) fn gauges<'a, V: EncodeGaugeValue>(
        &mut self,
        name: &str,
        help: &str,
        label: &'static str,
        values: impl IntoIterator<Item = (&'a str, V)>,
    ) -> fmt::Result {
        let mut family = self.encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (of, value) in values {
            labelled(&mut family, &[(label, of)], |metric| metric.encode_gauge(&value))?;
        }
        Ok(())
    }

    /// Distributions in seconds by label: sum, count, and pairs of upper bound and count, not summed up.
    pub(super) fn histograms<'a>(
        &mut self,
        name: &str,
        help: &str,
        label: &'static str,
        values: impl IntoIterator<Item = (&'a str, f64, u64, Vec<(f64, u64)>)>,
    ) -> fmt::Result {
        let mut family = self.encoder.encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Histogram)?;
        for (of, sum, count, buckets) in values {
            labelled(&mut family, &[(label, of)], |metric| {
                metric.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
            })?;
        }
        Ok(())
    }
}

fn labelled(
    family: &mut MetricEncoder<'_>,
    labels: &Labels<'_>,
    write: impl FnOnce(&mut MetricEncoder<'_>) -> fmt::Result,
) -> fmt::Result {
    let labels = labels.to_vec();
    write(&mut family.encode_family(&labels)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{command::CommandError, config::settings::Settings};

    #[test]
    fn the_nodes_counters_are_exposed() {
        let node = Node::new(Settings::default());
        let stats = node.stats.register();
        let get = crate::command::registry::by_name(b"get").unwrap().0;
        stats.count_call(get);
        stats.add_time(get, 3000, 1, true);
        stats.count_failure(get, &CommandError::Syntax);
        stats.hits.add(2);
        let text = Exposition::new(&node).text().unwrap();
        for line in [
            "rondache_commands_total{command=\"get\"} 1",
            "rondache_errors_total{code=\"ERR\"} 1",
            "rondache_keyspace_hits_total 2",
            "rondache_command_duration_seconds_bucket{le=\"0.000004\",command=\"get\"} 1",
            "rondache_command_duration_seconds_bucket{le=\"+Inf\",command=\"get\"} 1",
            "rondache_command_duration_seconds_count{command=\"get\"} 1",
            "rondache_cluster_members{state=\"active\"} 1",
            "rondache_cluster_slots_owned 16384",
            "rondache_ready 1",
        ] {
            assert!(text.lines().any(|known| known == line), "{line} is not in\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
        assert!(!text.contains("command=\"set\""), "commands that never ran are left out");
    }
}
