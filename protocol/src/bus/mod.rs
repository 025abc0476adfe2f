//! What nodes say to each other.

pub mod frame;
pub mod identity;
pub mod replicate;
