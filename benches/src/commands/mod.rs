//! One file (or folder) for every subcommand.

pub mod compare;
pub mod run;
