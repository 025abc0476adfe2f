//! The Rust client of Rondache.

mod attempts;
mod batch;
mod blocking;
mod builder;
pub mod cache;
mod call;
mod client;
mod cmd;
mod commands;
mod config;
mod conn;
mod convert;
mod error;
mod join;
pub mod metrics;
pub mod near;
mod pipeline;
pub mod policy;
mod pubsub;
mod scan;
mod topology;
mod transaction;

pub use builder::ClientBuilder;
pub use bytes::Bytes;
pub use client::Client;
pub use cmd::{Cmd, ToArg};
pub use commands::{Condition, Expiry, GeoOrder, GeoShape, GeoUnit, ScoreUpdate, SetOptions, Side, ZAdd};
pub use config::WhenBusy;
pub use conn::ConnectionObserver;
pub use convert::{ConvertError, FromValue};
pub use error::{BusyLimit, ClientError, ConfigError, LinkError, RequestError, ServerError, ServerErrorKind};
pub use pipeline::Pipeline;
pub use pubsub::{Message, Subscription, SubscriptionEvent};
pub use rondache_protocol::resp::value::Value;
pub use scan::Scan;
pub use transaction::Transaction;
