//! HyperLogLog cardinality estimation.
