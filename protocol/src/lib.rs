//! rondache-protocol
