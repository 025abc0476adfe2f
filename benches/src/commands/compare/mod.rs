//! `rondache-bench compare`.
