//! Hashs.
