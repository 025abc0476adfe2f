//! Small pure helpers that several commands share.

pub mod crc64;
pub mod glob;
pub mod lcs;
pub mod number;
