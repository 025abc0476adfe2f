//! Tests of clusters of Rondache nodes. The cluster is not written yet; what is here so far is a test of the sources' style.
//!
//! This crate will hold a simulation, in which a whole cluster runs in one thread on virtual time, with a seeded network
//! that delays, loses and cuts, and nodes that freeze, die and come back; the checkers that judge such a run (is each
//! key linearizable, was an acknowledged write lost, do all nodes come to agree); and tests that start real processes on
//! loopback and hold the simulation against them.
