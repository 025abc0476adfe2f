//! What nodes say to each other.

pub mod identity;
pub mod replicate;
