//! redis-py, driven by `redis_py.py`.

use std::process::Command;

use super::{programs, support::TestNode};

/// The script is compiled in and handed to Python, so that the test needs no path to the sources.
const SCRIPT: &str = include_str!("redis_py.py");

fn run_with_protocol(protocol: u8) {
    let Some(python) = programs::python_with_redis() else { return };
    let node = TestNode::start();
    let mut command = Command::new(python);
    command.args(["-", &node.port.to_string(), &protocol.to_string()]);
    let output = programs::run(&mut command, SCRIPT.as_bytes());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn redis_py_works_unchanged_in_resp2() {
    run_with_protocol(2);
}

#[test]
fn redis_py_works_unchanged_in_resp3() {
    run_with_protocol(3);
}
