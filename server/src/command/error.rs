//! Why a command failed, and what the client reads.

use std::borrow::Cow;

use crate::store::object::WrongType;

/// A command's failure: its text on the wire begins with the error code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// The options don't fit together or are unknown.
    #[error("ERR syntax error")]
    Syntax,
    /// An argument (or a stored value) is not a 64-bit integer.
    #[error("ERR value is not an integer or out of range")]
    NotInteger,
    /// An argument (or a stored value) is not a float.
    #[error("ERR value is not a valid float")]
    NotFloat,
    /// The key holds another type than the command works on.
    #[error(transparent)]
    WrongType(#[from] WrongType),
    /// The command needs a key that is there.
    #[error("ERR no such key")]
    NoSuchKey,
    /// An index behind either end.
    #[error("ERR index out of range")]
    IndexOutOfRange,
    /// Wrong number of arguments; carries the command's full name, such as `config|get`.
    #[error("ERR wrong number of arguments for '{0}' command")]
    Arity(Cow<'static, str>),
    /// A TTL that is zero, negative or overflows; carries the command's name.
    #[error("ERR invalid expire time in '{0}' command")]
    InvalidExpire(Cow<'static, str>),
    /// The write would go beyond `maxmemory`.
    #[error("OOM command not allowed when used memory > 'maxmemory'.")]
    OutOfMemory,
    /// The connection has yet to authenticate.
    #[error("NOAUTH Authentication required.")]
    NoAuth,
    /// The transaction had a command that could not be queued.
    #[error("EXECABORT Transaction discarded because of previous errors.")]
    ExecAbort,
    /// The reply would outgrow what a value may be.
    #[error("ERR the reply exceeds the maximum allowed size (proto-max-bulk-len)")]
    ReplyTooLarge,
    /// Any other failure: the text with its code, such as `ERR …` or `BUSYKEY …`.
    #[error("{0}")]
    Other(Cow<'static, str>),
}

impl CommandError {
    /// An error with the generic code `ERR`.
    pub fn err(text: impl std::fmt::Display) -> Self {
        Self::Other(Cow::Owned(format!("ERR {text}")))
    }

    /// An error whose text begins with its own code.
    pub const fn coded(text: &'static str) -> Self {
        Self::Other(Cow::Borrowed(text))
    }

    /// The first word of the text: what clients dispatch on.
    #[must_use]
    pub fn code(&self) -> Cow<'static, str> {
        match self {
            Self::WrongType(_) => Cow::Borrowed("WRONGTYPE"),
            Self::OutOfMemory => Cow::Borrowed("OOM"),
            Self::NoAuth => Cow::Borrowed("NOAUTH"),
            Self::ExecAbort => Cow::Borrowed("EXECABORT"),
            Self::Other(text) => Cow::Owned(text.split(' ').next().unwrap_or("ERR").to_owned()),
            _ => Cow::Borrowed("ERR"),
        }
    }

    /// Whether the same command may succeed later without the client changing it. Nothing was executed in either case.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::OutOfMemory)
            || matches!(self.code().as_ref(), "TRYAGAIN" | "BUSY" | "LOADING" | "NOREPLICAS")
    }
}

impl From<rondache_protocol::resp::request::ProtocolError> for CommandError {
    fn from(error: rondache_protocol::resp::request::ProtocolError) -> Self {
        Self::err(format_args!("Protocol error: {error}"))
    }
}
