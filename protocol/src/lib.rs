//! What the nodes and the clients of Rondache say to each other, as pure functions over bytes: no runtime, no I/O.
//!
//! | module | holds |
//! |---|---|
//! | [`bus`] | what nodes say to each other |
//! | [`command`] | every command: arity, flags, keys, family, documentation |
//! | [`resp`] | RESP2 and RESP3: requests in, replies out, and the reverse for clients |
//! | [`slot`] | which of the 16,384 slots a key belongs to |

pub mod bus;
pub mod command;
pub mod resp;
pub mod slot;
