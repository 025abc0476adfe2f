//! Hashes, with optional deadlines per field.
