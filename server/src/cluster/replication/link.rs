//! A stream over a connection.
