//! Building a client.

use std::{sync::Arc, time::Duration};

use crate::{
    Client,
    config::{Config, WhenBusy},
    conn::ConnectionObserver,
    error::{ClientError, ConfigError},
    local::LocalExecutor,
    policy::{HedgeConfig, ReadPolicy},
};

/// Settings of a client to be built. [`Client::builder`] begins one.
#[derive(Clone, Default)]
#[must_use = "a builder does nothing until `build` is awaited"]
pub struct ClientBuilder {
    config: Config,
    error: Option<ConfigError>,
}

impl ClientBuilder {
    /// Nodes to begin with, as `host:port` or `redis://user:password@host:port/db`; `rediss://` with the feature `tls`,
    /// and `ClientBuilder::tls_authorities` or `ClientBuilder::tls` besides.
    /// One reachable node is enough: the others are learnt from it.
    pub fn seeds<S: AsRef<str>>(mut self, seeds: impl IntoIterator<Item = S>) -> Self {
        for seed in seeds {
            if let Err(error) = self.config.add_seed(seed.as_ref()) {
                self = self.with_error(error);
            }
        }
        self
    }

    /// Remembers the first error for [`build`](Self::build).
    fn with_error(mut self, error: ConfigError) -> Self {
        self.error.get_or_insert(error);
        self
    }

    /// One more node to begin with; see [`seeds`](Self::seeds).
    pub fn seed(self, seed: impl AsRef<str>) -> Self {
        self.seeds([seed])
    }

    /// The user to log in as; without one, the password alone is given.
    pub fn username(mut self, username: impl Into<String>) -> Self {
        self.config.link.username = Some(username.into());
        self
    }

    /// The password to log in with.
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.config.link.password = Some(password.into());
        self
    }

    /// The database to work in; a cluster has only 0, the default.
    pub fn db(mut self, db: u32) -> Self {
        self.config.link.db = db;
        self
    }

    /// The name that `CLIENT LIST` shows for the connections.
    pub fn client_name(mut self, name: impl Into<String>) -> Self {
        self.config.link.name = Some(name.into());
        self
    }

    /// TLS to all nodes, whose certificates must be of one of these authorities: their certificates as PEM. Seeds, and the
    /// addresses by which nodes name each other, must be names or addresses in the certificates.
    #[cfg(feature = "tls")]
    pub fn tls_authorities(self, pem: impl AsRef<[u8]>) -> Self {
        match crate::conn::tls::trusting(pem.as_ref()) {
            Ok(config) => self.tls(Arc::new(config)),
            Err(error) => self.with_error(error),
        }
    }

    /// TLS to all nodes with these settings: for certificates of the client's own, authorities of the system, and whatever
    /// else [`rustls`](crate::rustls) knows.
    #[cfg(feature = "tls")]
    pub fn tls(mut self, config: Arc<tokio_rustls::rustls::ClientConfig>) -> Self {
        self.config.link.tls = true;
        self.config.link.tls_config = Some(config);
        self
    }

    /// How long a call may take in all, retries included. Default 3 s; [`Client::with_deadline`] changes it for some calls.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.config.deadline = deadline;
        self
    }

    /// How long one attempt of a call that may be repeated may take before another node is tried. Default 1 s. Calls
    /// that may not be repeated wait until their deadline.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.config.attempt_timeout = timeout;
        self
    }

    /// How long connecting, TLS and login included, may take. Default 1 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.config.link.connect_timeout = timeout;
        self
    }

    /// After how long without a single byte, with requests outstanding, a connection counts as dead. Default 5 s. Choose
    /// it above the longest command you run.
    pub fn silence_max(mut self, silence: Duration) -> Self {
        self.config.link.silence_max = silence;
        self
    }

    /// After how long without traffic a connection is tested with PING. Default 15 s.
    pub fn keepalive(mut self, interval: Duration) -> Self {
        self.config.link.keepalive = interval;
        self
    }

    /// Connections for ordinary commands to each node. Default 1, which is best unless a core is busy with it alone.
    pub fn connections_per_node(mut self, connections: usize) -> Self {
        self.config.connections_per_node = connections;
        self
    }

    /// Most connections for blocking commands, all nodes together. Default 64.
    pub fn blocking_connections_max(mut self, connections: usize) -> Self {
        self.config.blocking_connections_max = connections;
        self
    }

    /// Most requests that wait for replies of one connection. Default 100,000.
    pub fn in_flight_max(mut self, requests: usize) -> Self {
        self.config.link.in_flight_max = requests;
        self
    }

    /// Most bytes that wait to be written to one connection. Default 64 MiB. A single longer command passes when the
    /// queue is empty.
    pub fn queued_bytes_max(mut self, bytes: usize) -> Self {
        self.config.link.queued_bytes_max = bytes;
        self
    }

    /// What to do when one of these limits is reached. Default: fail.
    pub fn when_busy(mut self, when_busy: WhenBusy) -> Self {
        self.config.link.when_busy = when_busy;
        self
    }

    /// How many redirections a call follows before it gives up. Default 8.
    pub fn redirects_max(mut self, redirects: u32) -> Self {
        self.config.redirects_max = redirects;
        self
    }

    /// How often the topology is asked for without an occasion. Default 30 s.
    pub fn refresh_interval(mut self, interval: Duration) -> Self {
        self.config.refresh_interval = interval;
        self
    }

    /// Which copies of a slot answer reads. Default: the owner alone, whose answers are always up to date. Any other policy
    /// may answer what was there before a write of a moment ago, the caller's own included; in return a read outlives
    /// its owner without a pause. Commands that write, and pipelines with one among them, go to owners all the same.
    pub fn read_policy(mut self, policy: ReadPolicy) -> Self {
        self.config.read_policy = policy;
        self.config.link.reads_copies = policy != ReadPolicy::OwnerOnly;
        self
    }

    /// Sends a read that takes unusually long to a second copy as well; the first answer wins. Needs a
    /// [`read_policy`](Self::read_policy) that reads from copies. Default: never.
    pub fn hedge(mut self, hedge: HedgeConfig) -> Self {
        self.config.hedge = Some(hedge);
        self
    }

    /// The zone (rack, data centre) that the client runs in, for [`ReadPolicy::SameZoneFirst`]: as the nodes' `--zone`.
    pub fn zone(mut self, zone: impl Into<String>) -> Self {
        self.config.zone = Some(zone.into());
        self
    }

    /// A node in this process: single commands for keys that it owns are executed in the calling thread, without the
    /// network. See [`LocalExecutor`].
    pub fn local(mut self, local: impl LocalExecutor + 'static) -> Self {
        self.config.local = Some(Arc::new(local));
        self
    }

    /// For reads that must come from the owner, whatever the application chose for its other reads.
    pub(crate) fn owner_only(mut self) -> Self {
        self.config.hedge = None;
        self.read_policy(ReadPolicy::OwnerOnly)
    }

    /// Someone to follow the shared connections: see [`ConnectionObserver`].
    pub fn observer(mut self, observer: Arc<dyn ConnectionObserver>) -> Self {
        self.config.link.observers.push(observer);
        self
    }

    /// Connects to the first seed that answers, and learns the topology from it.
    ///
    /// # Errors
    /// [`ClientError::Config`] if the settings are wrong, [`ClientError::NotSent`] if no seed could be reached or all
    /// refused the login: with the last seed's reason.
    pub async fn build(self) -> Result<Client, ClientError> {
        if let Some(error) = self.error {
            return Err(error.into());
        }
        self.config.validate()?;
        Client::connect(self.config).await
    }
}
