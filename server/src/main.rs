//! The `rondache` binary.

fn main() {}
