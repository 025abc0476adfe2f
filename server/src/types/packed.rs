//! Flat, compact encoding shared by small collections.
