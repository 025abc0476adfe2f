//! Errors that nodes send.

use std::fmt;

/// An error reply: a code and a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerError {
    text: Box<str>,
    kind: ServerErrorKind,
}

/// What an error reply means for the call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServerErrorKind {
    /// Another node owns the slot.
    Moved {
        /// The slot.
        slot: u16,
        /// Where its owner listens; without a host, at the same host.
        addr: Box<str>,
    },
    /// Another node has the key for now.
    Ask {
        /// The slot.
        slot: u16,
        /// Where to ask.
        addr: Box<str>,
    },
    /// The keys of a command are being moved; soon they are in one place again.
    TryAgain,
    /// The cluster cannot serve the slot now.
    ClusterDown,
    /// The node is starting.
    Loading,
    /// The node copies from a master that it has lost.
    MasterDown,
    /// The node doesn't accept writes.
    ReadOnly,
    /// Too few copies are in step to accept the write.
    NoReplicas,
    /// No memory is left for the write.
    OutOfMemory,
    /// A command was executed, but nobody knows how it ended.
    OutcomeUnknown,
    /// Keys in different slots.
    CrossSlot,
    /// The key holds another type.
    WrongType,
    /// No login, or not enough rights.
    Credentials,
    /// The transaction was refused because one of its commands was.
    ExecAborted,
    /// A script blocks the node.
    Busy,
    /// Any other.
    Other,
}

impl ServerError {
    /// Reads an error reply.
    #[must_use]
    pub fn parse(text: &[u8]) -> Self {
        let text = String::from_utf8_lossy(text);
        let (code, rest) = text.split_once(' ').unwrap_or((&text, ""));
        let kind = match code {
            "MOVED" => redirection(rest, |slot, addr| ServerErrorKind::Moved { slot, addr }),
            "ASK" => redirection(rest, |slot, addr| ServerErrorKind::Ask { slot, addr }),
            "TRYAGAIN" => ServerErrorKind::TryAgain,
            "CLUSTERDOWN" => ServerErrorKind::ClusterDown,
            "LOADING" => ServerErrorKind::Loading,
            "MASTERDOWN" => ServerErrorKind::MasterDown,
            "READONLY" => ServerErrorKind::ReadOnly,
            "NOREPLICAS" => ServerErrorKind::NoReplicas,
            "OOM" => ServerErrorKind::OutOfMemory,
            "UNKNOWN" | "OUTCOMEUNKNOWN" => ServerErrorKind::OutcomeUnknown,
            "CROSSSLOT" => ServerErrorKind::CrossSlot,
            "WRONGTYPE" => ServerErrorKind::WrongType,
            "WRONGPASS" | "NOAUTH" | "NOPERM" => ServerErrorKind::Credentials,
            "EXECABORT" => ServerErrorKind::ExecAborted,
            "BUSY" => ServerErrorKind::Busy,
            _ if rest.contains("outcome unknown") || rest.contains("outcome is unknown") => {
                ServerErrorKind::OutcomeUnknown
            }
            _ => ServerErrorKind::Other,
        };
        Self { text: text.into(), kind }
    }

    /// The first word: `ERR`, `WRONGTYPE`, `MOVED` ….
    #[must_use]
    pub fn code(&self) -> &str {
        self.text.split(' ').next().unwrap_or_default()
    }

    /// The whole reply, its code first.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it means.
    #[must_use]
    pub fn kind(&self) -> &ServerErrorKind {
        &self.kind
    }

    /// Whether the command was certainly not executed, and the refusal is of a kind that passes.
    #[must_use]
    pub fn is_retry_safe(&self) -> bool {
        use ServerErrorKind as Kind;
        matches!(
            self.kind,
            Kind::Moved { .. }
                | Kind::Ask { .. }
                | Kind::TryAgain
                | Kind::ClusterDown
                | Kind::Loading
                | Kind::MasterDown
                | Kind::ReadOnly
                | Kind::Busy
        )
    }

    /// Whether the command may have been executed nevertheless.
    #[must_use]
    pub fn may_have_executed(&self) -> bool {
        self.kind == ServerErrorKind::OutcomeUnknown
    }

    /// Whether the node is in a bad state, rather than the command wrong.
    #[must_use]
    pub fn is_node_fault(&self) -> bool {
        use ServerErrorKind as Kind;
        matches!(self.kind, Kind::ClusterDown | Kind::Loading | Kind::MasterDown | Kind::OutcomeUnknown | Kind::Busy)
    }

    /// Whether login or rights are missing, which no repetition changes.
    #[must_use]
    pub fn is_credentials(&self) -> bool {
        self.kind == ServerErrorKind::Credentials
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for ServerError {}

/// `SLOT HOST:PORT`; what cannot be read isn't followed.
fn redirection(rest: &str, kind: impl FnOnce(u16, Box<str>) -> ServerErrorKind) -> ServerErrorKind {
    let mut words = rest.split(' ');
    let slot = words.next().and_then(|word| word.parse().ok()).filter(|slot| *slot < rondache_protocol::slot::SLOTS);
    match (slot, words.next()) {
        (Some(slot), Some(addr)) if addr.contains(':') => kind(slot, addr.into()),
        _ => ServerErrorKind::Other,
    }
}
