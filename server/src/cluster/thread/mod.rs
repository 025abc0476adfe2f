//! The `cluster` thread: gossip, the bus port and the control links, on a runtime of their own, so that no load on the
//! data plane makes a node look dead.
//!
//! ```text
//!            UDP ─────► driver ◄───── commands (any thread)
//! bus port (TCP) ─► handshake ─┬─ Ask, Control ─► driver ─► View, control messages ─► coordinator
//!                              └─ Forward, Replicate ─► OnStream ─► a worker
//! ```
//!
//! | module | holds |
//! |---|---|
//! | `driver` | feeds the membership's state machine and does what it wants |
//! | `joining` | finding the cluster, or founding it |
//! | [`net`] | what other threads use |
//! | [`seeds`] | where to look for the cluster, and who founds it |

mod driver;
mod joining;
pub mod net;
pub mod seeds;
#[cfg(test)]
mod tests;

use std::{
    io,
    net::{SocketAddr, TcpListener, UdpSocket},
    sync::Arc,
    thread,
    time::Instant,
};

use rondache_protocol::bus::identity::Identity;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use self::{
    driver::Driver,
    net::{ClusterNet, GossipStats},
    seeds::Seed,
};
use super::{
    bus::{
        control::Control,
        credentials::{Credentials, cut},
        links::ControlLinks,
        listener::{Accepts, BusListener, OnStream},
    },
    member::{MemberInfo, View},
    membership::tuning::Tuning,
};
use crate::net::listener;

/// What arrived at the bus port and waits for the driver; beyond it, the links wait.
const INBOUND_LEN_MAX: usize = 256;
/// Control messages that wait for the coordinator; beyond it, the newest is dropped and counted.
const CONTROL_LEN_MAX: usize = 4096;
/// Commands that wait for the driver; beyond it, whoever commands waits.
const COMMANDS_LEN_MAX: usize = 64;
/// Reports of absent members that wait for the driver; beyond it, they are dropped: they come again.
const ABSENT_LEN_MAX: usize = 64;
/// Bytes of datagrams that the system keeps while the thread is busy.
const UDP_BUFFER_LEN: usize = 1024 * 1024;
/// The control plane's connections that the system queues before they are accepted.
const BACKLOG: i32 = 511;

/// With what the cluster thread starts.
pub struct Options {
    /// What this node says of itself. Names and zones are cut to what may travel.
    pub me: MemberInfo,
    /// The cluster's name.
    pub cluster_name: String,
    /// What its members prove themselves with; may be empty.
    pub secret: String,
    /// Where to look for the cluster (`--join`); empty: this node founds one at once.
    pub seeds: Vec<Seed>,
    /// How members are watched, and for how long a dead one counts as one that might come back.
    pub tuning: Tuning,
    /// The bus port's sockets: see [`bind`].
    pub sockets: Sockets,
    /// Whom the bus port listens to.
    pub accepts: Accepts,
    /// Takes forward links and replication streams.
    pub on_stream: OnStream,
    /// Where it counts.
    pub stats: Arc<GossipStats>,
    /// Ends the thread when it is cancelled.
    pub shutdown: CancellationToken,
}

/// The bus port: TCP and, on the same port, UDP.
#[derive(Debug)]
pub struct Sockets {
    tcp: TcpListener,
    udp: UdpSocket,
}

impl Sockets {
    /// The address that was bound, with its real port.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

/// Binds the bus port, or any free one for port 0.
///
/// # Errors
/// The address is taken or not ours.
pub fn bind(addr: SocketAddr) -> io::Result<Sockets> {
    // A free TCP port may be taken for UDP: then another one is tried.
    let attempts = if addr.port() == 0 { 16 } else { 1 };
    let mut result = Err(io::ErrorKind::AddrInUse.into());
    for _ in 0..attempts {
        let tcp = listener::bind(addr, BACKLOG)?;
        result = bind_udp(tcp.local_addr()?).map(|udp| Sockets { tcp, udp });
        if result.is_ok() {
            break;
        }
    }
    result
}

fn bind_udp(addr: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(addr), Type::DGRAM, Some(Protocol::UDP))?;
    if addr.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    // The system may grant less.
    let _ = socket.set_recv_buffer_size(UDP_BUFFER_LEN);
    socket.bind(&addr.into())?;
    Ok(socket.into())
}

/// The thread, and what comes out of it.
#[derive(Debug)]
pub struct Started {
    /// What other threads use.
    pub net: ClusterNet,
    /// Control messages for the coordinator, with who sent them.
    pub control: mpsc::Receiver<(Identity, Control)>,
    /// The thread's runtime: spawn there what belongs to the control plane. It ends with the thread.
    pub runtime: tokio::runtime::Handle,
    /// The thread.
    pub thread: thread::JoinHandle<()>,
}

/// Starts the cluster thread.
///
/// # Errors
/// The system refuses a thread, a runtime or a socket.
pub fn start(options: Options) -> io::Result<Started> {
    let Options { mut me, cluster_name, secret, seeds, tuning, sockets, accepts, on_stream, stats, shutdown } = options;
    me.name = cut(&me.name).to_owned();
    me.zone = cut(&me.zone).to_owned();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let credentials = Arc::new(Credentials::new(me.identity, &cluster_name, &secret));
    let (view_sender, view) = watch::channel(Arc::new(View::default()));
    let (joined_sender, joined) = watch::channel(None);
    let (links, keeper) = ControlLinks::new();
    let (inbound_sender, inbound) = mpsc::channel(INBOUND_LEN_MAX);
    let (control_sender, control) = mpsc::channel(CONTROL_LEN_MAX);
    let (commands_sender, commands) = mpsc::channel(COMMANDS_LEN_MAX);
    let (absent_sender, absent) = mpsc::channel(ABSENT_LEN_MAX);
    let net = ClusterNet {
        view: view.clone(),
        joined,
        links: links.clone(),
        credentials: credentials.clone(),
        commands: commands_sender,
    };
    let bus = Arc::new(BusListener {
        credentials: credentials.clone(),
        view: view.clone(),
        accepts,
        on_stream,
        inbound: inbound_sender,
        quiet: std::sync::Mutex::default(),
        started: Instant::now(),
    });
    let handle = runtime.handle().clone();
    let (udp, tcp) = {
        let _entered = runtime.enter();
        (tokio::net::UdpSocket::from_std(sockets.udp)?, tokio::net::TcpListener::from_std(sockets.tcp)?)
    };
    let driver = Driver::new(
        driver::Ends {
            udp,
            inbound,
            commands,
            absent,
            absent_sender: absent_sender.clone(),
            view: view_sender,
            joined: joined_sender,
            control: control_sender,
            links,
            stats,
        },
        credentials.clone(),
        me,
        seeds,
        tuning,
    );
    let thread = thread::Builder::new().name("cluster".to_owned()).spawn(move || {
        runtime.block_on(async move {
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = driver.run() => {}
                () = bus.run(tcp) => {}
                () = keeper.run(credentials, view, absent_sender) => {}
            }
        });
        // What others have spawned here may hold on to blocking work; nothing of it is worth waiting for.
        runtime.shutdown_background();
    })?;
    Ok(Started { net, control, runtime: handle, thread })
}
