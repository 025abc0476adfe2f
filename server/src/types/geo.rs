//! Geohashes and distances.
