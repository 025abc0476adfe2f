//! Starts nodes for tests.

use std::{
    fs::File,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// Every port is of the system's choice: one that was looked up before may be taken by now, by another test for one.
pub(crate) const ANY_PORTS: [&str; 8] = [
    "--listen",
    "127.0.0.1:0",
    "--redirect-listen",
    "127.0.0.1:0",
    "--bus-listen",
    "127.0.0.1:0",
    "--admin-listen",
    "127.0.0.1:0",
];

/// What a node logs when it accepts connections, before the port.
const READY: &str = "ready to accept connections on 127.0.0.1:";

/// A node in a process of its own, on a free port; it ends with the value.
pub(crate) struct TestNode {
    process: Child,
    log: tempfile::NamedTempFile,
    pub(crate) port: u16,
}

impl TestNode {
    /// Starts a node with the default settings.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a node with further arguments and waits until it accepts connections.
    pub(crate) fn start_with(args: &[&str]) -> Self {
        let log = tempfile::NamedTempFile::new().expect("a file for the log");
        let process = Command::new(env!("CARGO_BIN_EXE_rondache"))
            .args(ANY_PORTS)
            .args(args)
            .stdout(Stdio::null())
            .stderr(File::options().append(true).open(log.path()).expect("the file for the log"))
            .spawn()
            .expect("the binary was built for this test");
        let mut node = Self { process, log, port: 0 };
        node.port = node.wait_for_port();
        node
    }

    fn wait_for_port(&mut self) -> u16 {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(port) = logged_port(&self.log()) {
                return port;
            }
            if let Some(status) = self.process.try_wait().expect("a child process") {
                panic!("the node ended at its start: {status}\n{}", self.log());
            }
            assert!(Instant::now() < deadline, "the node does not listen\n{}", self.log());
            std::thread::yield_now();
        }
    }

    /// What the node has logged so far.
    pub(crate) fn log(&self) -> String {
        let bytes = std::fs::read(self.log.path()).expect("the file for the log");
        String::from_utf8_lossy(&bytes).into_owned()
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

/// The port in a log, once its line is complete.
pub(crate) fn logged_port(log: &str) -> Option<u16> {
    let (line, _) = log.split_once(READY)?.1.split_once('\n')?;
    line.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
}
