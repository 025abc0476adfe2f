//! A near cache: values in this process's memory, dropped the moment that a node says they have changed.
//!
//! ```no_run
//! # use rondache_client::{Client, near::{NearCache, NearConfig}};
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let near = NearCache::connect(Client::builder().seeds(["127.0.0.1:6379"]), NearConfig::default()).await?;
//! let first = near.get("greeting").await?; // from the node
//! let second = near.get("greeting").await?; // from memory, in less than a microsecond
//! # drop((first, second)); Ok(())
//! # }
//! ```
//!
//! It has a client of its own, whose connections ask the nodes to report changes (`CLIENT TRACKING`); reading through
//! other clients does not burden the nodes' tables.
//!
//! What makes sure that no change is missed:
//!
//! | doubt | answer |
//! |---|---|
//! | the value changes while it is on its way here | it is not kept (`fills.rs`) |
//! | a connection is lost, or made anew | all that was read from its node is dropped, at once and without a walk (`node.rs`) |
//! | a connection is silently dead | entries are answered only while their node has proven within `max_staleness` that its connection is alive (`keeper.rs`) |
//! | everything was flushed, or the node's table overflowed | all that was read from the node is dropped |
//! | slots move to another node | all that was read from both nodes is dropped, when the client learns of it; a giver also reports what it gives away |
//! | the key expires, and the node hasn't noticed yet | the entry lives no longer than the key |
//! | this process changes a key | the entry is dropped before and after |

mod cache;
mod client_source;
mod config;
mod entry;
mod fills;
mod hasher;
mod keeper;
mod node;
mod observer;
mod reader;
mod source;
mod store;

pub use cache::{NearCache, NearSnapshot};
pub use config::{NearConfig, Tracking};

#[cfg(test)]
mod tests;
