//! Three nodes that form a cluster.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use rondache_client::{Client, ClientBuilder};

use super::failed;
use crate::error::Result;
use crate::proc::affinity::Placement;
use crate::proc::server::free_address;
use crate::proc::{Server, ServerSpec, guard, usage};

const NODES: usize = 3;
/// How long they may take to come together.
const TOGETHER_TIMEOUT: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(100);
const IDLE_LOOKS_MAX: u32 = 60;

/// Nodes on this machine; they end with the value.
pub(super) struct Cluster {
    servers: Vec<Server>,
}

impl Cluster {
    /// Starts the nodes and waits until all own slots, and have nothing left to move.
    pub(super) fn start(program: &Path) -> Result<Self> {
        let mut cluster = Self { servers: Vec::new() };
        let first_bus = free_address()?;
        for number in 0..NODES {
            // Named, so that the others can be told of it.
            let bus = if number == 0 { first_bus } else { SocketAddr::from(([127, 0, 0, 1], 0)) };
            let mut arguments = vec!["--bus-listen".to_owned(), bus.to_string()];
            if let Some(first) = cluster.servers.first() {
                arguments.extend(["--join".to_owned(), format!("{}@{}", first.addr, first_bus.port())]);
            }
            let spec = ServerSpec::new(&format!("node {number}"), program.to_owned(), arguments);
            cluster.servers.push(Server::start(&spec, &Placement::unpinned())?);
        }
        super::block_on(1, cluster.wait_together())?;
        for server in &cluster.servers {
            usage::wait_until_idle(server.pid, IDLE_LOOKS_MAX)?;
        }
        Ok(cluster)
    }

    async fn wait_together(&self) -> Result<()> {
        let began = Instant::now();
        let builder = self.builder().refresh_interval(LOOK_EVERY);
        let client = builder.build().await.map_err(|error| failed("cluster", error))?;
        while client.nodes().len() < NODES {
            if began.elapsed() > TOGETHER_TIMEOUT {
                return Err(failed(
                    "cluster",
                    format!("after {TOGETHER_TIMEOUT:?} only {:?} own slots", client.nodes()),
                ));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        client.close().await;
        Ok(())
    }

    /// Where clients begin.
    pub(super) fn seeds(&self) -> Vec<String> {
        self.servers.iter().map(|server| server.addr.to_string()).collect()
    }

    /// A client of this project's for the cluster.
    pub(super) fn builder(&self) -> ClientBuilder {
        Client::builder().seeds(self.seeds())
    }

    /// Kills the node that stands first among the seeds.
    pub(super) fn kill_first(&self) {
        if let Some(server) = self.servers.first() {
            guard::end(server.pid);
        }
    }
}
