//! The socket of one worker's link to one peer.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use rondache_protocol::bus::{
    forward::{Invalidation, kind},
    frame::Frame,
};
use socket2::SockRef;
use tokio::{io::AsyncWrite, net::TcpStream};

use super::{inbox::Inbox, keeper, links::Links};
use crate::{
    cluster::routing::PeerIndex,
    net::worker::{Worker, with_worker},
    node::Node,
};

/// How long connecting may take, the handshake included.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(1000);

/// Reads in a row, before the other tasks of the worker have their turn.
const READS_MAX: usize = 8;

/// Starts the tasks that the worker's links need.
pub(crate) fn start_tasks(node: &Arc<Node>, worker: &mut Worker) {
    for peer in worker.links.take_to_start() {
        tokio::spawn(run(node.clone(), peer));
    }
    if !std::mem::replace(&mut worker.links.is_kept, true) {
        tokio::spawn(keeper::run(node.clone()));
    }
}

/// Connects to a peer and serves the worker's queue to it, until the connection ends. What is unanswered then goes back
/// to its waves.
async fn run(node: Arc<Node>, peer: PeerIndex) {
    if let Err(error) = connect_and_serve(&node, peer).await {
        tracing::debug!(%error, peer = peer.0, "a link to another node ended");
    }
    if with_worker(|worker| worker.links.lose(peer, Instant::now())) {
        // Whoever owns its keys now, changes may have been missed.
        node.hub.tracking.distrust();
    }
}

async fn connect_and_serve(node: &Arc<Node>, peer: PeerIndex) -> io::Result<()> {
    let known = node.cluster.routing.peer(peer).ok_or(io::ErrorKind::NotFound)?;
    let dialled = node.cluster.forwarding.dialler().dial(known);
    let stream = tokio::time::timeout(CONNECT_TIMEOUT, dialled).await.map_err(|_| io::ErrorKind::TimedOut)??;
    stream.set_nonblocking(true)?;
    take_back_at_end(&stream)?;
    let mut socket = Socket { node: node.clone(), peer, stream: TcpStream::from_std(stream)?, inbox: Inbox::default() };
    std::future::poll_fn(|cx| with_worker(|worker| socket.poll(cx, worker))).await
}

/// Has the end of a connection take back what its peer has not received. The kernel would go on trying to deliver that for minutes, and a
/// request that reaches a peer behind a cut which has healed is executed then, long after it was asked of another.
fn take_back_at_end(stream: &std::net::TcpStream) -> io::Result<()> {
    SockRef::from(stream).set_linger(Some(Duration::ZERO))
}

struct Socket {
    node: Arc<Node>,
    peer: PeerIndex,
    stream: TcpStream,
    inbox: Inbox,
}

impl Socket {
    /// Takes replies, then sends what is queued. Ready only when the link is to end.
    fn poll(&mut self, cx: &mut Context<'_>, worker: &mut Worker) -> Poll<io::Result<()>> {
        let (node, peer) = (&self.node, self.peer);
        let mut reads = 0;
        let mut now = None;
        loop {
            let (links, scratch) = (&mut worker.links, &mut worker.read_buf);
            let read = self.inbox.poll_read(cx, &mut self.stream, scratch, |frame| {
                take_frame(node, links, peer, frame, *now.get_or_insert_with(Instant::now))
            });
            match read {
                Poll::Pending => break,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Ready(Ok(())) => node.hub.tracking.flush(),
            }
            reads += 1;
            if reads == READS_MAX {
                cx.waker().wake_by_ref();
                break;
            }
        }
        loop {
            let queued = worker.links.queued(peer);
            if queued.is_empty() {
                break;
            }
            match Pin::new(&mut self.stream).poll_write(cx, queued) {
                Poll::Pending => break,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(len)) => worker.links.sent(peer, len),
            }
        }
        if worker.links.wait(peer, cx.waker()) {
            Poll::Pending
        } else {
            Poll::Ready(Err(io::ErrorKind::HostUnreachable.into()))
        }
    }
}

/// Takes what a peer has sent.
///
/// # Errors
/// It makes no sense: the link is to end.
pub(in crate::cluster) fn take_frame(
    node: &Arc<Node>,
    links: &mut Links,
    peer: PeerIndex,
    frame: Frame<'_>,
    now: Instant,
) -> io::Result<()> {
    match frame.kind {
        kind::REPLY => links.take_reply(peer, frame.payload, now).map_err(io::Error::other),
        kind::WRITTEN => links.take_written(frame.payload).map_err(io::Error::other),
        kind::INVALIDATE => {
            let tracking = &node.hub.tracking;
            match Invalidation::decode(frame.payload).map_err(io::Error::other)? {
                Invalidation::Key(key) => tracking.invalidate_elsewhere(None, key),
                Invalidation::KeyBy(writer, key) => tracking.invalidate_elsewhere(Some(writer), key),
                Invalidation::All => tracking.invalidate_all_elsewhere(),
                // What was read before may have changed before.
                Invalidation::Begun => tracking.distrust(),
            }
            Ok(())
        }
        // A newer peer may say more than this node understands.
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{ErrorKind, Read},
        net::{TcpListener, TcpStream},
    };

    use super::*;

    #[test]
    fn what_a_link_that_has_ended_had_not_delivered_yet_is_never_delivered() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let link = TcpStream::connect(listener.local_addr().expect("an address")).expect("a connection");
        let (mut peer, _) = listener.accept().expect("the same connection");
        take_back_at_end(&link).expect("a socket's option");
        drop(link);
        let end = peer.read(&mut [0]).expect_err("no orderly end, for which the kernel would go on trying");
        assert_eq!(end.kind(), ErrorKind::ConnectionReset);
    }
}
