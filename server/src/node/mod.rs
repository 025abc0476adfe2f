//! A running node: what all connections share, and its start and end.

mod advertise;
pub mod clock;
pub mod cluster_status;
mod files;
pub mod histogram;
pub mod housekeeping;
pub mod hub;
pub mod latency;
pub mod local;
pub mod logging;
pub mod memory;
pub mod pause;
pub mod sampler;
pub mod slowlog;
pub mod start;
pub mod stats;
pub mod topology_push;

use std::sync::Arc;

use rondache_protocol::{
    bus::identity::NodeId,
    command::{CommandSpec, Flags},
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::{
    cluster::Cluster,
    command::{args::Args, redact},
    config::settings::{Settings, SettingsCell},
    session::{Session, blocking::BlockedCommands, client::Clients},
    store::Store,
};

/// What all connections of a node share.
pub struct Node {
    /// The keys.
    pub store: Store,
    /// The node's part in its cluster.
    pub cluster: Cluster,
    /// The live settings.
    pub settings: SettingsCell,
    /// The connections.
    pub clients: Clients,
    /// The commands that wait for keys.
    pub blocked: BlockedCommands,
    /// Pub/sub, keyspace events and invalidations.
    pub hub: hub::Hub,
    /// CLIENT PAUSE
    pub pause: pause::Pause,
    /// Counters.
    pub stats: stats::Stats,
    /// What memory is used, and what to do when it is short.
    pub memory: memory::Memory,
    /// What the node does besides serving requests.
    pub housekeeping: housekeeping::Housekeeping,
    /// Commands and bytes a second.
    pub rates: sampler::Rates,
    /// Commands that took long.
    pub slowlog: slowlog::SlowLog,
    /// Events that took long.
    pub latency: latency::LatencyMonitor,
    /// Told of every change of the settings, for what cannot be done where they were changed.
    pub settings_changed: Notify,
    /// Cancelled when the node is to stop.
    pub shutdown: CancellationToken,
    /// When the node started (unix ms).
    pub started_ms: u64,
    /// 40 random hex digits, new at every start.
    pub run_id: String,
}

impl Node {
    /// A node with an empty store, without any thread or socket yet.
    #[must_use]
    pub fn new(settings: Settings) -> Arc<Self> {
        let mut rng = fastrand::Rng::new();
        let settings = SettingsCell::new(settings);
        let hub = hub::Hub::new(&settings);
        // Refused where the process runs a node already: its collections are hashed with that seed.
        let _ = crate::types::indexed::set_hash_seed(rng.u64(..));
        let started_ms = clock::unix_ms();
        let cluster = Cluster::new(NodeId(rng.u128(..)), started_ms, &settings.load());
        Arc::new(Self {
            store: Store::new(rng.u64(..)),
            cluster,
            settings,
            clients: Clients::default(),
            blocked: BlockedCommands::default(),
            hub,
            pause: pause::Pause::default(),
            stats: stats::Stats::default(),
            memory: memory::Memory::default(),
            housekeeping: housekeeping::Housekeeping::default(),
            rates: sampler::Rates::default(),
            slowlog: slowlog::SlowLog::default(),
            latency: latency::LatencyMonitor::default(),
            settings_changed: Notify::new(),
            shutdown: CancellationToken::new(),
            started_ms,
            run_id: (0..40).map(|_| char::from_digit(rng.u32(..16), 16).unwrap_or('0')).collect(),
        })
    }

    /// Puts into force what settings say elsewhere than in the settings themselves. The caller holds no shard.
    pub fn apply_settings(&self) {
        let settings = self.settings.load();
        self.memory.apply(&self.store, &settings);
        logging::set_level(settings.log_level);
    }

    /// Begins the end: a node that has met others hands its slots to them first, and ends when it has.
    pub fn stop(&self) {
        if self.cluster.routing.is_clustered() {
            self.cluster.desk.order_leave();
        } else {
            self.shutdown.cancel();
        }
    }

    /// Whether someone wants to see every command (MONITOR) or commands are held back (CLIENT PAUSE).
    #[inline]
    pub(crate) fn watches_commands(&self) -> bool {
        self.hub.has_monitors() || self.pause.is_set()
    }

    /// Shows a command that is about to run to the monitors.
    #[cold]
    pub(crate) fn observe_command(&self, session: &Session, spec: &'static CommandSpec, args: &Args<'_>) {
        let flags = subcommand_or(spec, args).flags;
        if !self.hub.has_monitors() || flags.intersects(Flags::SKIP_MONITOR | Flags::ADMIN) {
            return;
        }
        let words = args.from(0).enumerate().map(|(index, arg)| {
            // Names of users and their passwords.
            if redact::hides(spec, args, index) { redact::REPLACEMENT } else { arg }
        });
        self.hub.monitors.show(clock::unix_us(), session.db, session.client.addr, words);
    }

    /// How many clients wait: for keys, or for a pause to end.
    #[must_use]
    pub fn blocked_clients(&self) -> usize {
        self.blocked.len() + self.pause.waiting()
    }
}

/// The subcommand that `args` name, or the command itself.
fn subcommand_or(spec: &'static CommandSpec, args: &Args<'_>) -> &'static CommandSpec {
    spec.subcommand(args.get(1)).map_or(spec, |(_, subcommand)| subcommand)
}
