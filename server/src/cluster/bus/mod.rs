//! Connections between nodes.
//!
//! | module | holds |
//! |---|---|
//! | [`accept`] | the accepting side of the handshake |
//! | [`control`] | the messages of the control plane |
//! | [`credentials`] | what this node says of itself and proves |
//! | [`dial`] | the dialling side of the handshake |
//! | [`links`] | sending control messages to members |
//! | [`listener`] | who connects, and to whom the connection is given |
//! | [`quiet`] | one log line a minute per source of trouble |

pub mod accept;
pub mod control;
pub mod credentials;
pub mod dial;
mod link;
pub mod links;
pub mod listener;
pub mod quiet;
#[cfg(test)]
mod tests;
