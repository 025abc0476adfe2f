//! The Rust client of Rondache: not written yet, so this crate exports nothing.
//!
//! It will hold a client that knows the cluster as the nodes do: it keeps the slot table up to date from any node's
//! answers, sends each command straight to the owner of its key, pipelines what many tasks ask for on one connection per
//! node, and retries what the command table says may be retried. On top of that come a near cache that the nodes'
//! invalidations keep fresh, and a look-aside helper that loads a missing value once however many tasks ask for it. Until
//! then every Redis client works with a node unchanged.

pub mod policy;
