//! One cluster for all tests that leave it as they found it.

use std::{
    ops::Deref,
    process::Command,
    sync::{Arc, Weak},
};

use parking_lot::{Mutex, MutexGuard};
use redis::{Client, Connection};
use rondache_cluster_tests::process::{ClusterProcess, NodeProcess};

use super::programs;

/// The running cluster. Nobody keeps it alive but the tests that have it or wait for it.
static RUNNING: Mutex<Weak<ClusterProcess>> = Mutex::new(Weak::new());
/// Whose turn it is: tests count all keys, and flush them.
static TURN: Mutex<()> = Mutex::new(());

/// Three nodes, for one test at a time.
pub(crate) struct Lent {
    _turn: MutexGuard<'static, ()>,
    cluster: Arc<ClusterProcess>,
}

/// Borrows the cluster, empty.
pub(crate) fn cluster() -> Lent {
    let cluster = {
        let mut running = RUNNING.lock();
        running.upgrade().unwrap_or_else(|| {
            let started = Arc::new(start());
            *running = Arc::downgrade(&started);
            started
        })
    };
    let turn = TURN.lock();
    redis::cmd("FLUSHALL").exec(&mut connect(&cluster.nodes[0])).expect("FLUSHALL");
    Lent { _turn: turn, cluster }
}

/// Three nodes for a test that does not leave them as they were.
pub(crate) fn start() -> ClusterProcess {
    ClusterProcess::start(3, &["--ttl-jitter", "0"])
}

impl Deref for Lent {
    type Target = ClusterProcess;

    fn deref(&self) -> &ClusterProcess {
        &self.cluster
    }
}

/// A connection to a node's main port.
pub(crate) fn connect(node: &NodeProcess) -> Connection {
    connect_to(&node.addr().to_string(), "resp2")
}

/// A connection to an address.
pub(crate) fn connect_to(addr: &str, protocol: &str) -> Connection {
    let client = Client::open(format!("redis://{addr}/?protocol={protocol}")).expect("a well-formed address");
    client.get_connection().unwrap_or_else(|error| panic!("{addr}: {error}"))
}

/// Hands a script to Python, with the main ports of the nodes as its arguments; it must end with success.
pub(crate) fn run_script(module: &str, script: &str, cluster: &ClusterProcess, more: &[&str]) {
    let Some(python) = programs::python_with(module) else { return };
    let ports = cluster.nodes.iter().map(|node| node.port().to_string());
    let mut command = Command::new(python);
    command.arg("-").args(more).args(ports);
    let output = programs::run(&mut command, script.as_bytes());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
}
