//! The other end of a link: runs the requests that an entry node sends, on this node's store, and replies.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use hashbrown::HashMap;
use rondache_protocol::{
    bus::{
        forward::{self, ChannelKind, Forward, Group, Invalidation, Publish, ReplyEncoder, Status, kind},
        frame::{self, Frame},
    },
    resp::{
        request::{RequestLimits, RequestParser},
        writer::RespVersion,
    },
};
use socket2::{SockRef, TcpKeepalive};
use tokio::{io::AsyncWrite, net::TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{
    FRAME_LEN_MAX,
    inbox::Inbox,
    late::{self, Late},
};
use crate::{
    net::{
        running::{keep_last_reply, run_batch},
        worker::{Worker, with_worker},
    },
    node::{Node, clock},
    session::{
        Session, Watch,
        away::{Away, Served},
        batch::{BatchEnd, REPLY_BYTES_MAX},
        blocking::Blocked,
        client::Client,
        transaction,
    },
    store::keyspace::{Circumstances, Keyspace},
};

/// A link that says nothing for so long is asked whether it is still there: its peer may have ended it while the network was cut.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// A connection over which another node sends requests. It ends with its socket.
pub(crate) struct PeerConnection {
    stream: TcpStream,
    inbox: Inbox,
    serving: Serving,
    /// Replies that the socket did not take yet. While there are any, nothing more is read.
    unsent: Vec<u8>,
}

/// What the requests of a link run with. It knows nothing of sockets: what comes and goes is frames.
pub(in crate::cluster) struct Serving {
    node: Arc<Node>,
    /// For requests that need no state of their client's.
    session: Session,
    /// The state of clients that have any here, by their ids at the entry node.
    ///
    /// Bound: the entry node's clients that watch keys, and `maxclients` limits those.
    clients: HashMap<u64, Box<Session>>,
    /// Set by a request that waits for its keys.
    blocked: Option<Blocked>,
    /// Clients that wait: what ends their waits, and their ids here.
    waiting: HashMap<u64, (DropGuard, u64)>,
    /// What is to be sent apart from the replies at hand.
    pub(in crate::cluster) late: Arc<Late>,
    parser: RequestParser,
}

impl PeerConnection {
    pub(crate) fn new(stream: std::net::TcpStream, node: &Arc<Node>) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        let keepalive = TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE / 3).with_retries(3);
        SockRef::from(&stream).set_tcp_keepalive(&keepalive)?;
        let stream = TcpStream::from_std(stream)?;
        let client = node.clients.unlisted(stream.peer_addr()?, stream.local_addr()?, clock::unix_ms());
        Ok(Self { stream, inbox: Inbox::default(), serving: Serving::new(node, client), unsent: Vec::new() })
    }

    /// Serves the peer until either side ends the connection.
    pub(crate) async fn run(mut self) {
        let end = std::future::poll_fn(|cx| with_worker(|worker| self.poll(cx, worker))).await;
        self.serving.node.hub.tracking.remove_follower(&self.serving.late);
        for (_, waiting) in std::mem::take(&mut self.serving.waiting) {
            self.serving.forget_waiting(Some(waiting));
        }
        for (_, session) in std::mem::take(&mut self.serving.clients) {
            end_session(&self.serving.node, session);
        }
        if let Err(error) = end
            && error.kind() != io::ErrorKind::UnexpectedEof
        {
            tracing::debug!(%error, "a link from another node ended");
        }
    }

    /// Runs what has come and replies with one write. Ready only when the connection is to end.
    fn poll(&mut self, cx: &mut Context<'_>, worker: &mut Worker) -> Poll<io::Result<()>> {
        let mut scratch = std::mem::take(&mut worker.read_buf);
        let mut out = std::mem::take(&mut worker.out);
        out.clear();
        let end = self.poll_with(cx, worker, &mut scratch, &mut out);
        (worker.read_buf, worker.out) = (scratch, out);
        end
    }

    fn poll_with(
        &mut self,
        cx: &mut Context<'_>,
        worker: &mut Worker,
        scratch: &mut [u8],
        out: &mut Vec<u8>,
    ) -> Poll<io::Result<()>> {
        loop {
            if !self.unsent.is_empty() && std::task::ready!(self.poll_send_unsent(cx)).is_err() {
                return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
            }
            let serving = &mut self.serving;
            serving.late.take(cx, out);
            let read =
                self.inbox.poll_read(cx, &mut self.stream, scratch, |frame| serving.take_frame(worker, frame, out));
            match read {
                Poll::Pending if out.is_empty() => return Poll::Pending,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending | Poll::Ready(Ok(())) => {}
            }
            serving.node.hub.tracking.flush();
            if !out.is_empty() {
                let sent = match self.stream.try_write(out) {
                    Ok(sent) => sent,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
                    Err(error) => return Poll::Ready(Err(error)),
                };
                self.unsent.extend_from_slice(out.get(sent..).unwrap_or_default());
                out.clear();
            }
        }
    }

    fn poll_send_unsent(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.unsent.is_empty() {
            let sent = std::task::ready!(Pin::new(&mut self.stream).poll_write(cx, &self.unsent))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.unsent.drain(..sent);
        }
        self.unsent = Vec::new();
        Poll::Ready(Ok(()))
    }
}

impl Serving {
    pub(in crate::cluster) fn new(node: &Arc<Node>, client: Arc<Client>) -> Self {
        Self {
            node: node.clone(),
            session: Session::new(client, true),
            clients: HashMap::new(),
            blocked: None,
            waiting: HashMap::new(),
            late: Arc::default(),
            parser: RequestParser::new(RequestLimits::default()),
        }
    }

    /// Does what a frame asks for, and appends the replies that are at hand.
    ///
    /// # Errors
    /// The frame makes no sense: the link is to end.
    pub(in crate::cluster) fn take_frame(
        &mut self,
        worker: &mut Worker,
        frame: Frame<'_>,
        out: &mut Vec<u8>,
    ) -> io::Result<()> {
        match frame.kind {
            kind::FORWARD => {
                let forward = Forward::decode(frame.payload).map_err(io::Error::other)?;
                self.run_frame(worker, &forward, out)
            }
            kind::RELEASE => {
                let client = forward::decode_release(frame.payload).map_err(io::Error::other)?;
                let waiting = self.waiting.remove(&client);
                self.forget_waiting(waiting);
                if let Some(session) = self.clients.remove(&client) {
                    end_session(&self.node, session);
                }
                Ok(())
            }
            kind::PUBLISH => {
                let Publish { kind, channel, message } = Publish::decode(frame.payload).map_err(io::Error::other)?;
                let channels = &self.node.hub.channels;
                match kind {
                    ChannelKind::Plain => channels.publish(channel, message),
                    ChannelKind::Shard => channels.publish_to_shard(channel, message),
                };
                Ok(())
            }
            kind::TRACK => {
                let tracking = &self.node.hub.tracking;
                if forward::decode_track(frame.payload).map_err(io::Error::other)? {
                    tracking.add_follower(&self.late);
                    // Only now: what changes from here on is told.
                    late::write_invalidation(Invalidation::Begun, out);
                } else {
                    tracking.remove_follower(&self.late);
                }
                Ok(())
            }
            kind::UNBLOCK => {
                let (client, with_error) = forward::decode_unblock(frame.payload).map_err(io::Error::other)?;
                if let Some((_, id)) = self.waiting.get(&client) {
                    self.node.blocked.unblock(*id, with_error);
                }
                Ok(())
            }
            // A newer peer may say more than this node understands.
            _ => Ok(()),
        }
    }

    fn run_frame(&mut self, worker: &mut Worker, forward: &Forward<'_>, out: &mut Vec<u8>) -> io::Result<()> {
        let count = forward.count().map_err(io::Error::other)?;
        worker.settings.refresh(&self.node.settings);
        worker.refused.clear();
        worker.withheld.clear();
        worker.written.clear();
        if !self.node.cluster.guard.may_run(clock::boot_ms()) {
            return hold_off(forward.id, count, out);
        }
        let start = out.len();
        let begun = frame::begin(out, kind::REPLY, 0);
        let mut encoder = ReplyEncoder::begin(out, forward.id, count);
        let full_at = out.len() + REPLY_BYTES_MAX;
        for group in forward.groups() {
            let group = group.map_err(io::Error::other)?;
            if !self.run_group(worker, &group, full_at, &mut encoder, out)? {
                if let Some(blocked) = self.blocked.take() {
                    if count == 1 {
                        out.truncate(start);
                        self.reply_later(forward.id, group.manner.client, blocked);
                        return Ok(());
                    }
                    // Entry nodes send such a request alone.
                    blocked.abandon(&self.node);
                }
                break;
            }
        }
        encoder.finish(out, Status::Later);
        let mut written = Vec::new();
        late::write_written(forward.id, &worker.written, &mut written);
        if !worker.withheld.is_empty() && out.len() - start <= FRAME_LEN_MAX {
            let payload = out.split_off(start + frame::HEADER_LEN);
            out.truncate(start);
            out.append(&mut written);
            let withheld = std::mem::take(&mut worker.withheld);
            tokio::spawn(late::confirm(self.node.clone(), payload, count, withheld, self.late.clone()));
            return Ok(());
        }
        if frame::finish(out, begun, FRAME_LEN_MAX).is_err() {
            return refuse_too_long(forward.id, count, out);
        }
        if !written.is_empty() {
            // It comes first: behind the replies nobody waits for it.
            out.splice(start..start, written);
        }
        Ok(())
    }

    /// A client waits no more.
    fn forget_waiting(&self, waiting: Option<(DropGuard, u64)>) {
        if let Some((_, id)) = waiting {
            self.node.hub.tracking.forget_writer(id);
        }
    }

    /// Answers a frame when its one request has what it waits for.
    fn reply_later(&mut self, id: u64, client: u64, blocked: Blocked) {
        let ended = CancellationToken::new();
        let before = self.waiting.insert(client, (ended.clone().drop_guard(), blocked.client_id()));
        self.forget_waiting(before);
        tokio::spawn(late::wait(self.node.clone(), id, blocked, ended, self.late.clone()));
    }

    /// Runs a group; `false`: what follows it in the frame must wait.
    fn run_group(
        &mut self,
        worker: &mut Worker,
        group: &Group<'_>,
        full_at: usize,
        encoder: &mut ReplyEncoder,
        out: &mut Vec<u8>,
    ) -> io::Result<bool> {
        let manner = &group.manner;
        let mut own = (manner.client != 0).then(|| {
            self.clients.remove(&manner.client).unwrap_or_else(|| {
                let of = &self.session.client;
                let client = self.node.clients.unlisted(of.addr, of.local_addr, of.created_ms);
                Box::new(Session { is_remote: true, ..Session::new(client, true) })
            })
        });
        let session = own.as_deref_mut().unwrap_or(&mut self.session);
        session.db = usize::from(manner.db).min(crate::store::DATABASES - 1);
        session.resp = if manner.is_resp3 { RespVersion::V3 } else { RespVersion::V2 };
        session.no_touch = manner.no_touch;
        // The link on which the client began to watch is gone, or the slot was somewhere else meanwhile: the transaction is
        // aborted, unless it is one that was executed before that.
        let is_unwatched = manner.is_watched && session.watch.is_none();
        if is_unwatched {
            session.watch = Some(Watch::broken());
        }
        let writer_id = session.client.id;
        if manner.is_noloop {
            self.node.hub.tracking.note_writer(writer_id, (group.first.origin, manner.client));
        }
        let mut served = Served::new(std::mem::take(&mut worker.ends), group, full_at);
        let mut from = 0;
        let start = out.len();
        let withheld_before = worker.withheld.len();
        self.parser.restart();
        let away = Away::Serve(&mut served);
        let end = run_batch(&self.node, worker, session, &mut self.parser, group.requests, &mut from, out, away);
        let mut ends = served.ends;
        let whole = match end {
            Some(BatchEnd::Drained) => from == group.requests.len(),
            Some(BatchEnd::Flush | BatchEnd::Paused) => true,
            Some(BatchEnd::Blocked(blocked)) => {
                self.blocked = Some(blocked);
                true
            }
            _ => false,
        };
        if manner.is_noloop && self.blocked.is_none() {
            self.node.hub.tracking.forget_writer(writer_id);
        }
        // A refused transaction is still queued.
        session.transaction = None;
        if is_unwatched {
            session.watch = None;
        }
        session.refresh_mode();
        if let Some(own) = own
            && own.watch.is_some()
        {
            self.clients.insert(manner.client, own);
        }
        if group.manner.is_unit {
            keep_last_reply(out, start, &mut ends);
        }
        // Which of the frame's requests each write is.
        for write in &mut worker.withheld[withheld_before..] {
            let nth = if group.manner.is_unit { 0 } else { write.nth.unwrap_or(0) };
            write.nth = Some(encoder.done() + nth);
        }
        let is_done = ends.len() == usize::from(group.count);
        encoder.end_replies(out, &ends);
        ends.clear();
        worker.ends = ends;
        if whole { Ok(is_done) } else { Err(io::Error::other("a peer's requests are malformed")) }
    }
}

/// Has not run anything: this node has to find out first whether it still owns what it owned.
fn hold_off(id: u64, count: usize, out: &mut Vec<u8>) -> io::Result<()> {
    let begun = frame::begin(out, kind::REPLY, 0);
    ReplyEncoder::begin(out, id, count).finish(out, Status::Later);
    frame::finish(out, begun, FRAME_LEN_MAX).map_err(io::Error::other)
}

/// Undoes everything that a client's session here is registered for.
fn end_session(node: &Node, mut session: Box<Session>) {
    node.hub.forget(&mut session);
    let circumstances = Circumstances { db: 0, now_ms: clock::unix_ms(), client_id: 0, touch: false };
    let mut ks = Keyspace::new(&node.store, &node.hub, circumstances);
    transaction::forget_watch(&mut session, &mut ks);
}

/// Replies beyond what a frame holds: each request gets an error instead.
fn refuse_too_long(id: u64, count: usize, out: &mut Vec<u8>) -> io::Result<()> {
    let begun = frame::begin(out, kind::REPLY, 0);
    let mut encoder = ReplyEncoder::begin(out, id, count);
    for _ in 0..count {
        out.extend_from_slice(b"-ERR the reply is too long to be sent between nodes\r\n");
        encoder.end_reply(out, Status::Done);
    }
    encoder.finish(out, Status::Done);
    frame::finish(out, begun, FRAME_LEN_MAX).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use rondache_protocol::bus::forward::{ForwardEncoder, Manner, Reply};

    use super::*;
    use crate::config::settings::Settings;

    /// What a node answers to one request of another's.
    fn ask(node: &Arc<Node>, manner: Manner, request: &[u8]) -> (Status, usize) {
        let addr = std::net::SocketAddr::from(([127, 0, 0, 1], 1));
        let mut serving = Serving::new(node, node.clients.unlisted(addr, addr, 0));
        let (mut payload, mut out) = (Vec::new(), Vec::new());
        let mut encoder = ForwardEncoder::begin(&mut payload, 1, 2);
        encoder.request(&mut payload, manner, 3, request);
        encoder.finish(&mut payload);
        let frame = Frame { kind: kind::FORWARD, flags: 0, payload: &payload };
        serving.take_frame(&mut Worker::without_sockets(node), frame, &mut out).unwrap();
        let (reply, _) = frame::decode(&out, FRAME_LEN_MAX).unwrap().unwrap();
        Reply::decode(reply.payload).unwrap().items().next().unwrap()
    }

    #[test]
    fn a_write_that_is_refused_without_a_majority_is_an_unknown_outcome_if_it_may_have_run_elsewhere() {
        let set: &[u8] = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n";
        let transaction = [b"*1\r\n$5\r\nMULTI\r\n", set, b"*1\r\n$4\r\nEXEC\r\n"].concat();
        let node = Node::new(Settings::default());
        node.cluster.routing.set_refuses(true);
        for (request, is_unit) in [(set, false), (&transaction, true)] {
            let answer = |is_retry| ask(&node, Manner { is_unit, is_retry, ..Manner::default() }, request);
            let (status, error_len) = answer(false);
            assert!(status == Status::Done && error_len > 0, "{status:?}");
            assert_eq!(answer(true), (Status::Unknown, 0));
        }
    }
}
