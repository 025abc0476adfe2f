//! What connections hear of without asking: messages of channels, keyspace events, invalidations of what they track,
//! MONITOR's lines.
//!
//! ```text
//! PUBLISH ────────────┐
//! keyspace events ────┤ channels ─┐
//! changes of keys ────┤ tracking ─┼─→ mailboxes of the clients concerned ─→ their connections
//! commands ───────────┘ monitor  ─┘
//! ```
//! Everything here may be called while shards are held, so nothing here reaches back into the store. Locks are taken in
//! the order: shard of the store, a registry's lock, a mailbox. Nobody waits for a client: a mailbox that outgrows its
//! limit closes its client.

pub mod channels;
pub mod events;
pub mod message;
pub mod monitor;
pub mod tracking;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use parking_lot::RwLock;
use rondache_protocol::bus::forward::ChannelKind;

use self::{channels::Channels, monitor::Monitors, tracking::Tracking};
use crate::{
    cluster::forward::broadcast::Broadcasts,
    config::settings::{OutputLimit, Settings, SettingsCell},
    session::Session,
    store::observer::{EventClass, Interest, Observer},
};

/// Who listens to what.
#[derive(Debug)]
pub struct Hub {
    /// Channels, patterns and shard channels.
    pub channels: Channels,
    /// Clients that keep copies of what they read.
    pub tracking: Tracking,
    /// Clients that read MONITOR's lines.
    pub monitors: Monitors,
    /// Messages for the subscribers of other nodes.
    pub broadcasts: Broadcasts,
    live: Arc<Live>,
}

/// What the hub keeps of the settings and of its own state for those who must know it at once.
#[derive(Debug, Default)]
pub(crate) struct Live {
    interest: Interest,
    /// `notify-keyspace-events`, with the kinds of channel to use.
    notify_events: RwLock<EventClass>,
    push_limit: RwLock<OutputLimit>,
    tracked_keys_max: AtomicUsize,
}

impl Live {
    fn adopt(&self, settings: &Settings) {
        *self.notify_events.write() = settings.notify_events;
        self.interest.set_events(settings.notify_events);
        *self.push_limit.write() = settings.output_limits.pubsub;
        self.tracked_keys_max.store(settings.tracking_keys_max, Ordering::Relaxed);
    }

    /// How far a client may fall behind with what it is sent.
    fn push_limit(&self) -> OutputLimit {
        *self.push_limit.read()
    }
}

impl Hub {
    /// A hub that follows the settings in force.
    #[must_use]
    pub fn new(settings: &SettingsCell) -> Self {
        let live = Arc::new(Live::default());
        let adopted = live.clone();
        settings.on_change(move |settings| adopted.adopt(settings));
        Self {
            channels: Channels::new(live.clone()),
            tracking: Tracking::new(live.clone()),
            monitors: Monitors::new(live.clone()),
            broadcasts: Broadcasts::default(),
            live,
        }
    }

    /// Whether a client reads MONITOR's lines.
    #[inline]
    #[must_use]
    pub fn has_monitors(&self) -> bool {
        self.monitors.len() > 0
    }

    /// Undoes everything that a connection is registered for: when it ends, and for RESET.
    pub fn forget(&self, session: &mut Session) {
        if let Some(subscriptions) = session.subscriptions.take() {
            self.channels.forget(session.client.id, &subscriptions);
        }
        self.tracking.disable(session);
        self.monitors.remove(&session.client);
        session.note_subscriptions();
    }
}

impl Observer for Hub {
    fn interest(&self) -> &Interest {
        &self.live.interest
    }

    fn invalidated(&self, origin: u64, _db: usize, key: &[u8]) {
        self.tracking.invalidate(origin, key);
    }

    fn invalidated_all(&self, _origin: u64, _db: Option<usize>) {
        self.tracking.invalidate_all();
    }

    fn event(&self, class: EventClass, event: &str, db: usize, key: &[u8]) {
        if self.channels.has_listeners() || self.broadcasts.is_on() {
            let enabled = *self.live.notify_events.read();
            events::publish(enabled, class, event, db, key, |channel, message| {
                self.channels.publish(channel, message);
                self.broadcasts.publish(ChannelKind::Plain, channel, message);
            });
        }
    }
}
