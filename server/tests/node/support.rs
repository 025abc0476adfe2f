//! Starts nodes for tests.

use std::{
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// A node in a process of its own, on a free port; it ends with the value.
pub(crate) struct TestNode {
    process: Child,
    pub(crate) port: u16,
}

impl TestNode {
    /// Starts a node with the default settings.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a node with further arguments and waits until it accepts connections.
    pub(crate) fn start_with(args: &[&str]) -> Self {
        Self::start_with_log(args, Stdio::null())
    }

    /// As [`TestNode::start_with`], with a place for what the node logs.
    pub(crate) fn start_with_log(args: &[&str], log: impl Into<Stdio>) -> Self {
        let port = free_port();
        let process = Command::new(env!("CARGO_BIN_EXE_rondache"))
            .args(["--listen", &format!("127.0.0.1:{port}")])
            // Ports that follow from a free one may be taken, by another test for one.
            .args(["--redirect-listen", "127.0.0.1:0", "--bus-listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"])
            .args(args)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the binary was built for this test");
        let mut node = Self { process, port };
        node.wait_until_up();
        node
    }

    fn wait_until_up(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            if let Some(status) = self.process.try_wait().expect("a child process") {
                panic!("the node ended at its start: {status}");
            }
            assert!(Instant::now() < deadline, "the node does not listen");
            std::thread::yield_now();
        }
    }

    /// The id of the node's process.
    #[allow(dead_code, reason = "not every test binary that includes this file asks for it")]
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// A new connection with redis-rs.
    pub(crate) fn connect(&self) -> redis::Connection {
        redis::Client::open(format!("redis://127.0.0.1:{}/", self.port))
            .and_then(|client| client.get_connection())
            .expect("the node accepts connections")
    }
}

impl Drop for TestNode {
    fn drop(&mut self) {
        // The process may be gone already, which is what is wanted.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr()).expect("loopback has ports").port()
}
