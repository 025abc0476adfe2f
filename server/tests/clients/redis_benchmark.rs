//! redis-benchmark.

use std::process::Command;

use super::{programs, support::TestNode};

fn run_its_tests(options: &[&str]) {
    let Some(program) = programs::find("redis-benchmark") else { return };
    let node = TestNode::start();
    let tests = "ping,set,get,incr,lpush,rpush,lpop,rpop,sadd,hset,spop,zadd,zpopmin,lrange,mset";
    let mut command = Command::new(program);
    command.args(["-h", "127.0.0.1", "-p", &node.port.to_string(), "-t", tests, "-n", "1000", "-q"]).args(options);
    let output = programs::run(&mut command, b"");
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && !text.to_lowercase().contains("error"), "{text}");
    for test in ["PING_INLINE", "SET", "ZPOPMIN", "LRANGE_600", "MSET"] {
        assert!(text.contains(test), "no result of {test}: {text}");
    }
}

#[test]
fn redis_benchmark_runs_its_tests() {
    run_its_tests(&[]);
}

#[test]
fn redis_benchmark_runs_its_tests_pipelined_over_random_keys() {
    run_its_tests(&["-P", "16", "-r", "1000", "--threads", "2"]);
}
