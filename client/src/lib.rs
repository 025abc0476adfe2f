//! The Rust client of Rondache.

mod builder;
mod client;
mod cmd;
mod config;
mod conn;
mod convert;
mod error;

pub use builder::ClientBuilder;
pub use bytes::Bytes;
pub use client::Client;
pub use cmd::{Cmd, ToArg};
pub use config::WhenBusy;
pub use conn::ConnectionObserver;
pub use convert::{ConvertError, FromValue};
pub use error::{BusyLimit, ClientError, ConfigError, LinkError, RequestError, ServerError, ServerErrorKind};
pub use rondache_protocol::resp::value::Value;
