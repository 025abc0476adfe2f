//! One file (or folder) for every subcommand.

pub mod avalanche;
pub mod client;
pub mod compare;
pub mod expire;
pub mod hitratio;
pub mod lookaside;
pub mod pairs;
pub mod pressure;
pub mod replay;
pub mod run;
pub mod servers;
