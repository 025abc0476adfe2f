//! The Rust client of Rondache, for services that want its cache without an extra hop.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let settings = rondache_server::config::settings::Settings { listen: vec!["127.0.0.1:0".parse()?], threads: 1, ..Default::default() };
//! # let node = rondache_server::node::Node::start(settings)?;
//! # let address = node.addr().to_string();
//! use std::time::Duration;
//!
//! let client = rondache_client::Client::builder().seeds([address]).build().await?;
//! client.set_for("user:7", "Ann", Duration::from_secs(600)).await?;
//! let name: Option<String> = client.get("user:7").await?;
//! assert_eq!(name.as_deref(), Some("Ann"));
//! # Ok(()) }
//! ```
//!
//! | for | use |
//! |---|---|
//! | connecting | [`Client::builder`]; any one node will do |
//! | a command | a method of [`Client`], or [`Cmd`] with [`Client::query`] |
//! | many commands | [`Client::pipeline`], dealt out to the owners; [`Client::transaction`] on one slot |
//! | walking keys | [`Client::scan`] and its kin |
//! | messages | [`Client::subscribe`] and its kin |
//! | failures | [`ClientError`], which tells what may have happened |
//!
//! # How a call travels
//!
//! The client learns from any node who owns which slot, and sends each command straight to the owner of its key. All tasks
//! share one pipelined connection to a node; what they send at the same time goes out in one write. Commands that wait on
//! the server get connections of their own.
//!
//! A call has one deadline, 3 seconds unless set otherwise. Within it the client follows redirections, and tries again,
//! with jittered pauses and within a budget, what is safe to try again: what was never sent, what a node refused for the
//! moment, and, where nobody knows whether it was executed, commands that may be executed twice
//! ([`Cmd::is_idempotent`]). When an owner cannot be reached, another node's main port is asked, which answers for every
//! key. Who stops waiting (by dropping a call's future, or by a timeout of his own) disturbs nobody; the command may have
//! been executed all the same.

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
mod local;
pub mod metrics;
pub mod near;
mod pipeline;
pub mod policy;
mod pubsub;
mod reads;
mod scan;
mod topology;
mod trace;
mod transaction;

/// The guide, whose examples are compiled and run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Guide;

pub use builder::ClientBuilder;
pub use bytes::Bytes;
pub use client::Client;
pub use cmd::{Cmd, ToArg};
pub use commands::{Condition, Expiry, GeoOrder, GeoShape, GeoUnit, ScoreUpdate, SetOptions, Side, ZAdd};
pub use config::WhenBusy;
pub use conn::ConnectionObserver;
pub use convert::{ConvertError, FromValue};
pub use error::{BusyLimit, ClientError, ConfigError, LinkError, RequestError, ServerError, ServerErrorKind};
pub use local::LocalExecutor;
pub use pipeline::Pipeline;
pub use pubsub::{Message, Subscription, SubscriptionEvent};
pub use rondache_protocol::resp::value::Value;
pub use scan::Scan;
/// The TLS library whose settings [`ClientBuilder::tls`] takes, in the version that it takes them in.
#[cfg(feature = "tls")]
pub use tokio_rustls::rustls;
pub use transaction::Transaction;
