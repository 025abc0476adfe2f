//! The client itself: what its clones share, and its life.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::RwLock;
use rondache_protocol::resp::value::Value;
use tokio::runtime::Handle;

use crate::{
    ClientBuilder, Cmd, Pipeline,
    blocking::BlockingPool,
    config::Config,
    convert::FromValue,
    error::ClientError,
    metrics::ClientSnapshot,
    policy::{BudgetConfig, ShareBudget},
    reads::Reads,
    topology::{Refresher, Registry, Topology, learn},
    trace,
};

/// A client of a node or a cluster. Cloning is cheap: clones share connections and topology.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let settings = rondache_server::config::settings::Settings { listen: vec!["127.0.0.1:0".parse()?], threads: 1, ..Default::default() };
/// # let node = rondache_server::node::Node::start(settings)?;
/// # let address = node.addr().to_string();
/// use rondache_client::{Client, Cmd};
///
/// let client = Client::builder().seeds([address]).build().await?;
/// client.cmd(Cmd::new("SET").arg("greeting").arg("hello")).await?;
/// let greeting: Option<String> = client.query(Cmd::new("GET").arg("greeting")).await?;
/// assert_eq!(greeting.as_deref(), Some("hello"));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
    pub(crate) deadline: Duration,
}

/// What clones share.
pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) registry: Registry,
    /// Held to copy a pointer out or in.
    topology: RwLock<Arc<Topology>>,
    pub(crate) refresher: Arc<Refresher>,
    pub(crate) retry_budget: ShareBudget,
    pub(crate) reads: Reads,
    pub(crate) blocking: BlockingPool,
    main_ports: AtomicBool,
    closed: AtomicBool,
}

/// Retries may be a fifth of the traffic. The burst covers what is in flight when a node dies.
const RETRY_BUDGET: BudgetConfig = BudgetConfig { share: 0.2, burst: 10_000 };

impl Client {
    /// Begins a client's settings.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    pub(crate) async fn connect(mut config: Config) -> Result<Self, ClientError> {
        let refresher = Arc::<Refresher>::default();
        config.link.observers.push(refresher.clone());
        let registry = Registry::new(&config, Handle::current());
        let seeds = config.seeds.iter().map(|seed| registry.link(seed)).collect();
        let topology = Topology::cluster(&[], seeds, false, |seed| registry.link(seed));
        let (deadline, interval) = (config.deadline, config.refresh_interval);
        let inner = Arc::new(Inner {
            blocking: BlockingPool::new(&config),
            reads: Reads::new(&config),
            config,
            registry,
            topology: RwLock::new(Arc::new(topology)),
            refresher,
            retry_budget: ShareBudget::new(RETRY_BUDGET),
            main_ports: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        });
        let topology = learn(&inner).await?;
        inner.set_topology(topology);
        let refresher = Refresher::run(Arc::downgrade(&inner), inner.refresher.clone(), interval);
        inner.registry.runtime().spawn(refresher);
        Ok(Self { inner, deadline })
    }

    /// The same client, whose calls may take so long in all, retries included.
    #[must_use]
    pub fn with_deadline(&self, deadline: Duration) -> Self {
        Self { inner: self.inner.clone(), deadline }
    }

    /// Sends a command to where it belongs and answers the reply. A command with keys in several slots is split if the
    /// command table says that it can be (MGET, MSET, DEL, UNLINK, EXISTS, TOUCH): then it isn't atomic. Blocking
    /// commands get a connection of their own.
    ///
    /// # Errors
    /// Any [`ClientError`]; an error reply is [`ClientError::Server`].
    pub async fn cmd(&self, cmd: Cmd) -> Result<Value, ClientError> {
        let started = Instant::now();
        let deadline = started + self.deadline;
        if trace::is_on() {
            // Boxed, so that the usual call's future stays small.
            return Box::pin(trace::call(&cmd, self.inner.execute(&cmd, started, deadline))).await;
        }
        self.inner.execute(&cmd, started, deadline).await
    }

    /// As [`cmd`](Self::cmd), with the reply converted.
    ///
    /// # Errors
    /// As [`cmd`](Self::cmd), and [`ClientError::Convert`].
    pub async fn query<T: FromValue>(&self, cmd: Cmd) -> Result<T, ClientError> {
        Ok(T::from_value(self.cmd(cmd).await?)?)
    }

    /// Begins a pipeline: commands that are sent together.
    pub fn pipeline(&self) -> Pipeline {
        Pipeline::new(self.clone())
    }

    /// Whether the server is a cluster, as far as is known now.
    #[must_use]
    pub fn is_cluster(&self) -> bool {
        self.inner.topology().is_cluster
    }

    /// The addresses of the nodes that own slots, as far as is known now.
    #[must_use]
    pub fn nodes(&self) -> Vec<Arc<str>> {
        self.inner.topology().all_owners().iter().map(|link| link.name()).collect()
    }

    /// What was counted of the nodes that this client and its clones have sent something to.
    #[must_use]
    pub fn metrics(&self) -> ClientSnapshot {
        let mut nodes: Vec<_> =
            self.inner.registry.all().iter().map(|link| link.metrics.snapshot(link.name())).collect();
        nodes.retain(|node| !node.families.is_empty());
        nodes.sort_unstable_by(|one, other| one.node.cmp(&other.node));
        ClientSnapshot { nodes }
    }

    /// Closes the client and all its clones: new calls fail with [`ClientError::Closed`], those in flight have until the
    /// deadline to end; then the connections are closed.
    pub async fn close(&self) {
        const TICK: Duration = Duration::from_millis(2);
        self.inner.closed.store(true, Ordering::Relaxed);
        let until = Instant::now() + self.deadline;
        let busy = || self.inner.registry.all().iter().any(|link| link.in_flight() > 0);
        while busy() && Instant::now() < until {
            tokio::time::sleep(TICK).await;
        }
        self.inner.registry.all().iter().for_each(|link| link.close());
        self.inner.blocking.close();
        self.inner.refresher.request();
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("nodes", &self.nodes()).field("deadline", &self.deadline).finish()
    }
}

impl Inner {
    /// The current snapshot.
    pub(crate) fn topology(&self) -> Arc<Topology> {
        self.topology.read().clone()
    }

    /// Looks at the current snapshot without keeping it.
    #[inline]
    pub(crate) fn with_topology<T>(&self, look: impl FnOnce(&Topology) -> T) -> T {
        look(&self.topology.read())
    }

    pub(crate) fn set_topology(&self, topology: Topology) {
        *self.topology.write() = Arc::new(topology);
    }

    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Whether the cluster's nodes have main ports that answer for every key: once seen, remembered.
    pub(crate) fn saw_main_ports(&self, seen: bool) -> bool {
        self.main_ports.fetch_or(seen, Ordering::Relaxed) || seen
    }
}
