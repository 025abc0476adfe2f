//! Longest common subsequence.
