//! The Rust client against a cluster of real processes.

mod support;

use std::time::{Duration, Instant};

use rondache_client::{
    Client,
    policy::{HedgeConfig, ReadPolicy},
};
use rondache_cluster_tests::process::ClusterProcess;
use support::{Load, until};

/// What a call may take at most while its node dies. `rondache-bench client kill` tells what an idle machine reaches.
const SLOWEST_AT_A_DEATH: Duration = Duration::from_millis(1200);

async fn client_of(cluster: &ClusterProcess, nodes: &[usize]) -> Client {
    let seeds = cluster.addrs(nodes);
    Client::builder().seeds(seeds.iter().map(ToString::to_string)).build().await.expect("a seed")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn owners_are_asked_directly_and_every_key_is_found() {
    let cluster = ClusterProcess::start(3, &[]);
    let client = client_of(&cluster, &[0]).await;
    assert!(client.is_cluster());
    assert_eq!(client.nodes().len(), 3, "{client:?}");
    client.mset((0..1000).map(|number| (format!("k{number}"), number))).await.expect("MSET");
    let values: Vec<Option<u32>> = client.mget((0..1000).map(|number| format!("k{number}"))).await.expect("MGET");
    assert_eq!(values, (0..1000).map(Some).collect::<Vec<_>>());
    assert_eq!(client.dbsize().await.expect("DBSIZE"), 1000);
    let mut found = 0;
    let mut walk = client.scan::<String>("*", 100);
    while let Some(key) = walk.next_item().await {
        key.expect("SCAN");
        found += 1;
    }
    assert_eq!(found, 1000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_death_of_the_only_seed_is_no_error() {
    let mut cluster = ClusterProcess::start(3, &[]);
    let client = client_of(&cluster, &[0]).await;
    let load = Load::start(&client);
    load.some_calls().await;
    cluster.nodes[0].kill();
    until("the client to know", || client.nodes().len() == 2).await;
    load.some_calls().await;
    let seen = load.stop().await;
    seen.assert_no_errors();
    assert!(seen.slowest < SLOWEST_AT_A_DEATH, "{seen}");
    assert_eq!(client.nodes().len(), 2, "{client:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_joins_gets_its_share_of_the_traffic_without_an_error() {
    let mut cluster = ClusterProcess::start(2, &[]);
    let client = client_of(&cluster, &[0]).await;
    let load = Load::start(&client);
    load.some_calls().await;
    cluster.add();
    until("the client to know the new node", || client.nodes().len() == 3).await;
    cluster.wait_settled(3);
    load.some_calls().await;
    let seen = load.stop().await;
    seen.assert_no_errors();
    let newcomer = cluster.nodes[2].redirect_addr().to_string();
    let metrics = client.metrics();
    assert!(metrics.nodes.iter().any(|node| *node.node == *newcomer), "{newcomer}: {metrics:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_leaves_takes_no_call_with_it() {
    let mut cluster = ClusterProcess::start(3, &[]);
    let client = client_of(&cluster, &[0, 1, 2]).await;
    let load = Load::start(&client);
    load.some_calls().await;
    cluster.nodes[2].terminate();
    until("the client to know", || client.nodes().len() == 2).await;
    assert!(cluster.nodes[2].wait().success());
    load.some_calls().await;
    load.stop().await.assert_no_errors();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_seeds_but_one_may_be_lost() {
    let mut cluster = ClusterProcess::start(3, &[]);
    let client = client_of(&cluster, &[0, 1, 2]).await;
    let load = Load::start(&client);
    load.some_calls().await;
    for (lost, left) in [(0, 2), (1, 1)] {
        cluster.nodes[lost].kill();
        until("the client to know", || client.nodes().len() == left).await;
        load.some_calls().await;
        if left > 1 {
            // The copies have to be complete again before their owner may be lost.
            for node in cluster.nodes.iter_mut().skip(1) {
                node.wait_settled(left);
            }
        }
    }
    load.stop().await.assert_no_errors();
    // Somebody who comes now finds the one that is left.
    let late = client_of(&cluster, &[0, 1, 2]).await;
    late.set("late", 1).await.expect("SET");
    assert_eq!(late.get::<Option<u32>>("late").await.expect("GET"), Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_answer_reads_under_every_policy() {
    let cluster = ClusterProcess::start(3, &["--zone", "east"]);
    let writer = client_of(&cluster, &[0]).await;
    writer.mset((0..300).map(|number| (format!("k{number}"), number))).await.expect("MSET");
    for policy in [
        ReadPolicy::RoundRobin,
        ReadPolicy::Random,
        ReadPolicy::Weighted,
        ReadPolicy::LeastOutstanding,
        ReadPolicy::Fastest,
        ReadPolicy::SameZoneFirst,
    ] {
        let builder = Client::builder().seed(cluster.addrs(&[0])[0].to_string()).read_policy(policy).zone("east");
        let client = builder.hedge(HedgeConfig::default()).build().await.expect("a seed");
        // What was acknowledged comes to the copies a moment later.
        let complete = async {
            loop {
                let mut values = Vec::new();
                for number in 0..300 {
                    values.push(client.get::<Option<u32>>(format!("k{number}")).await.expect("GET"));
                }
                if values.into_iter().eq((0..300).map(Some)) {
                    break;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(20), complete).await.expect("the copies to have what was written");
        let refused: u64 = client.metrics().nodes.iter().flat_map(|node| &node.families).map(|f| f.errors).sum();
        assert_eq!(refused, 0, "{policy:?}: copies sent reads away");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_from_copies_survive_a_frozen_owner_without_waiting_for_its_death() {
    let cluster = ClusterProcess::start(3, &[]);
    let hedge = HedgeConfig {
        budget: rondache_client::policy::BudgetConfig { share: 1.0, burst: 1000 },
        ..HedgeConfig::default()
    };
    let builder = Client::builder().seed(cluster.addrs(&[0])[0].to_string()).read_policy(ReadPolicy::RoundRobin);
    let client = builder.hedge(hedge).build().await.expect("a seed");
    client.mset((0..300).map(|number| (format!("k{number}"), number))).await.expect("MSET");
    // So often that latencies are known of every node.
    for _ in 0..3 {
        for number in 0..300 {
            client.get::<Option<u32>>(format!("k{number}")).await.expect("GET");
        }
    }
    cluster.nodes[1].freeze();
    let mut slowest = Duration::ZERO;
    for number in 0..300 {
        let began = Instant::now();
        client.get::<Option<u32>>(format!("k{number}")).await.expect("GET");
        slowest = slowest.max(began.elapsed());
    }
    cluster.nodes[1].thaw();
    assert!(slowest < Duration::from_millis(500), "{slowest:?}");
}
