//! redis-py: plain on every node, and its cluster client.

use super::shared::{self, run_script};

/// The scripts are compiled in and handed to Python, so that the tests need no path to the sources.
const PLAIN: &str = include_str!("redis_py_plain.py");
const CLUSTER: &str = include_str!("redis_py_cluster.py");

#[test]
fn redis_py_works_through_any_node_as_with_a_single_server() {
    run_script("redis", PLAIN, &shared::cluster(), &["2"]);
}

#[test]
fn redis_py_works_through_any_node_in_resp3() {
    run_script("redis", PLAIN, &shared::cluster(), &["3"]);
}

#[test]
fn its_cluster_client_works_from_any_seed() {
    let cluster = shared::cluster();
    run_script("redis", CLUSTER, &cluster, &["2"]);
    run_script("redis", CLUSTER, &cluster, &["3"]);
}
