//! RESP over sockets: encoding requests, skipping replies, and a small blocking client for housekeeping.

pub mod client;
pub mod encode;
pub mod skipper;
pub mod value;

pub use client::Client;
pub use skipper::{Reply, ReplySkipper};
pub use value::Value;
