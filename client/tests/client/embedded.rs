//! A client of a node in the same process.

use std::time::Duration;

use rondache_client::{Client, ClientError};

use crate::support::TestNode;

async fn client_of(node: &TestNode) -> Client {
    let local = node.local();
    let execute = move |name: &[u8], request: &[u8], reply: &mut Vec<u8>| local.execute(name, request, reply);
    node.builder().local(execute).build().await.expect("a node")
}

fn requests_sent(client: &Client) -> u64 {
    client.metrics().nodes.iter().flat_map(|node| &node.families).map(|family| family.requests()).sum()
}

#[tokio::test]
async fn keys_that_the_node_owns_need_no_network() {
    let node = TestNode::start();
    let client = client_of(&node).await;
    client.set_for("k", "v", Duration::from_secs(60)).await.expect("SET");
    assert_eq!(client.get::<String>("k").await.expect("GET"), "v");
    assert_eq!(client.get::<Option<String>>("none").await.expect("GET"), None);
    assert_eq!(client.incr("n").await.expect("INCR"), 1);
    assert_eq!(requests_sent(&client), 0);
    // Others see what was written, by way of the network.
    assert_eq!(node.client().await.get::<String>("k").await.expect("GET"), "v");
}

#[tokio::test]
async fn what_cannot_run_in_process_goes_to_the_node() {
    let node = TestNode::start();
    let client = client_of(&node).await;
    client.mset([("a", 1), ("b", 2)]).await.expect("MSET");
    let values: Vec<Option<u32>> = client.mget(["a", "b"]).await.expect("MGET");
    assert_eq!(values, [Some(1), Some(2)]);
    assert_eq!(client.dbsize().await.expect("DBSIZE"), 2);
    assert!(requests_sent(&client) > 0);
}

#[tokio::test]
async fn an_error_of_a_command_is_the_same_in_process() {
    let node = TestNode::start();
    let client = client_of(&node).await;
    client.set("k", "text").await.expect("SET");
    let error = client.incr("k").await.expect_err("text");
    assert!(matches!(&error, ClientError::Server(error) if error.code() == "ERR"), "{error}");
}

#[tokio::test]
async fn a_closed_client_runs_nothing_in_process_either() {
    let node = TestNode::start();
    let client = client_of(&node).await;
    client.close().await;
    assert!(matches!(client.set("k", "v").await, Err(ClientError::Closed)));
}
