//! Accepts connections and shares them out.

use std::{io, net::SocketAddr, sync::Arc, sync::atomic::Ordering, time::Duration};

use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::TcpListener;

use super::worker::{Incoming, Workers};
use crate::node::Node;

/// What a client from elsewhere reads in protected mode. Its first word is what clients look for.
const DENIED: &str = "-DENIED Rondache runs in protected mode: it has no password, so only clients on its own machine may \
connect. To let others in, do one of these: 1) set a password, with --requirepass, in the configuration file, or with \
'CONFIG SET requirepass ...' from the machine itself; 2) turn protected mode off, with --protected-mode no, or with 'CONFIG \
SET protected-mode no' from the machine itself, once you are sure that only friends can reach this port.\r\n";

/// How long to pause when the system has no descriptor left for another connection.
const PAUSE_WHEN_EXHAUSTED: Duration = Duration::from_millis(100);

/// Binds a listening socket; `backlog` connections may wait in it.
///
/// # Errors
/// The address is taken or not ours.
pub fn bind(addr: SocketAddr, backlog: i32) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if addr.is_ipv6() {
        // IPv4 is listened on where it is asked for, by an address of its own.
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&addr.into())?;
    socket.listen(backlog)?;
    Ok(socket.into())
}

/// Accepts until the node shuts down.
pub async fn accept(listener: std::net::TcpListener, node: Arc<Node>, workers: Workers) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let mut turn = 0;
    loop {
        let accepted = tokio::select! {
            biased;
            () = node.shutdown.cancelled() => return Ok(()),
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let Ok(stream) = stream.into_std() else { continue };
                if let Some(refusal) = refusal(&node, peer) {
                    node.stats.connections_refused.fetch_add(1, Ordering::Relaxed);
                    // Best effort: the socket's empty buffer takes one line.
                    let _ = io::Write::write(&mut &stream, refusal.as_bytes());
                    continue;
                }
                node.stats.connections.fetch_add(1, Ordering::Relaxed);
                set_options(&stream, node.settings.load().tcp_keepalive_s);
                workers.hand_over(Incoming::Client(stream), turn).await;
                turn += 1;
            }
            Err(error) => {
                tracing::warn!(%error, "could not accept a connection");
                tokio::time::sleep(PAUSE_WHEN_EXHAUSTED).await;
            }
        }
    }
}

/// Why a peer may not connect, as the line that it reads.
fn refusal(node: &Node, peer: SocketAddr) -> Option<&'static str> {
    let settings = node.settings.load();
    if settings.is_protected() && !peer.ip().to_canonical().is_loopback() {
        return Some(DENIED);
    }
    if node.clients.len() >= settings.clients_max {
        return Some("-ERR max number of clients reached\r\n");
    }
    None
}

fn set_options(stream: &std::net::TcpStream, keepalive_s: u64) {
    // Neither option is worth refusing a client over.
    let _ = stream.set_nodelay(true);
    if keepalive_s > 0 {
        let keepalive = TcpKeepalive::new()
            .with_time(Duration::from_secs(keepalive_s))
            .with_interval(Duration::from_secs((keepalive_s / 3).max(1)))
            .with_retries(3);
        let _ = SockRef::from(stream).set_tcp_keepalive(&keepalive);
    }
}
