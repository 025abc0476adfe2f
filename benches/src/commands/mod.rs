//! One file (or folder) for every subcommand.

pub mod compare;
pub mod lookaside;
pub mod replay;
pub mod run;
