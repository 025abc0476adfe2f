//! What nodes say to each other.

pub mod forward;
pub mod frame;
pub mod identity;
