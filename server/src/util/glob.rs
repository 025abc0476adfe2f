//! Glob patterns as KEYS, SCAN and PSUBSCRIBE understand them.
