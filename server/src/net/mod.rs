//! Sockets and threads.
//!
//! ```text
//! control thread: accepts ──► worker 0: runtime ── connection tasks ──► session::batch ──► store
//!                         └─► worker 1: …            (read, execute, write: never another thread)
//! ```

pub(crate) mod admin;
pub mod connection;
pub(crate) mod entry;
pub(crate) mod housekeeping;
pub mod listener;
pub(crate) mod running;
pub mod worker;
