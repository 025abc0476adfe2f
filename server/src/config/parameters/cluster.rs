//! The cluster: whom a node joins, what it is worth, and what the nodes agree on.

use super::{Form, Parameter, cluster_texts as texts};
use crate::config::cluster::{PartitionPolicy, ReadFrom};

/// More copies than this are a mistake.
const REPLICAS_MAX: i64 = 16;

pub(super) const PARAMETERS: &[Parameter] = &[
    Parameter::text(
        "join",
        Form::Text("HOST:PORT of nodes' main ports (with @PORT behind it where the bus is not 10000 above), several separated by commas"),
        |s| s.cluster.join.join(","),
        |s, text| texts::read_join(text).map(|join| s.cluster.join = join),
        "Nodes of the cluster to join; one that answers suffices. Empty: a cluster of its own, which others may join.",
    )
    .fixed(),
    Parameter::text(
        "redirect-listen",
        Form::Text("ADDRESS:PORT, several separated by commas"),
        |s| super::texts::show_listen(&s.cluster.redirect_listen),
        |s, text| texts::read_listen(text).map(|listen| s.cluster.redirect_listen = listen),
        "Where cluster clients connect, which are told by MOVED which node owns a key. By default the addresses of `listen` \
         with port + 1000.",
    )
    .fixed(),
    Parameter::text(
        "bus-listen",
        Form::Text("ADDRESS:PORT, several separated by commas"),
        |s| super::texts::show_listen(&s.cluster.bus_listen),
        |s, text| texts::read_listen(text).map(|listen| s.cluster.bus_listen = listen),
        "Where other nodes connect (TCP, and UDP on the same port). By default the addresses of `listen` with port + 10000.",
    )
    .fixed(),
    Parameter::text(
        "admin-listen",
        Form::Text("ADDRESS:PORT, several separated by commas"),
        |s| super::texts::show_listen(&s.cluster.admin_listen),
        |s, text| texts::read_listen(text).map(|listen| s.cluster.admin_listen = listen),
        "Where HTTP serves `/metrics`, `/livez`, `/readyz` and `/cluster`. By default the addresses of `listen` with port + \
         2000.",
    )
    .fixed(),
    Parameter::text(
        "advertise",
        Form::Text("a host name or an IP address"),
        |s| s.cluster.advertise.clone(),
        |s, text| texts::read_host(text).map(|host| s.cluster.advertise = host),
        "The host by which other nodes and clients reach this node, found out when it starts. By default the first address \
         of `listen`, and where that is all addresses, the one on the way to a seed.",
    )
    .fixed(),
    Parameter::text(
        "node-name",
        Form::Text("a name for people"),
        |s| s.cluster.node_name.clone(),
        |s, text| texts::read_name(text).map(|name| s.cluster.node_name = name),
        "What the node is called in reports. By default the host's name and the main port.",
    )
    .fixed(),
    Parameter::text(
        "cluster-name",
        Form::Text("a name"),
        |s| s.cluster.name.clone(),
        |s, text| texts::read_cluster_name(text).map(|name| s.cluster.name = name),
        "Nodes with different cluster names never join each other.",
    )
    .fixed(),
    Parameter::text(
        "cluster-secret",
        Form::Text("a text that only the nodes know"),
        |s| s.cluster.secret.clone(),
        |s, text| {
            s.cluster.secret = text.to_owned();
            Ok(())
        },
        "What nodes prove to each other to know before they talk; empty: nothing, and whoever reaches the bus may join.",
    )
    .secret()
    .fixed(),
    Parameter::text(
        "weight",
        Form::Text("a decimal number from 0 to 100"),
        |s| texts::show_weight(s.cluster.weight),
        |s, text| texts::read_weight(text).map(|weight| s.cluster.weight = weight),
        "The node's share of the keys against the other nodes' weights; 0: it owns none.",
    ),
    Parameter::text(
        "zone",
        Form::Text("a name"),
        |s| s.cluster.zone.clone(),
        |s, text| texts::read_name(text).map(|zone| s.cluster.zone = zone),
        "The rack or data centre that the node stands in; copies go to other zones first.",
    )
    .fixed(),
    Parameter::number(
        "replicas",
        Form::Integer { min: 0, max: REPLICAS_MAX },
        |s| s.cluster.replicas as i64,
        |s, count| s.cluster.replicas = count as usize,
        "Copies of every key besides the owner's; as many deaths at a time lose nothing that was copied.",
    )
    .of_cluster(),
    Parameter::number(
        "write-acks",
        Form::Integer { min: 0, max: REPLICAS_MAX },
        |s| s.cluster.write_acks as i64,
        |s, count| s.cluster.write_acks = count as usize,
        "Copies that must have a write before it is acknowledged; 0: it is copied in the background.",
    )
    .of_cluster(),
    Parameter::number(
        "partition-policy",
        Form::Choice(&["available", "majority"]),
        |s| i64::from(s.cluster.partition_policy == PartitionPolicy::Majority),
        |s, index| {
            s.cluster.partition_policy =
                if index == 1 { PartitionPolicy::Majority } else { PartitionPolicy::Available };
        },
        "What a node does that sees no majority of its cluster: `available` serves, and yields to the majority at the heal; \
         `majority` refuses writes, and what concerns slots of the dead.",
    )
    .of_cluster(),
    Parameter::number(
        "read-from",
        Form::Choice(&["owner", "replica", "nearest"]),
        |s| s.cluster.read_from as i64,
        |s, index| {
            s.cluster.read_from = match index {
                1 => ReadFrom::Replica,
                2 => ReadFrom::Nearest,
                _ => ReadFrom::Owner,
            };
        },
        "Who answers reads on the main port: `owner`; `replica`: a copy in sync, this node's own, else one in its zone, else any; \
         `nearest`: what this node owns or copies, else a node in its zone, else the owner. A copy may be behind by the \
         replication lag. Clients that track or watch keys are answered by owners.",
    )
    .of_cluster(),
    Parameter::number(
        "rebalance-bandwidth",
        Form::size(),
        |s| s.cluster.rebalance_bytes_per_s as i64,
        |s, bytes| s.cluster.rebalance_bytes_per_s = bytes as u64,
        "Bytes a second that a node may send of slots that move to others; 0: no limit.",
    )
    .of_cluster(),
    Parameter::number(
        "request-deadline",
        Form::Duration,
        |s| s.cluster.request_deadline_ms as i64,
        |s, ms| s.cluster.request_deadline_ms = ms as u64,
        "How long a request may wait for the owner of its keys, retries included, before it fails.",
    )
    .of_cluster(),
    Parameter::number(
        "probe-interval",
        Form::Duration,
        |s| s.cluster.probe_interval_ms as i64,
        |s, ms| s.cluster.probe_interval_ms = (ms as u64).max(texts::PROBE_INTERVAL_MIN_MS),
        "Time between two probes of other members.",
    )
    .fixed(),
    Parameter::number(
        "suspicion-timeout",
        Form::Duration,
        |s| s.cluster.suspicion_ms as i64,
        |s, ms| s.cluster.suspicion_ms = (ms as u64).max(texts::PROBE_INTERVAL_MIN_MS),
        "How long a member that missed its probes may say that it lives before it counts as dead; longer in large clusters.",
    )
    .fixed(),
    Parameter::number(
        "forget-after",
        Form::Duration,
        |s| s.cluster.forget_after_ms as i64,
        |s, ms| s.cluster.forget_after_ms = ms as u64,
        "After this time a dead member no longer counts when a majority is needed; 0: it counts until a node is started again at \
         its address.",
    )
    .of_cluster(),
];
