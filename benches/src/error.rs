//! The one error type of the load generator.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Everything that can stop a run.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A socket, pipe or output operation failed.
    #[error("{context}: {source}")]
    Io {
        /// What was being done.
        context: String,
        /// The system's reason.
        source: io::Error,
    },
    /// The server closed a connection while replies were still due.
    #[error("{addr} closed a connection with {outstanding} replies outstanding")]
    ConnectionClosed {
        /// The server's address.
        addr: SocketAddr,
        /// Requests sent on that connection and not answered.
        outstanding: u64,
    },
    /// No reply arrived for a long time although some were due.
    #[error("{addr} sent nothing for {seconds} s with {outstanding} replies outstanding")]
    Stalled {
        /// The server's address.
        addr: SocketAddr,
        /// How long nothing was heard, in seconds.
        seconds: u64,
        /// Requests not answered.
        outstanding: u64,
    },
    /// The server sent bytes that are no RESP.
    #[error("malformed reply: {0}")]
    Protocol(String),
    /// The server answered a housekeeping command with an error.
    #[error("{command} was refused: {reply}")]
    Refused {
        /// The command, as sent.
        command: String,
        /// The error reply.
        reply: String,
    },
    /// A command-line value makes no sense.
    #[error("{0}")]
    Usage(String),
    /// A server could not be started or did not answer in time.
    #[error("server {name}: {reason}")]
    Server {
        /// The server's display name.
        name: String,
        /// What went wrong.
        reason: String,
    },
    /// Some measurements failed; the others have been reported.
    #[error("{failed} of the cells could not be measured; see above")]
    Incomplete {
        /// How many.
        failed: usize,
    },
    /// A trace file could not be read.
    #[error("trace {path}: {reason}")]
    Trace {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        reason: String,
    },
}

/// Shorthand used throughout the crate.
pub type Result<T> = std::result::Result<T, BenchError>;

/// Adds what was being done to an I/O error.
pub(crate) trait Context<T> {
    /// Wraps the error with `context`, built only when there is one.
    fn context(self, context: impl FnOnce() -> String) -> Result<T>;
}

impl<T> Context<T> for io::Result<T> {
    fn context(self, context: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|source| BenchError::Io { context: context(), source })
    }
}
