//! The settings in force. Most may change while the node runs; `config::parameters` says which, and holds their names.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::Mutex;

use super::cluster::ClusterSettings;
use crate::{
    store::{keyspace::AccessPolicy, observer::EventClass},
    types::limits::EncodingLimits,
};

/// Which keys go when memory is short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvictionPolicy {
    /// Scan-resistant eviction over all keys (after S3-FIFO, SOSP 2023): the default.
    AllKeysS3Fifo,
    /// The same over keys with a TTL.
    VolatileS3Fifo,
    /// Least recently used of all keys.
    AllKeysLru,
    /// Least recently used of the keys with a TTL.
    VolatileLru,
    /// Least frequently used of all keys.
    AllKeysLfu,
    /// Least frequently used of the keys with a TTL.
    VolatileLfu,
    /// Any key.
    AllKeysRandom,
    /// Any key with a TTL.
    VolatileRandom,
    /// The key with the nearest deadline.
    VolatileTtl,
    /// None: writes that need memory fail.
    NoEviction,
}

impl EvictionPolicy {
    /// Every policy with its name, as `maxmemory-policy` has it.
    pub const NAMED: [(Self, &'static str); 10] = [
        (Self::AllKeysS3Fifo, "allkeys-s3fifo"),
        (Self::VolatileS3Fifo, "volatile-s3fifo"),
        (Self::AllKeysLru, "allkeys-lru"),
        (Self::VolatileLru, "volatile-lru"),
        (Self::AllKeysLfu, "allkeys-lfu"),
        (Self::VolatileLfu, "volatile-lfu"),
        (Self::AllKeysRandom, "allkeys-random"),
        (Self::VolatileRandom, "volatile-random"),
        (Self::VolatileTtl, "volatile-ttl"),
        (Self::NoEviction, "noeviction"),
    ];

    /// The name, as `maxmemory-policy` has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMED.iter().find(|(policy, _)| *policy == self).map_or("", |(_, name)| name)
    }

    /// Whether the policy goes by frequency of use.
    #[must_use]
    pub fn is_lfu(self) -> bool {
        matches!(self, Self::AllKeysLfu | Self::VolatileLfu)
    }
}

/// How far a client of some class may fall behind in reading its replies before it is closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutputLimit {
    /// Closed at once beyond this many bytes; 0: no limit.
    pub hard_bytes: u64,
    /// Closed beyond this many bytes if that lasts; 0: no limit.
    pub soft_bytes: u64,
    /// How long it may last, in seconds.
    pub soft_s: u64,
}

/// `client-output-buffer-limit`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputLimits {
    /// Clients that are neither of the others.
    pub normal: OutputLimit,
    /// Replicas: remembered, but no client is one.
    pub replica: OutputLimit,
    /// Clients that are sent what they don't ask for each time: messages of channels, invalidations, MONITOR's lines.
    pub pubsub: OutputLimit,
}

impl Default for OutputLimits {
    fn default() -> Self {
        const MIB: u64 = 1024 * 1024;
        Self {
            normal: OutputLimit::default(),
            replica: OutputLimit { hard_bytes: 256 * MIB, soft_bytes: 64 * MIB, soft_s: 60 },
            pubsub: OutputLimit { hard_bytes: 32 * MIB, soft_bytes: 8 * MIB, soft_s: 60 },
        }
    }
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Percent per key prefix, the longest first.
pub type JitterRules = Vec<(Box<[u8]>, u8)>;

/// Every setting. A worker reads one snapshot per batch; a change replaces the whole.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `listen`: where clients connect.
    pub listen: Vec<SocketAddr>,
    /// `threads`: workers of the data plane.
    pub threads: usize,
    /// The file that settings were read from, if any.
    pub file: Option<PathBuf>,
    /// `dir`: where files are looked for and written.
    pub dir: String,
    /// `log-format`
    pub log_format: LogFormat,
    /// `loglevel`: an index into [`LOG_LEVELS`].
    pub log_level: usize,
    /// `tcp-backlog`: connections that the kernel queues before they are accepted.
    pub tcp_backlog: i32,
    /// `tcp-keepalive` in seconds; 0: off.
    pub tcp_keepalive_s: u64,
    /// `shutdown-timeout`: seconds that a shutdown waits for clients to take their replies.
    pub shutdown_timeout_s: u64,
    /// `client-output-buffer-limit`
    pub output_limits: OutputLimits,
    /// `tracking-table-max-keys`; 0: no limit.
    pub tracking_keys_max: usize,
    /// `active-expire-effort`, 1 to 10.
    pub active_expire_effort: u32,
    /// `latency-tracking`: whether run times are counted for percentiles.
    pub latency_tracking: bool,
    /// `latency-tracking-info-percentiles`
    pub latency_percentiles: Vec<f64>,
    /// Parameters of Redis that mean nothing here, where they were set: see `config::parameters::accepted`.
    pub accepted: BTreeMap<&'static str, String>,
    /// `ttl-jitter`: the largest share, in percent, by which a relative TTL is shortened.
    pub ttl_jitter_percent: u8,
    /// `ttl-jitter-min`: shorter TTLs are left alone (ms).
    pub ttl_jitter_min_ms: u64,
    /// `ttl-jitter-rules`: percent per key prefix; the longest match wins.
    pub ttl_jitter_rules: JitterRules,
    /// `maxmemory` in bytes; 0: no limit.
    pub maxmemory_bytes: u64,
    /// `maxmemory-policy`
    pub maxmemory_policy: EvictionPolicy,
    /// `lfu-log-factor`
    pub lfu_log_factor: u32,
    /// `lfu-decay-time` in minutes.
    pub lfu_decay_minutes: u32,
    /// `maxclients`
    pub clients_max: usize,
    /// `timeout`: seconds after which an idle client is closed; 0: never.
    pub idle_timeout_s: u64,
    /// `request-deadline`: how long a request is tried whose slot another node owns (ms).
    pub request_deadline_ms: u64,
    /// `requirepass`; empty: no password.
    pub password: String,
    /// `protected-mode`
    pub protected_mode: bool,
    /// `proto-max-bulk-len` in bytes.
    pub bulk_len_max: usize,
    /// `client-query-buffer-limit` in bytes.
    pub query_buffer_len_max: usize,
    /// `notify-keyspace-events`
    pub notify_events: EventClass,
    /// `slowlog-log-slower-than` in µs; negative: off.
    pub slowlog_threshold_us: i64,
    /// `slowlog-max-len`
    pub slowlog_len_max: usize,
    /// `latency-monitor-threshold` in ms; 0: off.
    pub latency_threshold_ms: u64,
    /// `hll-sparse-max-bytes`
    pub hll_sparse_bytes_max: usize,
    /// Thresholds of the compact encodings.
    pub encoding: EncodingLimits,
    /// The node's part in its cluster.
    pub cluster: ClusterSettings,
}

/// The values of `loglevel`, from most to least, as Redis names them.
pub const LOG_LEVELS: [&str; 5] = ["debug", "verbose", "notice", "warning", "nothing"];

impl Settings {
    /// How accesses are noted under the eviction policy in force.
    #[must_use]
    pub fn access_policy(&self) -> AccessPolicy {
        if self.maxmemory_policy.is_lfu() {
            AccessPolicy::Lfu { log_factor: self.lfu_log_factor, decay_minutes: self.lfu_decay_minutes }
        } else {
            AccessPolicy::Clock
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 6379))],
            threads: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            file: None,
            dir: std::env::current_dir().map_or_else(|_| ".".to_owned(), |dir| dir.to_string_lossy().into_owned()),
            log_format: LogFormat::Text,
            log_level: 2,
            tcp_backlog: 511,
            tcp_keepalive_s: 300,
            shutdown_timeout_s: 10,
            output_limits: OutputLimits::default(),
            tracking_keys_max: 1_000_000,
            active_expire_effort: 1,
            latency_tracking: true,
            latency_percentiles: vec![50.0, 99.0, 99.9],
            accepted: BTreeMap::new(),
            ttl_jitter_percent: 10,
            ttl_jitter_min_ms: 10_000,
            ttl_jitter_rules: Vec::new(),
            maxmemory_bytes: 0,
            maxmemory_policy: EvictionPolicy::AllKeysS3Fifo,
            lfu_log_factor: 10,
            lfu_decay_minutes: 1,
            clients_max: 10_000,
            idle_timeout_s: 0,
            request_deadline_ms: 5000,
            password: String::new(),
            protected_mode: true,
            bulk_len_max: 512 * 1024 * 1024,
            query_buffer_len_max: 1024 * 1024 * 1024,
            notify_events: EventClass::empty(),
            slowlog_threshold_us: 10_000,
            slowlog_len_max: 128,
            latency_threshold_ms: 0,
            hll_sparse_bytes_max: 3000,
            encoding: EncodingLimits::default(),
            cluster: ClusterSettings::default(),
        }
    }
}

/// The settings in force. Reading is one relaxed load where nothing has changed.
#[derive(Debug)]
pub struct SettingsCell {
    version: AtomicU64,
    /// Guards the snapshot; held only to clone or replace the `Arc`, and while listeners hear of a change.
    current: Mutex<Arc<Settings>>,
    listeners: Mutex<Listeners>,
}

/// Who keeps a copy of some settings where they are looked at all the time.
#[derive(Default)]
struct Listeners(Vec<Listener>);

type Listener = Box<dyn Fn(&Settings) + Send>;

impl std::fmt::Debug for Listeners {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} listeners", self.0.len())
    }
}

/// A worker's snapshot of the settings.
#[derive(Clone, Debug)]
pub struct SettingsView {
    version: u64,
    settings: Arc<Settings>,
}

impl SettingsCell {
    /// A cell that holds `settings`.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { version: AtomicU64::new(0), current: Mutex::new(Arc::new(settings)), listeners: Mutex::default() }
    }

    /// Calls `listener` now and after every change. It must be quick and must not touch the settings.
    pub fn on_change(&self, listener: impl Fn(&Settings) + Send + 'static) {
        let current = self.current.lock();
        listener(&current);
        self.listeners.lock().0.push(Box::new(listener));
    }

    /// The settings in force.
    #[must_use]
    pub fn load(&self) -> Arc<Settings> {
        self.current.lock().clone()
    }

    /// A view that [`SettingsView::refresh`] keeps up to date cheaply.
    #[must_use]
    pub fn view(&self) -> SettingsView {
        let current = self.current.lock();
        SettingsView { version: self.version.load(Ordering::Acquire), settings: current.clone() }
    }

    /// Changes settings all at once: `change` works on a copy, which takes effect only if it returns `Ok`.
    ///
    /// # Errors
    /// Whatever `change` refuses.
    pub fn update<E>(&self, change: impl FnOnce(&mut Settings) -> Result<(), E>) -> Result<(), E> {
        let mut current = self.current.lock();
        let mut settings = Settings::clone(&current);
        change(&mut settings)?;
        *current = Arc::new(settings);
        self.listeners.lock().0.iter().for_each(|listener| listener(&current));
        self.version.fetch_add(1, Ordering::Release);
        Ok(())
    }
}

impl SettingsView {
    /// Takes a new snapshot if there was a change.
    #[inline]
    pub fn refresh(&mut self, cell: &SettingsCell) {
        if cell.version.load(Ordering::Relaxed) != self.version {
            *self = cell.view();
        }
    }
}

impl std::ops::Deref for SettingsView {
    type Target = Settings;
    #[inline]
    fn deref(&self) -> &Settings {
        &self.settings
    }
}
