//! rondache-bench
