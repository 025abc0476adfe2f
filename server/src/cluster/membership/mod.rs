//! Who is a member, and how it is doing: SWIM gossip (by foca) without I/O, and what Rondache adds to it.
//!
//! Time, randomness and messages are handed in, datagrams and control messages come out, so that a simulation can drive
//! a thousand of them. Added to SWIM: what members say of themselves travels along; push-pull over the control links
//! repairs what datagrams lost; an address that refuses connections is dead at once.
//!
//! | module | holds |
//! |---|---|
//! | [`core`] | the state machine |
//! | `directory` | what members say of themselves, and how that spreads |
//! | [`exchange`] | push-pull: comparing two members' knowledge |
//! | `exits` | what foca wants done |
//! | `gossiper` | foca's idea of a member, and its bytes |
//! | `lives` | who is alive, suspect or dead, and since when |
//! | `output` | what the state machine wants done |
//! | `refusals` | who found whose address refusing connections |
//! | [`seal`] | authenticated datagrams |
//! | [`tuning`] | foca's settings for a cluster of some size |

pub mod core;
#[cfg(test)]
mod core_tests;
mod directory;
pub mod exchange;
mod exits;
mod gossiper;
mod hearsay;
mod lives;
mod output;
mod refusals;
pub mod seal;
#[cfg(test)]
pub(super) mod simulation;
#[cfg(test)]
mod simulation_tests;
pub mod tuning;
