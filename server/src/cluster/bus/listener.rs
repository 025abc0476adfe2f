//! Who connects to the bus port, and to whom the connection is given.

use std::{
    fmt,
    mem::Discriminant,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use rondache_protocol::bus::{
    codec::{self, MESSAGE_LEN_MAX},
    frame,
    hello::{Peer, Purpose, Refusal},
    identity::Identity,
};
use serde::de::DeserializeOwned;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc, oneshot, watch},
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{
    accept::accept,
    control::{Answer, CONTROL_KIND, Control, QUESTION_KIND, Question, to_frame},
    credentials::Credentials,
    dial::refuse,
    quiet::Quiet,
};
use crate::cluster::member::{MemberInfo, View};

/// Handshakes under way; whoever comes beyond them is told to come back.
pub const HANDSHAKES_MAX: usize = 256;
/// How long a node may take for its question.
const QUESTION_DEADLINE: Duration = Duration::from_secs(2);
/// How long to pause when the system has no descriptor left for another connection.
const PAUSE_WHEN_EXHAUSTED: Duration = Duration::from_millis(100);

/// Takes the accepted sockets of [`Purpose::Forward`] and [`Purpose::Replicate`]; nothing has been read ahead. It is called
/// on the cluster's thread and hands the socket to a worker.
pub type OnStream = Arc<dyn Fn(Peer, std::net::TcpStream) + Send + Sync>;

/// Whether nodes at an address may connect at all, before they prove anything: protected mode.
pub type Accepts = Arc<dyn Fn(IpAddr) -> bool + Send + Sync>;

/// What arrives at the bus port for the cluster's thread itself.
#[derive(Debug)]
pub enum Inbound {
    /// A control message of that node.
    Control(Identity, Control),
    /// A node wants to join.
    Join {
        /// What it says of itself.
        info: MemberInfo,
        /// Takes the answer.
        answer: oneshot::Sender<Answer>,
    },
}

/// Serves the bus port.
pub struct BusListener {
    /// This node's part of every handshake.
    pub credentials: Arc<Credentials>,
    /// Says who is alive.
    pub view: watch::Receiver<Arc<View>>,
    /// Whom it listens to.
    pub accepts: Accepts,
    /// Takes forward links and replication streams.
    pub on_stream: OnStream,
    /// Takes the rest. Where it is full, the links wait.
    pub inbound: mpsc::Sender<Inbound>,
    /// Guards the log from whoever connects.
    pub quiet: Mutex<Quiet<Option<Discriminant<Refusal>>>>,
    /// When the node started, for `quiet`.
    pub started: Instant,
}

impl fmt::Debug for BusListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BusListener").field("credentials", &self.credentials).finish_non_exhaustive()
    }
}

impl BusListener {
    /// Accepts until this future is dropped, and with it all connections that it still holds.
    pub async fn run(self: Arc<Self>, listener: TcpListener) {
        let handshakes = Arc::new(Semaphore::new(HANDSHAKES_MAX));
        let mut tasks = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                Some(_) = tasks.join_next() => continue,
            };
            match accepted {
                Ok((mut stream, from)) => match handshakes.clone().try_acquire_owned() {
                    Ok(permit) => {
                        let this = self.clone();
                        tasks.spawn(async move {
                            let shaken = this.shake(&mut stream, from).await;
                            drop(permit);
                            if let Some(peer) = shaken {
                                this.serve(stream, peer).await;
                            }
                        });
                    }
                    Err(_) => drop(tasks.spawn(async move { refuse(&mut stream, &Refusal::Busy).await })),
                },
                Err(error) => {
                    tracing::warn!(%error, "could not accept a connection on the bus port");
                    sleep(PAUSE_WHEN_EXHAUSTED).await;
                }
            }
        }
    }

    async fn shake(&self, stream: &mut TcpStream, from: SocketAddr) -> Option<Peer> {
        match accept(stream, self.credentials.local(), |peer| self.gate(peer, from.ip())).await {
            Ok(peer) => Some(peer),
            Err(error) if error.is_of_joining() => {
                tracing::debug!(%from, "refused a connection on the bus port: {error}");
                None
            }
            Err(error) => {
                let now_ms = self.started.elapsed().as_millis() as u64;
                let may_mention = {
                    let mut quiet = self.quiet.lock().unwrap_or_else(PoisonError::into_inner);
                    quiet.may_mention(from.ip(), error.refusal_kind(), now_ms)
                };
                if may_mention {
                    tracing::warn!(%from, "refused a connection on the bus port: {error}");
                }
                None
            }
        }
    }

    /// Whether a proven peer is welcome. One that is held for dead may still send control messages: they tell it so.
    fn gate(&self, peer: &Peer, from: IpAddr) -> Result<(), Refusal> {
        if !(self.accepts)(from) {
            return Err(Refusal::Protected);
        }
        let view = self.view.borrow();
        let known = view.members.get(&peer.identity.id);
        if known.is_some_and(|member| member.info.identity.generation > peer.identity.generation) {
            return Err(Refusal::DeadIdentity);
        }
        match (peer.purpose, known) {
            (Purpose::Ask | Purpose::Control, _) => Ok(()),
            (Purpose::Forward | Purpose::Replicate { .. }, Some(member)) if member.info.identity == peer.identity => {
                if member.may_serve() {
                    Ok(())
                } else {
                    Err(Refusal::DeadIdentity)
                }
            }
            (Purpose::Forward | Purpose::Replicate { .. }, _) => Err(Refusal::UnknownIdentity),
        }
    }

    async fn serve(&self, stream: TcpStream, peer: Peer) {
        match peer.purpose {
            Purpose::Ask => self.answer(stream).await,
            Purpose::Control => self.receive(stream, peer.identity).await,
            Purpose::Forward | Purpose::Replicate { .. } => match stream.into_std() {
                Ok(stream) => (self.on_stream)(peer, stream),
                Err(error) => tracing::debug!(%error, "an accepted connection is gone"),
            },
        }
    }

    async fn answer(&self, mut stream: TcpStream) {
        let answered = timeout(QUESTION_DEADLINE, async {
            let mut reader = MessageReader::new(QUESTION_KIND);
            let answer = match reader.next(&mut stream).await.ok()??? {
                Question::IsAlive(who) => Answer::IsAlive(self.view.borrow().is_alive(&who)),
                Question::Join(info) => {
                    let (sender, answer) = oneshot::channel();
                    self.inbound.send(Inbound::Join { info, answer: sender }).await.ok()?;
                    answer.await.ok()?
                }
            };
            stream.write_all(&to_frame(QUESTION_KIND, &answer).ok()?).await.ok()
        });
        if !matches!(answered.await, Ok(Some(()))) {
            tracing::debug!("a node that had a question went away");
        }
    }

    async fn receive(&self, mut stream: TcpStream, from: Identity) {
        let mut reader = MessageReader::new(CONTROL_KIND);
        loop {
            match reader.next(&mut stream).await {
                Ok(Some(Some(message))) => {
                    if self.inbound.send(Inbound::Control(from, message)).await.is_err() {
                        return;
                    }
                }
                Ok(Some(None)) => {
                    tracing::debug!(peer = ?from, "dropped a control message that this version does not know")
                }
                Ok(None) => return,
                Err(error) => {
                    tracing::debug!(peer = ?from, %error, "a control link ended");
                    return;
                }
            }
        }
    }
}

/// Reads messages off a connection.
#[derive(Debug)]
pub struct MessageReader {
    kind: u8,
    buf: Vec<u8>,
}

impl MessageReader {
    /// Reads frames of that kind; others are skipped.
    #[must_use]
    pub fn new(kind: u8) -> Self {
        Self { kind, buf: Vec::new() }
    }

    /// The next message. `None`: the connection has ended; `Some(None)`: a frame that holds no message of this version.
    ///
    /// # Errors
    /// The connection broke, or what came is no frame.
    pub async fn next<T: DeserializeOwned>(&mut self, stream: &mut TcpStream) -> std::io::Result<Option<Option<T>>> {
        loop {
            let found = match frame::decode(&self.buf, MESSAGE_LEN_MAX) {
                Ok(found) => found,
                Err(error) => return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, error)),
            };
            if let Some((frame, used)) = found {
                let message = if frame.kind == self.kind { codec::decode(frame.payload).ok() } else { None };
                self.buf.drain(..used);
                return Ok(Some(message));
            }
            self.buf.reserve(16 * 1024);
            if stream.read_buf(&mut self.buf).await? == 0 {
                return Ok(None);
            }
        }
    }
}
