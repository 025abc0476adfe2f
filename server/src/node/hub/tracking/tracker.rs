//! A client that tracks keys, and how it is told that its copies are stale.

use std::sync::{Arc, atomic::Ordering};

use rondache_protocol::resp::writer::{ReplyWriter, RespVersion};

use super::super::message::encode;
use crate::{config::settings::OutputLimit, session::client::Client};

/// The channel on which clients of RESP2 get invalidations that are redirected to them.
const INVALIDATION_CHANNEL: &[u8] = b"__redis__:invalidate";

/// The options of CLIENT TRACKING.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Hear of all changes under some prefixes, not of the keys that were read.
    pub broadcast: bool,
    /// Remember only what is read after CLIENT CACHING YES.
    pub optin: bool,
    /// Do not remember what is read after CLIENT CACHING NO.
    pub optout: bool,
    /// Do not hear of the client's own changes.
    pub noloop: bool,
}

/// A client that tracks keys.
#[derive(Debug)]
pub struct Tracker {
    /// The client.
    pub client: Arc<Client>,
    /// The client that is told in its place.
    pub redirect: Option<Arc<Client>>,
    /// How it tracks.
    pub options: Options,
    /// Whether it hears of what changes at this node, and not at others: a client that broadcasts on the redirect port has
    /// a connection to each, as in a Redis Cluster.
    pub(crate) hears_only_of_here: bool,
}

/// What a client is told to forget.
#[derive(Clone, Copy)]
pub(super) enum Stale<'a> {
    /// One key.
    Key(&'a [u8]),
    /// An encoded array of keys.
    Keys(&'a [u8]),
    /// Everything.
    All,
}

impl Stale<'_> {
    fn write(self, reply: &mut ReplyWriter<'_>) {
        match self {
            Stale::Key(key) => {
                reply.array(1);
                reply.bulk(key);
            }
            Stale::Keys(encoded) => reply.raw(encoded),
            Stale::All => reply.null(),
        }
    }
}

impl Tracker {
    /// Tells the client, or whom it named, that copies are stale.
    pub(super) fn tell(&self, stale: Stale<'_>, limit: &OutputLimit) {
        let target = match &self.redirect {
            Some(redirect) if redirect.mailbox.is_shut() => return self.tell_of_broken_redirect(redirect.id, limit),
            Some(redirect) => redirect,
            None => &self.client,
        };
        let message = if target.is_resp3() {
            encode(RespVersion::V3, |reply| {
                reply.push(2);
                reply.bulk(b"invalidate");
                stale.write(reply);
            })
        } else if self.redirect.is_some() && target.is_subscribed() {
            encode(RespVersion::V2, |reply| {
                reply.push(3);
                reply.bulk(b"message");
                reply.bulk(INVALIDATION_CHANNEL);
                stale.write(reply);
            })
        } else {
            // RESP2 has no message that could not be mistaken for a reply.
            return;
        };
        target.mailbox.push(message, limit);
    }

    fn tell_of_broken_redirect(&self, redirect: u64, limit: &OutputLimit) {
        self.client.has_broken_redirect.store(true, Ordering::Relaxed);
        if self.client.is_resp3() {
            let message = encode(RespVersion::V3, |reply| {
                reply.push(2);
                reply.bulk(b"tracking-redir-broken");
                reply.integer(i64::try_from(redirect).unwrap_or(i64::MAX));
            });
            self.client.mailbox.push(message, limit);
        }
    }
}
