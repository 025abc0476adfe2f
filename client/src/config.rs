//! What a client is built from.

pub(crate) mod seed;

use std::{sync::Arc, time::Duration};

use rondache_protocol::resp::decoder::ReplyLimits;

use crate::{
    conn::ConnectionObserver,
    error::ConfigError,
    local::LocalExecutor,
    policy::{HedgeConfig, ReadPolicy},
};
use seed::Seed;

/// What to do with a call when a limit of its connection is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenBusy {
    /// Fail at once with [`ClientError::Busy`](crate::ClientError::Busy): the caller sheds load.
    #[default]
    Fail,
    /// Wait for room until the call's deadline.
    Wait,
}

/// All settings of a client.
#[derive(Clone)]
pub(crate) struct Config {
    pub(crate) seeds: Vec<Seed>,
    /// Whether seeds that are URLs stand for TLS.
    pub(crate) seeds_tls: Option<bool>,
    pub(crate) link: LinkConfig,
    pub(crate) deadline: Duration,
    pub(crate) attempt_timeout: Duration,
    pub(crate) connections_per_node: usize,
    pub(crate) blocking_connections_max: usize,
    pub(crate) redirects_max: u32,
    pub(crate) refresh_interval: Duration,
    pub(crate) command_len_max: usize,
    pub(crate) read_policy: ReadPolicy,
    pub(crate) hedge: Option<HedgeConfig>,
    pub(crate) zone: Option<String>,
    pub(crate) local: Option<Arc<dyn LocalExecutor>>,
}

/// What concerns one connection.
#[derive(Clone)]
pub(crate) struct LinkConfig {
    pub(crate) username: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) db: u32,
    pub(crate) name: Option<String>,
    pub(crate) tls: bool,
    #[cfg(feature = "tls")]
    pub(crate) tls_config: Option<Arc<tokio_rustls::rustls::ClientConfig>>,
    pub(crate) connect_timeout: Duration,
    pub(crate) backoff_min: Duration,
    pub(crate) backoff_max: Duration,
    /// No byte for so long, with requests outstanding: the connection is dead.
    pub(crate) silence_max: Duration,
    /// PING after so long without traffic.
    pub(crate) keepalive: Duration,
    pub(crate) in_flight_max: usize,
    pub(crate) queued_bytes_max: usize,
    pub(crate) when_busy: WhenBusy,
    pub(crate) limits: ReplyLimits,
    pub(crate) observers: Vec<Arc<dyn ConnectionObserver>>,
    /// Whether nodes may answer reads from copies: READONLY belongs to the greeting.
    pub(crate) reads_copies: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            seeds: Vec::new(),
            seeds_tls: None,
            link: LinkConfig::default(),
            deadline: Duration::from_secs(3),
            attempt_timeout: Duration::from_millis(1000),
            connections_per_node: 1,
            blocking_connections_max: 64,
            redirects_max: 8,
            refresh_interval: Duration::from_secs(30),
            command_len_max: 512 * 1024 * 1024,
            read_policy: ReadPolicy::OwnerOnly,
            hedge: None,
            zone: None,
            local: None,
        }
    }
}

impl Default for LinkConfig {
    fn default() -> Self {
        Self {
            username: None,
            password: None,
            db: 0,
            name: None,
            tls: false,
            #[cfg(feature = "tls")]
            tls_config: None,
            connect_timeout: Duration::from_millis(1000),
            backoff_min: Duration::from_millis(10),
            backoff_max: Duration::from_millis(500),
            silence_max: Duration::from_secs(5),
            keepalive: Duration::from_secs(15),
            in_flight_max: 100_000,
            queued_bytes_max: 64 * 1024 * 1024,
            when_busy: WhenBusy::Fail,
            limits: ReplyLimits::default(),
            observers: Vec::new(),
            reads_copies: false,
        }
    }
}

impl Config {
    /// Takes a seed in, and what its URL says of login, database and TLS.
    pub(crate) fn add_seed(&mut self, text: &str) -> Result<(), ConfigError> {
        let parsed = seed::parse(text)?;
        let first = self.seeds.is_empty();
        let link = &mut self.link;
        if parsed.is_url {
            #[cfg(not(feature = "tls"))]
            if parsed.tls {
                return Err(ConfigError::NoTls);
            }
            if self.seeds_tls.is_some_and(|tls| tls != parsed.tls) {
                return Err(ConfigError::SeedsDiffer("their use of TLS"));
            }
            self.seeds_tls = Some(parsed.tls);
            // Who has asked for TLS besides gets it, whatever the seeds look like.
            link.tls |= parsed.tls;
            merge(&mut link.username, parsed.username, "the user name")?;
            merge(&mut link.password, parsed.password, "the password")?;
            match parsed.db {
                Some(db) if !first && db != link.db => return Err(ConfigError::SeedsDiffer("the database")),
                Some(db) => link.db = db,
                None => {}
            }
        }
        if !self.seeds.contains(&parsed.seed) {
            self.seeds.push(parsed.seed);
        }
        Ok(())
    }

    /// Refuses settings with which nothing could work.
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        let wrong = |name, problem| Err(ConfigError::Value { name, problem });
        if self.seeds.is_empty() {
            return Err(ConfigError::NoSeeds);
        }
        #[cfg(feature = "tls")]
        if self.link.tls && self.link.tls_config.is_none() {
            return Err(ConfigError::Tls("rediss:// was not told whom to trust: give tls_authorities, or tls"));
        }
        if self.deadline.is_zero() || self.attempt_timeout.is_zero() || self.link.connect_timeout.is_zero() {
            return wrong("timeout", "must be above zero");
        }
        if self.connections_per_node == 0 || self.connections_per_node > 64 {
            return wrong("connections_per_node", "must be from 1 to 64");
        }
        if self.link.in_flight_max == 0 || self.link.queued_bytes_max < 1024 {
            return wrong("limits", "must let at least one request and 1024 bytes through");
        }
        if self.hedge.is_some() && self.read_policy == ReadPolicy::OwnerOnly {
            return wrong("hedge", "needs a read policy that reads from copies");
        }
        if self.hedge.is_some_and(|hedge| !(0.5..1.0).contains(&hedge.quantile)) {
            return wrong("hedge.quantile", "must be from 0.5 to below 1");
        }
        if self.read_policy == ReadPolicy::SameZoneFirst && self.zone.is_none() {
            return wrong("read_policy", "same zone first needs the client's own zone");
        }
        Ok(())
    }
}

fn merge(setting: &mut Option<String>, found: Option<String>, name: &'static str) -> Result<(), ConfigError> {
    match (&setting, found) {
        (Some(old), Some(new)) if *old != new => Err(ConfigError::SeedsDiffer(name)),
        (_, Some(new)) => {
            *setting = Some(new);
            Ok(())
        }
        (_, None) => Ok(()),
    }
}
