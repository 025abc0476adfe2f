//! `rondache demo`: a whole cluster in one process, for a first look.

use std::{fmt::Write as _, net::SocketAddr};

use crate::{
    config::settings::{LogFormat, Settings},
    node::{
        Node,
        start::{RunningNode, StartError},
    },
};

/// Nodes unless told otherwise.
pub const NODES_DEFAULT: u16 = 3;
/// More nodes than this tell nothing new.
pub const NODES_MAX: u16 = 32;
/// The first node's port unless told otherwise.
pub const PORT_DEFAULT: u16 = 7001;
/// The highest first port: the bus of the last node stands 10,000 above its port.
pub const PORT_MAX: u16 = u16::MAX - 10_000 - NODES_MAX;

/// The level of warnings in `LOG_LEVELS`: a demo shows itself, not its log.
pub const LOG_LEVEL: usize = 3;

/// Which demo to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demo {
    /// How many nodes.
    pub nodes: u16,
    /// The first node's main port; the others follow it.
    pub port: u16,
}

impl Demo {
    /// Starts the nodes.
    ///
    /// # Errors
    /// A port is taken, most likely by another demo.
    pub fn start(&self) -> Result<Vec<RunningNode>, StartError> {
        let mut running: Vec<RunningNode> = Vec::new();
        for index in 0..self.nodes {
            match Node::start(self.settings(index)) {
                Ok(node) => running.push(node),
                Err(error) => {
                    running.iter().for_each(RunningNode::shutdown);
                    running.into_iter().for_each(RunningNode::wait);
                    return Err(error);
                }
            }
        }
        Ok(running)
    }

    fn settings(&self, index: u16) -> Settings {
        let addr = |index| SocketAddr::from(([127, 0, 0, 1], self.port + index));
        let mut settings = Settings {
            listen: vec![addr(index)],
            threads: 1,
            log_format: LogFormat::Text,
            log_level: LOG_LEVEL,
            ..Settings::default()
        };
        settings.cluster.node_name = format!("node-{}", index + 1);
        settings.cluster.name = "demo".to_owned();
        if index > 0 {
            settings.cluster.join = vec![addr(0).to_string()];
        }
        settings
    }

    /// What to do with it, for the terminal.
    #[must_use]
    pub fn welcome(&self) -> String {
        let last = self.port + self.nodes - 1;
        let ports: Vec<String> = (self.port..=last).map(|port| port.to_string()).collect();
        let mut text =
            format!("{} nodes on ports {}. Any of them answers for every key:\n\n", self.nodes, ports.join(", "));
        let lines = [
            (format!("redis-cli -p {} SET greeting hello", self.port), "write through one node"),
            (format!("redis-cli -p {last} GET greeting"), "read through another"),
            (format!("redis-cli -p {last} MGET greeting a b c"), "keys of several nodes in one command"),
            (format!("redis-cli -c -p {} GET greeting", self.port + 1000), "as a cluster client, at the redirect port"),
            (format!("rondache status --node 127.0.0.1:{} --watch", self.port), "members, shares, what moves"),
            (format!("rondache --listen 127.0.0.1:{} --join 127.0.0.1:{}", last + 1, self.port), "one more node joins"),
            (format!("redis-cli -p {last} SHUTDOWN NOSAVE"), "one node ends: nothing is lost"),
            (format!("curl http://127.0.0.1:{}/metrics", self.port + 2000), "what Prometheus reads"),
        ];
        let width = lines.iter().map(|(command, _)| command.len()).max().unwrap_or(0);
        for (command, about) in lines {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  {command:<width$}   # {about}");
        }
        text.push_str("\nCtrl-C ends all.\n");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_node_but_the_first_joins_the_first() {
        let demo = Demo { nodes: 3, port: 7001 };
        let joins: Vec<_> = (0..3).map(|index| demo.settings(index).cluster.join).collect();
        assert_eq!(joins, [vec![], vec!["127.0.0.1:7001".to_owned()], vec!["127.0.0.1:7001".to_owned()]]);
        assert_eq!(demo.settings(2).listen, ["127.0.0.1:7003".parse().unwrap()]);
    }

    #[test]
    fn the_welcome_names_ports_that_are_there() {
        let text = Demo { nodes: 3, port: 7001 }.welcome();
        assert!(text.starts_with("3 nodes on ports 7001, 7002, 7003."), "{text}");
        assert!(text.contains("--listen 127.0.0.1:7004 --join 127.0.0.1:7001"), "{text}");
    }
}
