//! redis-py, driven by `redis_py.py` and, for its cluster client, `redis_py_cluster_of_one.py`.

use std::process::Command;

use super::{programs, support::TestNode};

/// The script is compiled in and handed to Python, so that the test needs no path to the sources.
const SCRIPT: &str = include_str!("redis_py.py");

/// The same for its cluster client.
const CLUSTER_SCRIPT: &str = include_str!("redis_py_cluster_of_one.py");

fn run_with_protocol(script: &str, protocol: u8) {
    let Some(python) = programs::python_with("redis") else { return };
    let node = TestNode::start();
    let mut command = Command::new(python);
    command.args(["-", &node.port.to_string(), &protocol.to_string()]);
    let output = programs::run(&mut command, script.as_bytes());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn redis_py_works_unchanged_in_resp2() {
    run_with_protocol(SCRIPT, 2);
}

#[test]
fn redis_py_works_unchanged_in_resp3() {
    run_with_protocol(SCRIPT, 3);
}

#[test]
fn its_cluster_client_works_with_a_single_node_in_resp2() {
    run_with_protocol(CLUSTER_SCRIPT, 2);
}

#[test]
fn its_cluster_client_works_with_a_single_node_in_resp3() {
    run_with_protocol(CLUSTER_SCRIPT, 3);
}
