//! The node that bad input is sent to.

use super::{support::TestNode, wire::Wire};

/// A node whose log is looked through. When the value goes, the node must still answer and must not have panicked.
pub(crate) struct Victim {
    node: TestNode,
    password: Option<String>,
}

impl Victim {
    /// Starts a node with one worker, so that every connection shares its thread with every other.
    pub(crate) fn start() -> Self {
        Self::start_with(&["--threads", "1"])
    }

    /// Starts a node with these arguments.
    pub(crate) fn start_with(args: &[&str]) -> Self {
        let node = TestNode::start_with(args);
        let password = args.iter().position(|&arg| arg == "--requirepass").map(|at| args[at + 1].to_owned());
        Self { node, password }
    }

    /// A new connection.
    pub(crate) fn connect(&self) -> Wire {
        Wire::connect(self.node.port)
    }

    /// What the process has in memory, in bytes.
    pub(crate) fn rss_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.node.pid())).expect("the node runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("the kernel tells VmRSS");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number of kB") * 1024
    }

    /// Fails unless the node answers on a new connection.
    pub(crate) fn assert_alive(&self) {
        let mut wire = self.connect();
        if let Some(password) = &self.password {
            assert_eq!(wire.ask(&format!("AUTH {password}")), "OK");
        }
        assert_eq!(wire.ask("PING"), "PONG");
    }

    fn panics(&self) -> String {
        let text = self.node.log();
        let lines: Vec<&str> = text.lines().collect();
        let is_panic = |line: &&str| line.contains("panicked at");
        let panics =
            (0..lines.len()).filter(|&at| is_panic(&lines[at])).map(|at| lines[at..lines.len().min(at + 2)].join("\n"));
        panics.collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let panics = self.panics();
        if std::thread::panicking() {
            eprintln!("the node's panics: {panics}");
        } else {
            assert!(panics.is_empty(), "the node panicked: {panics}");
            self.assert_alive();
        }
    }
}
