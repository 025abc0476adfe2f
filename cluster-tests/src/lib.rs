//! Tests of clusters: real processes on loopback, driven and judged from outside.
//!
//! | module | holds |
//! |---|---|
//! | [`process`] | nodes as processes: started, killed, frozen, ended |
//! | [`ports`] | ports that are free, and their companions with them |
//! | [`wire`] | a connection that speaks RESP and hides nothing: every error and every pause is seen |
//! | [`load`] | clients that keep asking, and remember what was acknowledged |
//! | [`flood`] | clients that ask as fast as they get answers |
//! | [`open_loop`] | clients that ask at a fixed rate, whatever the answers do |
//! | [`progress`] | how far clients have come, for those who wait for them |
//! | [`netns`] | machines with a network of their own, whose cables can be pulled |
//! | [`scenario`] | what happens to a cluster, and what must hold then; used by the tests and by the `measure` program |

pub mod flood;
pub mod load;
pub mod netns;
pub mod open_loop;
pub mod ports;
pub mod process;
pub mod progress;
pub mod scenario;
pub mod wire;
