//! One client's socket: reads requests, runs them, writes replies.

mod elsewhere;
mod waiting;

use std::{
    future::poll_fn,
    io,
    os::fd::AsRawFd,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll},
};

use rondache_protocol::resp::request::{RequestLimits, RequestParser};
use tokio::{
    io::{AsyncRead, ReadBuf},
    net::TcpStream,
};

use super::{
    running::run_batch,
    worker::{READ_BUF_LEN, Worker, with_worker},
};
use crate::{
    cluster::forward::links::WaveKey,
    config::settings::OutputLimit,
    node::{Node, clock},
    session::{Session, away::Away, batch::BatchEnd, blocking::Blocked, client::Client, mailbox::CloseReason},
    store::keyspace::{Circumstances, Keyspace},
};

/// A read buffer of a connection's own that grew beyond this is given back when it is empty.
const PENDING_KEPT_MAX: usize = 16 * 1024;

/// A worker's reply buffer that grew beyond this is given back after the turn.
const OUT_KEPT_MAX: usize = 4 * 1024 * 1024;

/// A client's connection.
pub(crate) struct Connection {
    node: Arc<Node>,
    stream: TcpStream,
    session: Session,
    parser: RequestParser,
    /// Received but not yet executed: a request cut short, or what follows a command that waits.
    pending: Vec<u8>,
    /// Replies that the socket did not take yet. While there are any, nothing more is executed.
    unsent: Vec<u8>,
    /// Whether `pending` may hold complete requests.
    has_more: bool,
    /// Whether the node stops, and only replies are still sent.
    is_draining: bool,
    /// What to do when the wave that the connection waits for is through.
    after_wave: Turn,
}

/// What to do after a turn.
enum Turn {
    Wait,
    Write,
    Block(Blocked),
    /// CLIENT PAUSE holds the next command back.
    Pause,
    /// Other nodes are to answer some of the requests; then what [`Connection::after_wave`] says.
    Elsewhere(WaveKey),
    End,
}

impl Connection {
    pub(crate) fn new(stream: std::net::TcpStream, node: &Arc<Node>) -> io::Result<Self> {
        let stream = TcpStream::from_std(stream)?;
        let (peer, local) = (stream.peer_addr()?, stream.local_addr()?);
        let client = node.clients.admit(peer, local, stream.as_raw_fd(), clock::unix_ms());
        let settings = node.settings.load();
        let mut session = Session::new(client, settings.password.is_empty());
        // After the start these are the ports that are really listened on.
        session.is_redirecting = settings.cluster.redirect_listen.iter().any(|addr| addr.port() == local.port());
        Ok(Self {
            node: node.clone(),
            stream,
            session,
            parser: RequestParser::new(RequestLimits::default()),
            pending: Vec::new(),
            unsent: Vec::new(),
            has_more: false,
            is_draining: false,
            after_wave: Turn::Wait,
        })
    }

    /// Serves the client until either side ends the connection.
    pub(crate) async fn run(mut self) {
        loop {
            let mut turn = poll_fn(|cx| with_worker(|worker| self.poll_turn(cx, worker))).await;
            if let Turn::Elsewhere(wave) = turn {
                if !self.wait_elsewhere(wave).await {
                    break;
                }
                turn = std::mem::replace(&mut self.after_wave, Turn::Wait);
            }
            match turn {
                Turn::Wait | Turn::Elsewhere(_) => {}
                Turn::Write => {
                    if !self.write_unsent().await {
                        break;
                    }
                }
                Turn::Block(blocked) => {
                    if !self.write_unsent().await || !self.wait_blocked(blocked).await {
                        break;
                    }
                }
                Turn::Pause => {
                    if !self.write_unsent().await || !self.wait_paused().await {
                        break;
                    }
                }
                Turn::End => {
                    self.write_unsent().await;
                    break;
                }
            }
        }
        with_worker(|worker| self.close(worker));
    }

    /// Collects messages, reads once, runs what is complete, and sends the replies. Pending where there is neither
    /// anything to read nor a message.
    fn poll_turn(&mut self, cx: &mut Context<'_>, worker: &mut Worker) -> Poll<Turn> {
        let mut out = std::mem::take(&mut worker.out);
        let mut read_buf = std::mem::take(&mut worker.read_buf);
        out.clear();
        let turn = self.poll_turn_into(cx, worker, &mut read_buf, &mut out);
        if out.capacity() > OUT_KEPT_MAX {
            out = Vec::with_capacity(READ_BUF_LEN);
        }
        (worker.out, worker.read_buf) = (out, read_buf);
        self.note_buffers();
        turn
    }

    fn poll_turn_into(
        &mut self,
        cx: &mut Context<'_>,
        worker: &mut Worker,
        read_buf: &mut [u8],
        out: &mut Vec<u8>,
    ) -> Poll<Turn> {
        if let Some(reason) = self.take_mail(out) {
            return Poll::Ready(self.finish(reason, out));
        }
        let turn = self.read_and_execute(cx, worker, read_buf, out);
        self.node.hub.tracking.flush();
        if let Poll::Ready(Turn::Elsewhere(wave)) = turn {
            // What is here of the replies waits for the others.
            worker.links.wave(wave).into_iter().for_each(|wave| std::mem::swap(&mut wave.local, out));
            return turn;
        }
        // Messages that the commands themselves caused follow their replies.
        if let Some(reason) = self.take_mail(out) {
            return Poll::Ready(self.finish(reason, out));
        }
        if !out.is_empty() && (self.is_over_limit(worker, out.len()) || !self.send(worker, out)) {
            self.unsent.clear();
            return Poll::Ready(Turn::End);
        }
        match turn {
            Poll::Ready(Turn::Wait) | Poll::Pending if !self.unsent.is_empty() => Poll::Ready(Turn::Write),
            // More messages than are taken at once.
            Poll::Pending if self.session.client.mailbox.is_filled() => Poll::Ready(Turn::Wait),
            // A waker stays until it is used, and it is always this task's.
            Poll::Pending if self.session.client.mailbox.is_armed() => Poll::Pending,
            Poll::Pending if self.session.client.mailbox.register(cx.waker()) => Poll::Ready(Turn::Wait),
            ready => ready,
        }
    }

    fn read_and_execute(
        &mut self,
        cx: &mut Context<'_>,
        worker: &mut Worker,
        read_buf: &mut [u8],
        out: &mut Vec<u8>,
    ) -> Poll<Turn> {
        if self.has_more {
            self.has_more = false;
            return Poll::Ready(self.execute_pending(worker, out));
        }
        let is_fresh = self.pending.is_empty();
        let read = if is_fresh { self.poll_read_into(cx, read_buf) } else { self.poll_read_more(cx) };
        let len = match std::task::ready!(read) {
            Ok(0) | Err(_) => return Poll::Ready(Turn::End),
            Ok(len) => len,
        };
        worker.stats.reads.add(1);
        worker.stats.bytes_in.add(len as u64);
        Client::add(&self.session.client.bytes_in, len as u64);
        if !is_fresh {
            return Poll::Ready(self.execute_pending(worker, out));
        }
        let mut from = 0;
        let turn = self.execute(worker, &read_buf[..len], &mut from, out);
        self.pending.extend_from_slice(&read_buf[from..len]);
        Poll::Ready(turn)
    }

    /// Reads once. Unlike `try_read` this takes a read that left room in the buffer as proof that the socket is drained,
    /// and spares the call that would only say so.
    fn poll_read_into(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buf = ReadBuf::new(buf);
        Pin::new(&mut self.stream).poll_read(cx, &mut buf).map_ok(|()| buf.filled().len())
    }

    fn execute_pending(&mut self, worker: &mut Worker, out: &mut Vec<u8>) -> Turn {
        let mut pending = std::mem::take(&mut self.pending);
        let mut from = 0;
        let turn = self.execute(worker, &pending, &mut from, out);
        pending.drain(..from);
        if pending.is_empty() && pending.capacity() > PENDING_KEPT_MAX {
            pending = Vec::new();
        }
        self.pending = pending;
        if self.pending.len() > worker.settings.query_buffer_len_max {
            tracing::warn!(client = self.session.client.id, "closing a client that reached the query buffer limit");
            return Turn::End;
        }
        turn
    }

    /// Appends to what is pending, in steps that follow what the current request is known to need.
    fn poll_read_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        // A promise alone gets little: the steps grow with what has come.
        let step_max = self.pending.len().clamp(READ_BUF_LEN, 16 * READ_BUF_LEN);
        let step = self.parser.bytes_wanted().clamp(READ_BUF_LEN / 4, step_max);
        let mut pending = std::mem::take(&mut self.pending);
        let len = pending.len();
        pending.reserve(step);
        let room = pending.capacity().min(len + 16 * READ_BUF_LEN);
        pending.resize(room, 0);
        let read = self.poll_read_into(cx, &mut pending[len..]);
        let more = if let Poll::Ready(Ok(more)) = &read { *more } else { 0 };
        pending.truncate(len + more);
        self.pending = pending;
        read
    }

    fn execute(&mut self, worker: &mut Worker, buf: &[u8], from: &mut usize, out: &mut Vec<u8>) -> Turn {
        worker.settings.refresh(&self.node.settings);
        self.session.client.active_ms.store(clock::unix_ms(), Ordering::Relaxed);
        let mut limits = RequestLimits::unauthenticated();
        if self.session.is_authenticated {
            limits = RequestLimits { bulk_len_max: worker.settings.bulk_len_max, ..RequestLimits::default() };
        }
        self.parser.set_limits(limits);
        if self.node.cluster.routing.is_clustered() {
            return self.execute_clustered(worker, buf, from, out);
        }
        let end = run_batch(&self.node, worker, &mut self.session, &mut self.parser, buf, from, out, Away::Alone);
        self.turn_after(end)
    }

    fn turn_after(&mut self, end: Option<BatchEnd>) -> Turn {
        self.has_more = matches!(end, Some(BatchEnd::Flush | BatchEnd::Away | BatchEnd::Blocked(_) | BatchEnd::Paused));
        match end {
            Some(BatchEnd::Drained | BatchEnd::Flush | BatchEnd::Away) => Turn::Wait,
            Some(BatchEnd::Blocked(blocked)) => Turn::Block(blocked),
            Some(BatchEnd::Paused) => Turn::Pause,
            Some(BatchEnd::Close) | None => Turn::End,
        }
    }

    fn take_mail(&mut self, out: &mut Vec<u8>) -> Option<CloseReason> {
        if !self.session.client.mailbox.is_filled() {
            return None;
        }
        self.session.client.mailbox.take(out)
    }

    fn finish(&mut self, reason: CloseReason, out: &[u8]) -> Turn {
        tracing::debug!(client = self.session.client.id, ?reason, "closing a connection");
        if reason == CloseReason::Shutdown {
            // What was executed is answered: the worker waits for that, within bounds.
            self.unsent.extend_from_slice(out);
            self.is_draining = true;
            return Turn::End;
        }
        if reason != CloseReason::OutputLimit {
            self.unsent.extend_from_slice(out);
            let sent = self.stream.try_write(&self.unsent).unwrap_or(0);
            self.unsent.drain(..sent);
        }
        self.unsent.clear();
        Turn::End
    }

    /// Sends what the socket takes at once and keeps the rest; `false`: the connection is gone.
    fn send(&mut self, worker: &Worker, out: &[u8]) -> bool {
        if !self.unsent.is_empty() {
            self.unsent.extend_from_slice(out);
            return true;
        }
        let sent = match self.stream.try_write(out) {
            Ok(sent) => sent,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(_) => return false,
        };
        self.count_sent(worker, sent);
        self.unsent.extend_from_slice(&out[sent..]);
        true
    }

    fn count_sent(&self, worker: &Worker, sent: usize) {
        worker.stats.writes.add(1);
        worker.stats.bytes_out.add(sent as u64);
        Client::add(&self.session.client.bytes_out, sent as u64);
    }

    /// Whether the client falls too far behind with `len` more bytes; if so it reads none of them.
    fn is_over_limit(&self, worker: &Worker, len: usize) -> bool {
        let client = &self.session.client;
        let limits = &worker.settings.output_limits;
        if self.session.is_plain && limits.normal == OutputLimit::default() {
            return false;
        }
        client.mailbox.set_unsent(self.unsent.len() + len);
        client.mailbox.enforce(client.output_limit(limits))
    }

    /// Tells CLIENT LIST and the limits what waits here.
    fn note_buffers(&self) {
        let client = &self.session.client;
        client.mailbox.set_unsent(self.unsent.len());
        for (known, now) in [(&client.query.0, self.pending.len()), (&client.query.1, self.pending.capacity())] {
            if known.load(Ordering::Relaxed) != now {
                known.store(now, Ordering::Relaxed);
            }
        }
    }

    /// Waits until the socket has taken all that is unsent; `false`: the connection is gone or to be closed.
    async fn write_unsent(&mut self) -> bool {
        let mut sent = 0;
        while sent < self.unsent.len() {
            let is_writable = poll_fn(|cx| {
                if self.is_draining {
                    return self.stream.poll_write_ready(cx).map(|ready| ready.is_ok());
                }
                // First the waker, then the look: an order to close in between is not missed.
                self.session.client.mailbox.register(cx.waker());
                if self.session.client.mailbox.is_closing() {
                    return Poll::Ready(false);
                }
                self.stream.poll_write_ready(cx).map(|ready| ready.is_ok())
            })
            .await;
            if !is_writable {
                return false;
            }
            match self.stream.try_write(&self.unsent[sent..]) {
                Ok(len) => {
                    sent += len;
                    self.session.client.mailbox.set_unsent(self.unsent.len() - sent);
                    with_worker(|worker| self.count_sent(worker, len));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return false,
            }
        }
        self.unsent = Vec::new();
        true
    }

    /// Undoes everything that the connection was registered for.
    fn close(&mut self, _worker: &mut Worker) {
        self.session.client.mailbox.shut();
        self.node.hub.forget(&mut self.session);
        let circumstances = Circumstances { db: 0, now_ms: clock::unix_ms(), client_id: 0, touch: false };
        let mut ks = Keyspace::new(&self.node.store, &self.node.hub, circumstances);
        crate::session::transaction::forget_watch(&mut self.session, &mut ks);
        self.node.clients.remove(self.session.client.id);
    }
}
