//! A client's connection without its socket: what it selected, queued and subscribed to, and how its requests run.
//!
//! [`batch`] parses what a read brought and prefetches the keys; [`execute`] checks, locks and runs one command;
//! [`transaction`] is MULTI/EXEC; [`blocking`] lets commands wait for keys.

pub(crate) mod acks;
pub(crate) mod away;
pub mod batch;
pub mod blocking;
pub mod client;
pub(crate) mod collect;
pub mod describe;
pub mod execute;
#[cfg(test)]
pub(crate) mod harness;
pub mod mailbox;
pub(crate) mod placing;
pub(crate) mod redirect;
pub(crate) mod timing;
pub mod transaction;
pub(crate) mod written;

use std::sync::{Arc, atomic::Ordering};

use rondache_protocol::resp::writer::RespVersion;

use self::{client::Client, placing::Slots, transaction::Transaction, written::WrittenSlots};
use crate::{
    node::hub::{
        channels::{Kind, Subscriptions},
        tracking::TrackingState,
    },
    store::{keyspace::Written, waiters::WatchFlag},
};

/// A connection's state. Only its own task touches it.
#[derive(Debug)]
pub struct Session {
    /// What others see of the connection.
    pub client: Arc<Client>,
    /// The selected database.
    pub db: usize,
    /// The protocol version for replies.
    pub resp: RespVersion,
    /// Whether the connection may run commands.
    pub is_authenticated: bool,
    /// The open transaction.
    pub transaction: Option<Box<Transaction>>,
    /// Raised when a WATCHed key changes; `None` where nothing is watched.
    pub watch: Option<Watch>,
    /// Which replies the client wants.
    pub reply_mode: ReplyMode,
    /// CLIENT NO-TOUCH
    pub no_touch: bool,
    /// Whether it came in on the redirect port, where Redis Cluster's rules hold.
    pub is_redirecting: bool,
    /// READONLY: on the redirect port, copies may answer reads.
    pub reads_copies: bool,
    /// The slots of keys that are WATCHed at other nodes.
    pub(crate) watched_elsewhere: Slots,
    /// What the connection wrote, for WAIT; `None`: nothing, or the node was always alone.
    pub(crate) written: Option<Box<WrittenSlots>>,
    /// While a transaction runs that contains WAIT: what that answers.
    pub(crate) acknowledged: i64,
    /// Whether other nodes keep state for this client, which they are to be told to forget.
    pub(crate) is_held_elsewhere: bool,
    /// Whether it stands for a client of another node, which delivers its messages.
    pub(crate) is_remote: bool,
    /// Whether the connection ends after this reply (QUIT, protocol errors).
    pub closes: bool,
    /// Channels and patterns that it listens to; `None`: none.
    pub subscriptions: Option<Box<Subscriptions>>,
    /// CLIENT TRACKING
    pub tracking: Option<Box<TrackingState>>,
    /// Whether any of the rarer states is in force, so that the common path tests one flag: see
    /// [`Session::refresh_mode`].
    pub(crate) is_plain: bool,
}

/// The keys that a client WATCHes.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    /// Raised when one of them changes.
    pub flag: WatchFlag,
    /// The keys with their databases, and whether each was there when the watch began.
    pub keys: Vec<(usize, Box<[u8]>, bool)>,
}

impl Watch {
    /// That of keys which nobody has kept an eye on: they may have changed, and a transaction that relies on them is aborted.
    pub(crate) fn broken() -> Self {
        let watch = Self::default();
        watch.flag.raise();
        watch
    }
}

/// CLIENT REPLY
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyMode {
    /// Every reply is sent.
    On,
    /// None is sent.
    Off,
    /// The reply of the command after CLIENT REPLY SKIP is left out.
    SkipNext,
    /// This command's reply is left out.
    Skipping,
}

impl Session {
    /// A new connection's state.
    #[must_use]
    pub fn new(client: Arc<Client>, is_authenticated: bool) -> Self {
        Self {
            client,
            db: 0,
            resp: RespVersion::V2,
            is_authenticated,
            transaction: None,
            watch: None,
            reply_mode: ReplyMode::On,
            no_touch: false,
            is_redirecting: false,
            reads_copies: false,
            watched_elsewhere: Slots::None,
            written: None,
            acknowledged: 0,
            is_held_elsewhere: false,
            is_remote: false,
            closes: false,
            subscriptions: None,
            tracking: None,
            is_plain: is_authenticated,
        }
    }

    /// Recomputes whether commands run without special treatment. Called after every change of the fields it reads.
    pub fn refresh_mode(&mut self) {
        self.is_plain = self.is_authenticated
            && self.transaction.is_none()
            && self.reply_mode == ReplyMode::On
            && self.subscriptions.is_none()
            && self.tracking.is_none();
    }

    /// Remembers what the connection wrote.
    #[inline]
    pub(crate) fn note_written(&mut self, written: &[Written]) {
        for Written { slot, at } in written {
            self.written.get_or_insert_default().note(*slot, *at);
        }
    }

    /// Whether only commands about subscriptions are allowed: RESP2 can't tell their messages from replies.
    #[must_use]
    pub fn is_listening_only(&self) -> bool {
        self.subscriptions.is_some() && self.resp == RespVersion::V2
    }

    /// Tells others how much the connection listens to, after a change.
    pub fn note_subscriptions(&mut self) {
        self.subscriptions.take_if(|subscriptions| subscriptions.is_empty());
        let len_of = |kind| self.subscriptions.as_ref().map_or(0, |subscriptions| subscriptions.len_of(kind));
        {
            let mut facts = self.client.facts.lock();
            facts.channels = len_of(Kind::Channel);
            facts.patterns = len_of(Kind::Pattern);
            facts.shard_channels = len_of(Kind::Shard);
        }
        self.client.is_subscribed.store(self.subscriptions.is_some(), Ordering::Relaxed);
        self.refresh_mode();
    }

    /// Sets the version of the protocol for replies from now on.
    pub fn set_resp(&mut self, version: RespVersion) {
        self.resp = version;
        let is_resp3 = version == RespVersion::V3;
        self.client.is_resp3.store(is_resp3, Ordering::Relaxed);
        self.client.facts.lock().resp = if is_resp3 { 3 } else { 2 };
    }
}
