//! What the examples share: nodes to talk to, and figures to print.
#![allow(dead_code, reason = "each example uses some of it")]

use std::{
    net::{Ipv4Addr, SocketAddr},
    process::ExitCode,
    time::Duration,
};

use rondache_client::{Client, ClientBuilder};
use rondache_server::{
    config::settings::Settings,
    node::{Node, start::RunningNode},
};

pub(crate) type Error = Box<dyn std::error::Error + Send + Sync>;

/// The nodes that the example talks to: those of `--nodes host:port,…`, or one in this process.
pub(crate) struct Nodes {
    addrs: Vec<String>,
    own: Option<RunningNode>,
}

impl Nodes {
    /// # Errors
    /// `--nodes` without addresses, or no port for a node in this process.
    pub(crate) fn find() -> Result<Self, Error> {
        if let Some(addrs) = option("--nodes")? {
            return Ok(Self { addrs: addrs.split(',').map(str::to_owned).collect(), own: None });
        }
        // All ports of the node are the system's choice.
        let any = || vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))];
        let mut settings = Settings { listen: any(), threads: 1, ..Settings::default() };
        settings.cluster.redirect_listen = any();
        settings.cluster.bus_listen = any();
        settings.cluster.admin_listen = any();
        let own = Node::start(settings)?;
        Ok(Self { addrs: vec![own.addr().to_string()], own: Some(own) })
    }

    pub(crate) fn client(&self) -> ClientBuilder {
        Client::builder().seeds(&self.addrs)
    }

    pub(crate) fn describe(&self) -> String {
        match self.own {
            Some(_) => format!("a node in this process ({})", self.addrs.join(", ")),
            None => self.addrs.join(", "),
        }
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        if let Some(node) = self.own.take() {
            node.shutdown();
            node.wait();
        }
    }
}

/// Runs an example that has these options besides `--help`; what goes wrong is printed as a sentence.
pub(crate) async fn run(options: &[&str], example: impl Future<Output = Result<(), Error>>) -> ExitCode {
    let usage = || options.iter().map(|name| format!(" [{name} …]")).collect::<String>();
    for word in std::env::args().skip(1).filter(|word| word.starts_with('-')) {
        if !options.contains(&word.as_str()) {
            eprintln!("options:{} (the example's first lines explain them)", usage());
            return if word == "--help" || word == "-h" { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
    }
    match example.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The value behind a name on the command line.
///
/// # Errors
/// The name is the last word.
pub(crate) fn option(name: &str) -> Result<Option<String>, Error> {
    let mut args = std::env::args().skip(1).skip_while(|arg| arg != name);
    match (args.next(), args.next()) {
        (Some(_), Some(value)) => Ok(Some(value)),
        (Some(_), None) => Err(format!("{name} needs a value").into()),
        (None, _) => Ok(None),
    }
}

/// The durations that these shares of all stayed below. Sorts them.
pub(crate) fn quantiles<const N: usize>(durations: &mut [Duration], shares: [f64; N]) -> [Duration; N] {
    durations.sort_unstable();
    let last = durations.len().saturating_sub(1);
    shares.map(|share| durations.get((last as f64 * share) as usize).copied().unwrap_or_default())
}
