//! What nodes say to each other.
//!
//! | module | holds |
//! |---|---|
//! | [`codec`] | messages as bytes: the one place that knows the serialization library |
//! | [`forward`] | requests for slots that others own, and their replies |
//! | [`frame`] | how messages and bulk data are cut into frames with a length and a checksum |
//! | [`hello`] | the handshake that opens every connection between nodes |
//! | [`identity`] | who a node is, apart from where it is |
//! | [`replicate`] | streams of effects from owners to copies, and their answers |
//! | [`secret`] | what proves that two nodes belong together |

pub mod codec;
pub mod forward;
pub mod frame;
pub mod hello;
pub mod identity;
pub mod replicate;
pub mod secret;
