//! What can go wrong, told so that a caller knows what may have happened.

mod server;

use std::{fmt, io, sync::Arc, time::Duration};

use rondache_protocol::resp::decoder::DecodeError;

pub use server::{ServerError, ServerErrorKind};

use crate::convert::ConvertError;

/// Why a call failed.
///
/// The variants answer the question that matters after a failure: *may the command have been executed?*
///
/// | variant | executed? | [`is_retry_safe`](Self::is_retry_safe) |
/// |---|---|---|
/// | [`Config`](Self::Config), [`Request`](Self::Request), [`Closed`](Self::Closed) | no | no: it would fail again |
/// | [`NotSent`](Self::NotSent), [`Busy`](Self::Busy) | no | yes |
/// | [`Timeout`](Self::Timeout) | only if `sent` | unless `sent` |
/// | [`MaybeExecuted`](Self::MaybeExecuted) | perhaps | no |
/// | [`Server`](Self::Server) | refused, the code tells | by the code |
/// | [`Redirects`](Self::Redirects) | no | yes, later |
/// | [`Convert`](Self::Convert) | yes | no |
///
/// The client itself retries what is safe within the call's deadline; an error that reaches the caller is what was left.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The client cannot be built from what it was given.
    #[error("configuration: {0}")]
    Config(#[from] ConfigError),
    /// The call is wrong in itself; nothing was sent.
    #[error("request: {0}")]
    Request(#[from] RequestError),
    /// No byte of the command reached a node.
    #[error("the command was not sent to {node}: {reason}")]
    NotSent {
        /// The node's address.
        node: Arc<str>,
        /// Why not.
        reason: LinkError,
    },
    /// The connection was lost after the command was sent, or while it was: the node may have executed it or not.
    #[error("the connection to {node} was lost, the command may have been executed: {reason}")]
    MaybeExecuted {
        /// The node's address.
        node: Arc<str>,
        /// How it was lost.
        reason: LinkError,
    },
    /// The deadline passed.
    #[error("no reply from {node} within {after:?}{}", if *.sent { ", the command may have been executed" } else { ", the command was not sent" })]
    Timeout {
        /// The node's address.
        node: Arc<str>,
        /// Whether the command had been handed to the network, so that it may have been executed.
        sent: bool,
        /// How long the call waited.
        after: Duration,
    },
    /// So many requests, or bytes of them, wait for the node that no more are taken. Send less, or raise the limit.
    #[error("too much waits for {node} already: {limit}")]
    Busy {
        /// The node's address.
        node: Arc<str>,
        /// The limit that was reached.
        limit: BusyLimit,
    },
    /// The node answered with an error.
    #[error("{0}")]
    Server(ServerError),
    /// Nodes sent the command in circles: they don't agree on who owns its slot.
    #[error("gave up after {count} redirections, the last to {last}")]
    Redirects {
        /// How many were followed.
        count: u32,
        /// Where the last one pointed.
        last: Arc<str>,
    },
    /// The command was executed, but its reply isn't of the type that was asked for.
    #[error("{0}")]
    Convert(#[from] ConvertError),
    /// The client was shut down.
    #[error("the client is closed")]
    Closed,
}

impl ClientError {
    /// Whether the same call may be made again without the risk that the command is executed twice, and with a chance
    /// that it succeeds. Whether a command that *may* have been executed can be repeated depends on the command: see
    /// [`Cmd::is_idempotent`](crate::Cmd::is_idempotent).
    #[must_use]
    pub fn is_retry_safe(&self) -> bool {
        match self {
            Self::NotSent { reason, .. } => reason.may_pass(),
            Self::Busy { .. } | Self::Redirects { .. } => true,
            Self::Timeout { sent, .. } => !sent,
            Self::Server(error) => error.is_retry_safe(),
            Self::MaybeExecuted { .. } | Self::Config(_) | Self::Request(_) | Self::Convert(_) | Self::Closed => false,
        }
    }

    /// Whether the command may have been executed although the call failed.
    #[must_use]
    pub fn may_have_executed(&self) -> bool {
        match self {
            Self::MaybeExecuted { .. } | Self::Convert(_) => true,
            Self::Timeout { sent, .. } => *sent,
            Self::Server(error) => error.may_have_executed(),
            _ => false,
        }
    }

    /// Whether the node, or the way to it, is to blame rather than the call: what a circuit breaker counts.
    #[must_use]
    pub fn is_node_fault(&self) -> bool {
        match self {
            Self::NotSent { .. } | Self::MaybeExecuted { .. } | Self::Timeout { .. } => true,
            Self::Server(error) => error.is_node_fault(),
            _ => false,
        }
    }

    /// The error's code if a node sent it: `WRONGTYPE`, `OOM` ….
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Server(error) => Some(error.code()),
            _ => None,
        }
    }
}

/// A limit of [`ClientError::Busy`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BusyLimit {
    /// Requests that wait for a reply.
    InFlight(usize),
    /// Bytes that wait to be written.
    QueuedBytes(usize),
    /// Connections of their own, for blocking commands.
    Connections(usize),
}

impl fmt::Display for BusyLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InFlight(count) => write!(f, "{count} requests in flight"),
            Self::QueuedBytes(bytes) => write!(f, "{bytes} bytes queued"),
            Self::Connections(count) => write!(f, "{count} blocking connections"),
        }
    }
}

/// What is wrong with a connection.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// The operating system's error.
    #[error("{text}")]
    Io {
        /// Its kind.
        kind: io::ErrorKind,
        /// Its words.
        text: Arc<str>,
    },
    /// Connecting and greeting took too long.
    #[error("no connection within {0:?}")]
    ConnectTimeout(Duration),
    /// The peer closed the connection.
    #[error("the node closed the connection")]
    ClosedByPeer,
    /// Requests waited, and for so long not a byte came.
    #[error("silent for {0:?} with requests outstanding")]
    Silent(Duration),
    /// What the node sent isn't RESP, or beyond the limits.
    #[error("malformed reply: {0}")]
    Malformed(#[from] DecodeError),
    /// A reply came that no request had asked for.
    #[error("a reply without a request")]
    Unexpected,
    /// The node refused the greeting: a wrong password, a database that doesn't exist, too many clients.
    #[error("the node refused the connection: {0}")]
    Refused(ServerError),
    /// The node's certificate cannot be trusted: of an unknown authority, for another name, expired.
    #[error("{0}; check the authorities that the client was given, and that the seed is a name in the certificate")]
    Certificate(Arc<str>),
    /// The node and this client agree on no TLS.
    #[error("TLS: {0}; is it a port for TLS?")]
    Tls(Arc<str>),
    /// An earlier attempt failed a moment ago; the next one is due soon.
    #[error("not reachable a moment ago ({0})")]
    BackingOff(Arc<str>),
    /// The connection was shut down by this side.
    #[error("the connection was shut down")]
    ShutDown,
}

impl LinkError {
    /// Whether waiting helps: a wrong password stays wrong, and so does a certificate.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Refused(error) => !error.is_credentials(),
            Self::Certificate(_) | Self::Tls(_) => false,
            _ => true,
        }
    }
}

impl From<io::Error> for LinkError {
    fn from(error: io::Error) -> Self {
        Self::Io { kind: error.kind(), text: error.to_string().into() }
    }
}

/// A call that no node could answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The keys are in different slots, and the command cannot be split.
    #[error("the keys of {0} are in different slots; give them one hash tag, as in {{user1}}.a and {{user1}}.b")]
    CrossSlot(String),
    /// The number of keys or arguments contradicts the command's form.
    #[error("wrong arguments for {0}")]
    Arguments(String),
    /// The command, encoded, is longer than any node takes.
    #[error("the command has {len} bytes; the limit is {limit}")]
    TooLarge {
        /// Its length in bytes.
        len: usize,
        /// The limit.
        limit: usize,
    },
    /// The command changes the state of its connection, which is shared with other tasks.
    #[error("{0} changes the connection, which others share: {1}")]
    ChangesConnection(String, &'static str),
}

/// What the client was given to start from is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A seed isn't an address.
    #[error("seed {seed:?}: {problem}; write it as host:port or redis://user:password@host:port/db")]
    Seed {
        /// What was given, the password left out.
        seed: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// There are no seeds.
    #[error("no seed was given; name at least one node")]
    NoSeeds,
    /// Seeds contradict each other.
    #[error("the seeds differ in {0}; they must be nodes of one cluster")]
    SeedsDiffer(&'static str),
    /// `rediss://` without the feature.
    #[error("rediss:// needs the crate's feature `tls`")]
    NoTls,
    /// TLS cannot be set up.
    #[error("TLS: {0}")]
    Tls(&'static str),
    /// A limit makes no sense.
    #[error("{name}: {problem}")]
    Value {
        /// The setting.
        name: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
}

#[cfg(test)]
mod tests;
