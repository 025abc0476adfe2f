//! Configuration: what a node is started with, and what may change while it runs.
//!
//! [`parameters`] is the one table of names, forms and defaults; the command line, the environment, the file and
//! `CONFIG SET` all go through it, and [`settings`] is what they fill.

pub(crate) mod cli;
pub mod cluster;
mod env;
mod file;
pub mod parameters;
pub mod reference;
pub(crate) mod rewrite;
pub mod settings;
pub mod sizes;
pub mod source;
pub mod suggest;

pub use source::ConfigError;
