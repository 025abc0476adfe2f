//! Who listens to which channels and patterns.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use dashmap::DashMap;
use hashbrown::{HashMap, HashSet};
use parking_lot::Mutex;
use rondache_protocol::resp::writer::ReplyWriter;

use super::{Live, message::Shared};
use crate::{session::client::Client, util::glob};

/// Kinds of subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// SUBSCRIBE
    Channel,
    /// PSUBSCRIBE
    Pattern,
    /// SSUBSCRIBE
    Shard,
}

/// What one client listens to.
#[derive(Debug, Default)]
pub struct Subscriptions {
    names: [HashSet<Box<[u8]>>; 3],
}

impl Subscriptions {
    /// The names of one kind.
    #[must_use]
    pub fn of(&self, kind: Kind) -> &HashSet<Box<[u8]>> {
        &self.names[kind as usize]
    }

    /// How many there are of one kind.
    #[must_use]
    pub fn len_of(&self, kind: Kind) -> usize {
        self.of(kind).len()
    }

    /// Whether there is none of any kind.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.iter().all(HashSet::is_empty)
    }
}

type Subscribers = HashMap<u64, Arc<Client>>;

/// Channels, patterns and shard channels with those who listen to them.
///
/// A channel's messages reach all its listeners in one order, because its entry is locked while one is handed out.
/// Bound: the listeners' own lists, and those are bounded by their requests.
#[derive(Debug)]
pub struct Channels {
    plain: DashMap<Box<[u8]>, Subscribers>,
    shard: DashMap<Box<[u8]>, Subscribers>,
    /// One lock for all, since a message is compared with every pattern.
    patterns: Mutex<HashMap<Box<[u8]>, Subscribers>>,
    /// Patterns that someone listens to: looked at before the lock is taken.
    patterns_len: AtomicUsize,
    /// Names of plain channels that someone listens to.
    plain_len: AtomicUsize,
    live: Arc<Live>,
}

impl Channels {
    pub(super) fn new(live: Arc<Live>) -> Self {
        Self {
            plain: DashMap::new(),
            shard: DashMap::new(),
            patterns: Mutex::default(),
            patterns_len: AtomicUsize::new(0),
            plain_len: AtomicUsize::new(0),
            live,
        }
    }

    /// Lets a client listen; nothing changes if it does already.
    pub fn subscribe(&self, client: &Arc<Client>, own: &mut Subscriptions, kind: Kind, name: &[u8]) {
        if !own.names[kind as usize].insert(name.into()) {
            return;
        }
        let (id, client) = (client.id, client.clone());
        match kind {
            Kind::Channel => {
                let mut subscribers = self.plain.entry(name.into()).or_insert_with(|| {
                    self.plain_len.fetch_add(1, Ordering::Relaxed);
                    Subscribers::default()
                });
                subscribers.insert(id, client);
            }
            Kind::Shard => {
                self.shard.entry(name.into()).or_default().insert(id, client);
            }
            Kind::Pattern => {
                let mut patterns = self.patterns.lock();
                patterns.entry(name.into()).or_default().insert(id, client);
                self.patterns_len.store(patterns.len(), Ordering::Relaxed);
            }
        }
    }

    /// Ends a subscription. When it returns, nothing more of it reaches the client's mailbox. `false`: there was none.
    pub fn unsubscribe(&self, client_id: u64, own: &mut Subscriptions, kind: Kind, name: &[u8]) -> bool {
        let had_it = own.names[kind as usize].remove(name);
        if had_it {
            self.remove(client_id, kind, name);
        }
        had_it
    }

    /// Ends all of a client's subscriptions.
    pub(super) fn forget(&self, client_id: u64, own: &Subscriptions) {
        for kind in [Kind::Channel, Kind::Pattern, Kind::Shard] {
            own.of(kind).iter().for_each(|name| self.remove(client_id, kind, name));
        }
    }

    fn remove(&self, client_id: u64, kind: Kind, name: &[u8]) {
        let leave = |subscribers: &mut Subscribers| {
            subscribers.remove(&client_id);
            subscribers.is_empty()
        };
        match kind {
            Kind::Channel => {
                if self.plain.remove_if_mut(name, |_, subscribers| leave(subscribers)).is_some() {
                    self.plain_len.fetch_sub(1, Ordering::Relaxed);
                }
            }
            Kind::Shard => {
                self.shard.remove_if_mut(name, |_, subscribers| leave(subscribers));
            }
            Kind::Pattern => {
                let mut patterns = self.patterns.lock();
                if let Some(subscribers) = patterns.get_mut(name) {
                    subscribers.remove(&client_id);
                    if subscribers.is_empty() {
                        patterns.remove(name);
                    }
                }
                self.patterns_len.store(patterns.len(), Ordering::Relaxed);
            }
        }
    }

    /// Whether a message on a plain channel could reach anyone.
    #[must_use]
    pub fn has_listeners(&self) -> bool {
        self.plain_len.load(Ordering::Relaxed) > 0 || self.patterns_len.load(Ordering::Relaxed) > 0
    }

    /// Sends a message to a channel's listeners and to those of matching patterns; answers how many got it.
    pub fn publish(&self, channel: &[u8], message: &[u8]) -> usize {
        let mut sent = 0;
        if self.plain_len.load(Ordering::Relaxed) > 0 {
            sent += self.send(&self.plain, channel, |reply| write_message(reply, "message", channel, message));
        }
        if self.patterns_len.load(Ordering::Relaxed) > 0 {
            sent += self.publish_to_patterns(channel, message);
        }
        sent
    }

    /// Sends a message to a shard channel's listeners; answers how many got it.
    pub fn publish_to_shard(&self, channel: &[u8], message: &[u8]) -> usize {
        self.send(&self.shard, channel, |reply| write_message(reply, "smessage", channel, message))
    }

    fn send(
        &self,
        registry: &DashMap<Box<[u8]>, Subscribers>,
        channel: &[u8],
        write: impl Fn(&mut ReplyWriter<'_>),
    ) -> usize {
        let limit = self.live.push_limit();
        // For writing, although nothing changes: it is what gives all listeners the same order.
        let Some(subscribers) = registry.get_mut(channel) else { return 0 };
        let mut message = Shared::new(write);
        for client in subscribers.values() {
            client.mailbox.push(message.encoded_for(client), &limit);
        }
        subscribers.len()
    }

    fn publish_to_patterns(&self, channel: &[u8], message: &[u8]) -> usize {
        let limit = self.live.push_limit();
        let mut sent = 0;
        let patterns = self.patterns.lock();
        for (pattern, subscribers) in patterns.iter().filter(|(pattern, _)| glob::matches(pattern, channel, false)) {
            let mut shared = Shared::new(|reply| {
                reply.push(4);
                reply.bulk(b"pmessage");
                reply.bulk(pattern);
                reply.bulk(channel);
                reply.bulk(message);
            });
            for client in subscribers.values() {
                client.mailbox.push(shared.encoded_for(client), &limit);
            }
            sent += subscribers.len();
        }
        sent
    }

    /// The names of a kind that someone listens to, those that match `pattern` if there is one.
    #[must_use]
    pub fn names(&self, kind: Kind, pattern: Option<&[u8]>) -> Vec<Box<[u8]>> {
        let fits = |name: &[u8]| pattern.is_none_or(|pattern| glob::matches(pattern, name, false));
        match self.registry(kind) {
            Some(registry) => {
                registry.iter().filter(|entry| fits(entry.key())).map(|entry| entry.key().clone()).collect()
            }
            None => self.patterns.lock().keys().filter(|name| fits(name)).cloned().collect(),
        }
    }

    /// How many clients listen to a channel.
    #[must_use]
    pub fn listeners(&self, kind: Kind, name: &[u8]) -> usize {
        match self.registry(kind) {
            Some(registry) => registry.get(name).map_or(0, |subscribers| subscribers.len()),
            None => self.patterns.lock().get(name).map_or(0, HashMap::len),
        }
    }

    /// How many names of a kind someone listens to.
    #[must_use]
    pub fn len(&self, kind: Kind) -> usize {
        self.registry(kind).map_or_else(|| self.patterns_len.load(Ordering::Relaxed), DashMap::len)
    }

    fn registry(&self, kind: Kind) -> Option<&DashMap<Box<[u8]>, Subscribers>> {
        match kind {
            Kind::Channel => Some(&self.plain),
            Kind::Shard => Some(&self.shard),
            Kind::Pattern => None,
        }
    }
}

fn write_message(reply: &mut ReplyWriter<'_>, kind: &str, channel: &[u8], message: &[u8]) {
    reply.push(3);
    reply.bulk(kind.as_bytes());
    reply.bulk(channel);
    reply.bulk(message);
}
