//! The task behind a subscription: connect, subscribe, read; and again.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use rondache_protocol::resp::value::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::{mpsc, oneshot},
    time::{sleep, timeout},
};

use super::{
    Kind,
    message::{Push, SubscriptionEvent},
};
use crate::{
    Bytes, Cmd,
    client::Inner,
    config::LinkConfig,
    conn::connect::{Connected, Greeted, Stream, connect},
    error::{ClientError, LinkError, ServerError},
    policy::Backoff,
};

const BACKOFF: Backoff = Backoff { first: Duration::from_millis(20), longest: Duration::from_secs(1) };

/// A wish of the subscriber.
pub(super) enum Change {
    Add(Bytes),
    Remove(Bytes),
}

/// Why a connection ended.
enum End {
    /// Nobody listens any more.
    Dropped,
    Lost(LinkError),
    /// The node refused to subscribe.
    Refused(ServerError),
    /// The slot has moved away.
    Moved,
}

impl From<std::io::Error> for End {
    fn from(error: std::io::Error) -> Self {
        Self::Lost(error.into())
    }
}

pub(super) struct Session {
    inner: Weak<Inner>,
    kind: Kind,
    slot: Option<u16>,
    channels: Vec<Bytes>,
    events: mpsc::Sender<SubscriptionEvent>,
    changes: mpsc::UnboundedReceiver<Change>,
    ready: Option<oneshot::Sender<Result<(), ClientError>>>,
    failures: u32,
}

impl Session {
    pub(super) fn new(
        inner: Weak<Inner>,
        kind: Kind,
        slot: Option<u16>,
        channels: Vec<Bytes>,
        events: mpsc::Sender<SubscriptionEvent>,
        changes: mpsc::UnboundedReceiver<Change>,
        ready: oneshot::Sender<Result<(), ClientError>>,
    ) -> Self {
        Self { inner, kind, slot, channels, events, changes, ready: Some(ready), failures: 0 }
    }

    pub(super) async fn run(mut self) {
        loop {
            let Some(inner) = self.inner.upgrade().filter(|inner| !inner.is_closed()) else {
                return;
            };
            let end = self.connect_and_serve(inner).await;
            match end {
                End::Dropped => return,
                End::Refused(error) if !error.is_retry_safe() => {
                    if let Some(ready) = self.ready.take() {
                        let _ = ready.send(Err(ClientError::Server(error)));
                        return;
                    }
                }
                End::Lost(why) if !why.may_pass() && self.ready.is_some() => {
                    if let Some(ready) = self.ready.take() {
                        let _ = ready.send(Err(ClientError::NotSent { node: "the node".into(), reason: why }));
                        return;
                    }
                }
                End::Refused(_) | End::Lost(_) | End::Moved => {}
            }
            if let Some(inner) = self.inner.upgrade() {
                inner.refresher.request();
            }
            let pause = BACKOFF.delay(self.failures.min(16), &mut fastrand::Rng::new());
            self.failures += 1;
            tokio::select! {
                () = sleep(pause) => {}
                () = self.events.closed() => return,
            }
        }
    }

    async fn connect_and_serve(&mut self, inner: Arc<Inner>) -> End {
        let link = inner.with_topology(|topology| {
            let owner = self.slot.and_then(|slot| topology.owner(slot)).filter(|owner| !owner.is_down());
            owner.or_else(|| topology.entry(None)).cloned()
        });
        let Some(link) = link else {
            return End::Lost(LinkError::ShutDown);
        };
        // Observers follow the shared connections only.
        let config = LinkConfig { observers: Vec::new(), ..inner.config.link.clone() };
        // From here on the client may go: the session ends with it.
        drop(inner);
        let served = match connect(&link.addr, &config).await {
            Ok(Connected::Plain(greeted)) => self.serve(greeted, &config).await,
            #[cfg(feature = "tls")]
            Ok(Connected::Tls(greeted)) => self.serve(*greeted, &config).await,
            Err(why) => return End::Lost(why),
        };
        match served {
            Ok(never) => match never {},
            Err(end) => end,
        }
    }

    async fn serve<S: Stream>(
        &mut self,
        greeted: Greeted<S>,
        config: &LinkConfig,
    ) -> Result<std::convert::Infallible, End> {
        const READ_LEN: usize = 16 * 1024;
        let Greeted { mut stream, mut decoder, mut rest } = greeted;
        let mut chunk = vec![0; READ_LEN];
        let mut quiet_for = 0u32;
        write(&mut stream, &Cmd::new(self.kind.subscribe()).args(&self.channels)).await?;
        loop {
            loop {
                let decoded = decoder.decode(&rest).map_err(|error| End::Lost(error.into()))?;
                rest.drain(..decoded.consumed);
                match decoded.value {
                    None => break,
                    Some(value) => self.take(value).await?,
                }
            }
            tokio::select! {
                () = self.events.closed() => return Err(End::Dropped),
                change = self.changes.recv() => match change {
                    None => return Err(End::Dropped),
                    Some(change) => self.apply(change, &mut stream).await?,
                },
                read = timeout(config.keepalive, stream.read(&mut chunk)) => match read {
                    Ok(Ok(0)) => return Err(End::Lost(LinkError::ClosedByPeer)),
                    Ok(read) => {
                        quiet_for = 0;
                        rest.extend_from_slice(chunk.get(..read?).unwrap_or_default());
                    }
                    // Quiet is usual here, but the answer to a PING must come.
                    Err(_) if quiet_for > 0 => return Err(End::Lost(LinkError::Silent(config.keepalive))),
                    Err(_) => {
                        quiet_for += 1;
                        if self.inner.upgrade().is_none_or(|inner| inner.is_closed()) {
                            return Err(End::Dropped);
                        }
                        write(&mut stream, &Cmd::new("PING")).await?;
                    }
                },
            }
        }
    }

    async fn apply<S: Stream>(&mut self, change: Change, stream: &mut S) -> Result<(), End> {
        let cmd = match change {
            Change::Add(channel) => {
                let cmd = Cmd::new(self.kind.subscribe()).arg(&channel);
                if !self.channels.contains(&channel) {
                    self.channels.push(channel);
                }
                cmd
            }
            Change::Remove(channel) => {
                self.channels.retain(|known| *known != channel);
                Cmd::new(self.kind.unsubscribe()).arg(&channel)
            }
        };
        write(stream, &cmd).await
    }

    async fn take(&mut self, value: Value) -> Result<(), End> {
        let message = match value {
            Value::Push(message) => message,
            other => {
                return match other.as_error() {
                    Some(text) => Err(End::Refused(ServerError::parse(text))),
                    // The answer to a PING.
                    None => Ok(()),
                };
            }
        };
        let event = match Push::read(message) {
            Push::Message(message) => SubscriptionEvent::Message(message),
            Push::Subscribed => {
                let is_again = self.ready.is_none() && std::mem::take(&mut self.failures) > 0;
                if let Some(ready) = self.ready.take() {
                    self.failures = 0;
                    let _ = ready.send(Ok(()));
                }
                if !is_again {
                    return Ok(());
                }
                SubscriptionEvent::Resubscribed
            }
            // Not asked for: the slot's owner is another.
            Push::Unsubscribed(channel) if self.channels.contains(&channel) => return Err(End::Moved),
            Push::Unsubscribed(_) | Push::Other => return Ok(()),
        };
        self.events.send(event).await.map_err(|_| End::Dropped)
    }
}

async fn write<S: Stream>(stream: &mut S, cmd: &Cmd) -> Result<(), End> {
    let mut out = Vec::new();
    cmd.encode_to(&mut out);
    stream.write_all(&out).await?;
    stream.flush().await?;
    Ok(())
}
