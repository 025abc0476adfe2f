//! Subscriptions as streams, each on a connection of its own.

mod message;
mod session;

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_core::Stream;
use rondache_protocol::slot::slot_of;
use tokio::sync::{mpsc, oneshot};

pub use message::{Message, SubscriptionEvent};

use crate::{
    Bytes, Client, Cmd, ToArg,
    error::{ClientError, RequestError},
};
use session::{Change, Session};

/// Messages that wait for a slow reader; beyond that the connection isn't read, and at some point the node closes it.
const BACKLOG: usize = 1024;

/// What is subscribed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Channels,
    Patterns,
    ShardChannels,
}

impl Kind {
    fn subscribe(self) -> &'static str {
        match self {
            Self::Channels => "SUBSCRIBE",
            Self::Patterns => "PSUBSCRIBE",
            Self::ShardChannels => "SSUBSCRIBE",
        }
    }

    fn unsubscribe(self) -> &'static str {
        match self {
            Self::Channels => "UNSUBSCRIBE",
            Self::Patterns => "PUNSUBSCRIBE",
            Self::ShardChannels => "SUNSUBSCRIBE",
        }
    }
}

/// A stream of messages. It survives the loss of its connection: it subscribes again, and says so, because messages may
/// have been missed. It ends when the client is closed.
#[must_use = "a subscription does nothing unless it is polled"]
pub struct Subscription {
    events: mpsc::Receiver<SubscriptionEvent>,
    changes: mpsc::UnboundedSender<Change>,
}

impl Client {
    /// Subscribes to channels.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let settings = rondache_server::config::settings::Settings { listen: vec!["127.0.0.1:0".parse()?], threads: 1, ..Default::default() };
    /// # let node = rondache_server::node::Node::start(settings)?;
    /// # let client = rondache_client::Client::builder().seeds([node.addr().to_string()]).build().await?;
    /// let mut news = client.subscribe(["news"]).await?;
    /// client.publish("news", "it works").await?;
    /// let message = news.next_message().await.expect("the client is open");
    /// assert_eq!(&message.payload[..], b"it works");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// No node could be reached, or the node refused.
    pub async fn subscribe(&self, channels: impl IntoIterator<Item = impl ToArg>) -> Result<Subscription, ClientError> {
        self.begin_subscription(Kind::Channels, channels, None).await
    }

    /// Subscribes to all channels that match patterns, as in [`subscribe`](Self::subscribe).
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe).
    pub async fn psubscribe(
        &self,
        patterns: impl IntoIterator<Item = impl ToArg>,
    ) -> Result<Subscription, ClientError> {
        self.begin_subscription(Kind::Patterns, patterns, None).await
    }

    /// Subscribes to shard channels, whose messages stay with their slot's owner. All must share a slot; the
    /// subscription follows the slot when it moves.
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe), and [`RequestError::CrossSlot`].
    pub async fn ssubscribe(
        &self,
        channels: impl IntoIterator<Item = impl ToArg>,
    ) -> Result<Subscription, ClientError> {
        let channels: Vec<Bytes> = names(channels);
        let mut slots = channels.iter().map(|channel| slot_of(channel));
        let slot = slots.next();
        if slots.any(|other| Some(other) != slot) {
            return Err(RequestError::CrossSlot("SSUBSCRIBE".into()).into());
        }
        self.begin_subscription(Kind::ShardChannels, channels, slot).await
    }

    async fn begin_subscription(
        &self,
        kind: Kind,
        channels: impl IntoIterator<Item = impl ToArg>,
        slot: Option<u16>,
    ) -> Result<Subscription, ClientError> {
        let channels = names(channels);
        if channels.is_empty() {
            return Err(RequestError::Arguments(kind.subscribe().to_owned()).into());
        }
        let (event_sender, events) = mpsc::channel(BACKLOG);
        let (changes, change_receiver) = mpsc::unbounded_channel();
        let (ready, is_ready) = oneshot::channel();
        let inner = Arc::downgrade(&self.inner);
        let session = Session::new(inner, kind, slot, channels, event_sender, change_receiver, ready);
        self.inner.registry.runtime().spawn(session.run());
        let limit = self.deadline;
        let timed_out = || ClientError::Timeout { node: "any node".into(), sent: false, after: limit };
        match tokio::time::timeout(limit, is_ready).await {
            Err(_) => Err(timed_out()),
            Ok(Err(_)) => Err(ClientError::Closed),
            Ok(Ok(Err(error))) => Err(error),
            Ok(Ok(Ok(()))) => Ok(Subscription { events, changes }),
        }
    }
}

fn names(channels: impl IntoIterator<Item = impl ToArg>) -> Vec<Bytes> {
    let cmd = Cmd::new("SUBSCRIBE").args(channels);
    cmd.iter().skip(1).map(Bytes::copy_from_slice).collect()
}

impl Subscription {
    /// The next event; `None` once the client is closed.
    pub async fn next_event(&mut self) -> Option<SubscriptionEvent> {
        self.events.recv().await
    }

    /// The next message, whatever may have been missed before it; `None` once the client is closed.
    pub async fn next_message(&mut self) -> Option<Message> {
        loop {
            if let SubscriptionEvent::Message(message) = self.events.recv().await? {
                return Some(message);
            }
        }
    }

    /// Subscribes to one more channel, or pattern, soon. A shard channel must share the slot of the others.
    pub fn add(&self, channel: impl ToArg) {
        self.change(channel, Change::Add);
    }

    /// Unsubscribes from a channel, or pattern, soon.
    pub fn remove(&self, channel: impl ToArg) {
        self.change(channel, Change::Remove);
    }

    fn change(&self, channel: impl ToArg, change: impl Fn(Bytes) -> Change) {
        for name in names([channel]) {
            // Without a receiver the client is closed, and the stream ends anyway.
            let _ = self.changes.send(change(name));
        }
    }
}

impl Stream for Subscription {
    type Item = SubscriptionEvent;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<SubscriptionEvent>> {
        self.events.poll_recv(cx)
    }
}
