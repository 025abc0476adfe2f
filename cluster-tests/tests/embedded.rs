//! A node inside a service, as a member of a cluster whose other nodes are processes of their own.

mod support;

use std::net::{Ipv4Addr, SocketAddr};

use rondache_client::Client;
use rondache_cluster_tests::{ports, process::ClusterProcess};
use rondache_server::{
    config::settings::Settings,
    node::{Node, start::RunningNode},
};
use support::{Load, until};

const KEYS: u32 = 1000;

/// Starts a node in this process that joins the others.
fn embed(cluster: &ClusterProcess) -> RunningNode {
    let listen = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, ports::free()))];
    let mut settings = Settings { listen, threads: 1, ..Settings::default() };
    settings.cluster.join = cluster.nodes.iter().map(|node| node.addr().to_string()).collect();
    Node::start(settings).expect("free ports")
}

/// A client of the node, which leaves out the network for keys of that node.
async fn client_inside(node: &RunningNode) -> Client {
    let local = node.local();
    let execute = move |name: &[u8], request: &[u8], reply: &mut Vec<u8>| local.execute(name, request, reply);
    Client::builder().seed(node.addr().to_string()).local(execute).build().await.expect("a node")
}

async fn client_of(addr: SocketAddr) -> Client {
    Client::builder().seed(addr.to_string()).build().await.expect("a node")
}

async fn write(client: &Client, prefix: &str) {
    for number in 0..KEYS {
        client.set(format!("{prefix}:{number}"), number).await.expect("SET");
    }
}

async fn assert_all_there(client: &Client, prefix: &str) {
    for number in 0..KEYS {
        let found = client.get::<Option<u32>>(format!("{prefix}:{number}")).await.expect("GET");
        assert_eq!(found, Some(number), "{prefix}:{number}");
    }
}

/// The requests that the client has sent to each node.
fn sent(client: &Client) -> Vec<(String, u64)> {
    let nodes = client.metrics().nodes;
    nodes.iter().map(|node| (node.node.to_string(), node.families.iter().map(|of| of.requests()).sum())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_reaches_its_own_share_without_the_network_and_the_rest_over_it() {
    let mut cluster = ClusterProcess::start(2, &[]);
    let outside = client_of(cluster.nodes[0].addr()).await;
    write(&outside, "outside").await;
    let node = embed(&cluster);
    cluster.wait_settled(3);
    let inside = client_inside(&node).await;
    until("the client to know all nodes", || inside.nodes().len() == 3).await;
    write(&inside, "inside").await;
    assert_all_there(&inside, "outside").await;
    assert_all_there(&outside, "inside").await;
    let own = node.redirect_addrs()[0].to_string();
    let sent = sent(&inside);
    assert!(sent.iter().all(|(addr, requests)| *addr != own || *requests == 0), "{own}: {sent:?}");
    // The two other thirds, with room for shares that are not quite even.
    let requests: u64 = sent.iter().map(|(_, requests)| requests).sum();
    let all = 2 * u64::from(KEYS);
    assert!((all / 2..all * 5 / 6).contains(&requests), "{requests} of {all}: {sent:?}");
    node.shutdown();
    tokio::task::spawn_blocking(|| node.wait()).await.expect("no panic");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_comes_through_the_death_of_another_node_without_an_error() {
    let mut cluster = ClusterProcess::start(2, &[]);
    let node = embed(&cluster);
    cluster.wait_settled(3);
    let inside = client_inside(&node).await;
    until("the client to know all nodes", || inside.nodes().len() == 3).await;
    write(&inside, "k").await;
    let load = Load::start(&inside);
    load.some_calls().await;
    cluster.nodes[1].kill();
    until("the client to know of the death", || inside.nodes().len() == 2).await;
    load.some_calls().await;
    load.stop().await.assert_no_errors();
    assert_all_there(&inside, "k").await;
    node.shutdown();
    tokio::task::spawn_blocking(|| node.wait()).await.expect("no panic");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_stops_hands_its_share_to_the_others() {
    let mut cluster = ClusterProcess::start(2, &[]);
    let node = embed(&cluster);
    cluster.wait_settled(3);
    let inside = client_inside(&node).await;
    write(&inside, "k").await;
    node.shutdown();
    tokio::task::spawn_blocking(|| node.wait()).await.expect("no panic");
    cluster.wait_settled(2);
    assert_all_there(&client_of(cluster.nodes[0].addr()).await, "k").await;
}
