//! redis-benchmark.

use std::process::Command;

use super::{programs, shared};

fn run(port: u16, options: &[&str], expected: &[&str]) {
    let Some(program) = programs::find("redis-benchmark") else { return };
    let mut command = Command::new(program);
    command.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-n", "1000", "-q"]).args(options);
    let output = programs::run(&mut command, b"");
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && !text.to_lowercase().contains("error"), "{text}");
    for test in expected {
        assert!(text.contains(test), "no result of {test}: {text}");
    }
}

#[test]
fn it_runs_its_tests_through_any_node_as_with_a_single_server() {
    let cluster = shared::cluster();
    let tests = "ping,set,get,incr,lpush,lpop,sadd,hset,spop,zadd,zpopmin,lrange,mset";
    for node in &cluster.nodes {
        run(node.port(), &["-t", tests], &["PING_INLINE", "SET", "ZPOPMIN", "LRANGE_300", "MSET"]);
        run(node.port(), &["-t", "set,get,mset", "-P", "16", "-r", "1000"], &["SET", "GET", "MSET"]);
    }
}

#[test]
fn its_cluster_mode_asks_the_owners() {
    let cluster = shared::cluster();
    for node in &cluster.nodes {
        let options = ["--cluster", "-t", "set,get,incr,lpush,sadd,hset", "-r", "1000"];
        run(node.redirect_addr().port(), &options, &["Cluster has 3 master nodes", "SET", "GET", "HSET"]);
    }
}
