//! rondache-cluster-tests
