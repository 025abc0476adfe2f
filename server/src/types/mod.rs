//! The value types of the keyspace as plain containers: no store, no protocol, no clock and no entropy of their own.

pub mod bytestr;
pub mod geo;
pub mod hash;
pub mod hyperloglog;
pub mod indexed;
pub mod item;
pub mod limits;
pub mod list;
pub mod packed;
pub(crate) mod sample;
pub mod set;
pub mod zset;
