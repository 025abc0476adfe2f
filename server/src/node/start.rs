//! Start and end of a node: sockets, threads, and in which order they go.
//!
//! ```text
//! start: bind ─► workers (data plane) ─► control thread: accepts, keeps house, applies settings, admin HTTP
//! end:   shutdown ─► control stops accepting; workers tell their connections, which send what they owe, and end
//! ```

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    thread,
};

use tokio::task::JoinSet;

use super::{Node, advertise, files, housekeeping, local::LocalNode, sampler, topology_push};
use crate::{
    cluster::{
        runtime,
        thread::{
            self as cluster_thread,
            seeds::{Seed, SeedError},
        },
    },
    config::{parameters, settings::Settings},
    net::{admin, housekeeping as net_housekeeping, listener, worker::Workers},
};

/// Why a node could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address cannot be listened on.
    #[error("cannot listen on {addr}: {source}")]
    Bind {
        /// The address.
        addr: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// Another address than clients' cannot be listened on.
    #[error("cannot listen on {addr} for {purpose}: {source}; --{flag} names another address")]
    BindBeside {
        /// The address.
        addr: SocketAddr,
        /// What it is for.
        purpose: &'static str,
        /// The parameter that names it.
        flag: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// What was given as a node to join names none.
    #[error("cannot join: {0}")]
    Join(#[from] SeedError),
    /// What others are to reach the node by has no address.
    #[error("--advertise {host}: {source}")]
    Advertise {
        /// The name.
        host: String,
        /// Why not.
        source: io::Error,
    },
    /// The system refuses a thread or a runtime.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
}

/// A node that serves clients. It goes on when this value is dropped: see [`RunningNode::shutdown`].
pub struct RunningNode {
    node: Arc<Node>,
    addrs: Vec<SocketAddr>,
    redirect_addrs: Vec<SocketAddr>,
    admin_addrs: Vec<SocketAddr>,
    workers: Workers,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Node {
    /// Starts a node in threads of its own and returns as soon as clients can connect.
    ///
    /// # Errors
    /// An address is taken or not ours, or the system refuses a thread.
    pub fn start(mut settings: Settings) -> Result<RunningNode, StartError> {
        let seeds = settings.cluster.join.iter().map(|seed| seed.parse()).collect::<Result<Vec<Seed>, _>>()?;
        settings.cluster.advertised_ip = advertise::find(&settings, &seeds)
            .map_err(|source| StartError::Advertise { host: settings.cluster.advertise.clone(), source })?;
        let sockets = bind_all(&settings)?;
        let addrs = local_addrs(&sockets);
        // Where port 0 was asked for, this is the port that it became.
        settings.listen.clone_from(&addrs);
        let redirect = bind_beside(&settings.redirect_addrs(), &settings, "cluster clients", "redirect-listen")?;
        let admin = bind_beside(&settings.admin_addrs(), &settings, "admin HTTP", "admin-listen")?;
        let bus = bind_bus(&mut settings)?;
        settings.cluster.redirect_listen = local_addrs(&redirect);
        settings.cluster.admin_listen = local_addrs(&admin);
        let (redirect_addrs, admin_addrs) =
            (settings.cluster.redirect_listen.clone(), settings.cluster.admin_listen.clone());
        settings.clients_max = files::clients_allowed(settings.clients_max, settings.threads);
        tell_what_may_surprise(&settings);
        let count = settings.threads;
        let node = Self::new(settings);
        node.apply_settings();
        let (workers, mut threads) = Workers::start(&node, count).map_err(StartError::Thread)?;
        threads.extend(runtime::start(&node, &workers, bus, seeds).map_err(|error| {
            // The workers are running already.
            node.shutdown.cancel();
            StartError::Thread(error)
        })?);
        let sockets = Sockets { clients: sockets.into_iter().chain(redirect).collect(), admin };
        threads.push(start_control(&node, sockets, workers.clone()).map_err(StartError::Thread)?);
        for addr in &redirect_addrs {
            tracing::info!("cluster clients are redirected on {addr}");
        }
        for addr in &admin_addrs {
            tracing::info!("metrics on http://{addr}/metrics");
        }
        for addr in &addrs {
            tracing::info!(threads = count, pid = std::process::id(), "ready to accept connections on {addr}");
        }
        Ok(RunningNode { node, addrs, redirect_addrs, admin_addrs, workers, threads })
    }
}

impl RunningNode {
    /// What the node's threads share.
    #[must_use]
    pub fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// The node's keys without a socket, for the service that the node is embedded in.
    #[must_use]
    pub fn local(&self) -> LocalNode {
        LocalNode::new(&self.node)
    }

    /// The threads that serve clients and other nodes.
    #[must_use]
    pub fn workers(&self) -> &Workers {
        &self.workers
    }

    /// The first address that clients connect to, with its real port.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addrs[0]
    }

    /// All addresses that clients connect to.
    #[must_use]
    pub fn addrs(&self) -> &[SocketAddr] {
        &self.addrs
    }

    /// All addresses that cluster clients connect to.
    #[must_use]
    pub fn redirect_addrs(&self) -> &[SocketAddr] {
        &self.redirect_addrs
    }

    /// All addresses of the admin HTTP.
    #[must_use]
    pub fn admin_addrs(&self) -> &[SocketAddr] {
        &self.admin_addrs
    }

    /// Begins the end: slots are handed to the other nodes, if there are any; then nothing more is accepted, running
    /// commands finish, replies are sent.
    pub fn shutdown(&self) {
        self.node.stop();
    }

    /// Waits until the node has ended, which takes no longer than `shutdown-timeout` after [`RunningNode::shutdown`],
    /// unless a command runs longer than that.
    pub fn wait(self) {
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("a thread of the node had panicked");
            }
        }
        tracing::info!("bye");
    }
}

fn bind_all(settings: &Settings) -> Result<Vec<TcpListener>, StartError> {
    let bind = |addr: &SocketAddr| {
        listener::bind(*addr, settings.tcp_backlog).map_err(|source| StartError::Bind { addr: *addr, source })
    };
    settings.listen.iter().map(bind).collect()
}

/// Listens on addresses beside the main ones.
fn bind_beside(
    addrs: &[SocketAddr],
    settings: &Settings,
    purpose: &'static str,
    flag: &'static str,
) -> Result<Vec<TcpListener>, StartError> {
    let bind = |addr: &SocketAddr| {
        let bound = listener::bind(*addr, settings.tcp_backlog);
        bound.map_err(|source| StartError::BindBeside { addr: *addr, purpose, flag, source })
    };
    addrs.iter().map(bind).collect()
}

/// Listens for other nodes. Only the first address counts.
fn bind_bus(settings: &mut Settings) -> Result<cluster_thread::Sockets, StartError> {
    let addr = settings.bus_addrs().first().copied().unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)));
    let refused = |source| StartError::BindBeside { addr, purpose: "other nodes", flag: "bus-listen", source };
    let sockets = cluster_thread::bind(addr).map_err(refused)?;
    settings.cluster.bus_listen = vec![sockets.addr().map_err(refused)?];
    Ok(sockets)
}

fn local_addrs(sockets: &[TcpListener]) -> Vec<SocketAddr> {
    sockets.iter().filter_map(|socket| socket.local_addr().ok()).collect()
}

/// What the control thread accepts on.
struct Sockets {
    /// For clients, redirecting ones included.
    clients: Vec<TcpListener>,
    admin: Vec<TcpListener>,
}

/// The control plane: a thread and a runtime of its own, so that load on the workers never delays it.
fn start_control(node: &Arc<Node>, sockets: Sockets, workers: Workers) -> io::Result<thread::JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let node = node.clone();
    thread::Builder::new().name("control".to_owned()).spawn(move || {
        node.memory.meter_this_thread();
        runtime.block_on(control(node, sockets, workers));
    })
}

async fn control(node: Arc<Node>, sockets: Sockets, workers: Workers) {
    let mut tasks = JoinSet::new();
    for socket in sockets.clients {
        let (node, workers) = (node.clone(), workers.clone());
        tasks.spawn(async move {
            if let Err(error) = listener::accept(socket, node.clone(), workers).await {
                tracing::error!(%error, "cannot accept connections any more");
                node.shutdown.cancel();
            }
        });
    }
    for socket in sockets.admin {
        let node = node.clone();
        tasks.spawn(async move {
            // The node serves clients all the same.
            if let Err(error) = admin::serve(socket, node).await {
                tracing::error!(%error, "the admin port is closed");
            }
        });
    }
    tasks.spawn(net_housekeeping::run(node.clone()));
    tasks.spawn(apply_settings(node.clone()));
    tasks.spawn(sampler::run(node.clone()));
    tasks.spawn(topology_push::run(node.clone()));
    tasks.spawn(housekeeping::run(node.clone()));
    node.shutdown.cancelled().await;
    tracing::info!("stopping: no more connections are accepted, running commands finish");
    tasks.shutdown().await;
}

async fn apply_settings(node: Arc<Node>) {
    loop {
        node.settings_changed.notified().await;
        node.apply_settings();
    }
}

/// Tells what a user who comes from Redis might not expect.
fn tell_what_may_surprise(settings: &Settings) {
    if settings.ttl_jitter_percent > 0 {
        tracing::info!(
            "relative TTLs are shortened at random by up to {} %, so that keys do not expire all at once; \
             '--ttl-jitter 0' turns that off",
            settings.ttl_jitter_percent
        );
    }
    let is_open = settings.listen.iter().any(|addr| !addr.ip().is_loopback());
    if is_open && settings.is_protected() {
        tracing::warn!(
            "protected mode: there is no password, so clients on other machines are refused; set --requirepass, or \
             --protected-mode no. Nodes on other machines are refused too, until there is a --cluster-secret"
        );
    }
    if is_open && !settings.cluster.join.is_empty() && settings.cluster.secret.is_empty() {
        tracing::warn!(
            "there is no --cluster-secret: whoever reaches the bus can join this cluster; and without --requirepass, whoever \
             reaches the node can read its keys"
        );
    }
    for (name, value) in &settings.accepted {
        let default = parameters::lookup(name).map(|parameter| parameter.get(&Settings::default()));
        if default.as_ref() != Some(value) {
            tracing::warn!("'{name}' is known for the sake of compatibility and has no effect here");
        }
    }
}
