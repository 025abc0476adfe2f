//! rondache-client
