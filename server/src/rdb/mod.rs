//! Values in the format of Redis's RDB files, as DUMP and RESTORE exchange them.
//!
//! ```text
//! type (1 byte) | value | version (2 bytes, little endian) | CRC-64 of all before (8 bytes, little endian)
//! ```
//! What is written are the plain types, which every version of Redis and Valkey reads. What is read are all types that
//! Redis 2.6 to 7.2 and Valkey 7.2 to 9 write for strings, lists, sets, sorted sets and hashes. Nothing here trusts a
//! length: a value is built piece by piece from bytes that are there.

mod decode;
mod encode;
mod intset;
mod listpack;
mod lzf;
mod reader;
#[cfg(test)]
mod tests;
mod ziplist;

use crate::{
    store::{entry::Value, object::Object},
    types::limits::EncodingLimits,
    util::crc64,
};

/// The format's version in the footer: that of Redis 7.2 and Valkey 8.
const VERSION: u16 = 11;
/// Valkey 9's version, which is needed for hashes whose fields have deadlines.
const VERSION_FIELD_DEADLINES: u16 = 80;

/// The type bytes of values.
mod kind {
    pub(super) const STRING: u8 = 0;
    pub(super) const LIST: u8 = 1;
    pub(super) const SET: u8 = 2;
    pub(super) const ZSET_TEXT_SCORES: u8 = 3;
    pub(super) const HASH: u8 = 4;
    pub(super) const ZSET: u8 = 5;
    pub(super) const LIST_ZIPLIST: u8 = 10;
    pub(super) const SET_INTSET: u8 = 11;
    pub(super) const ZSET_ZIPLIST: u8 = 12;
    pub(super) const HASH_ZIPLIST: u8 = 13;
    pub(super) const LIST_OF_ZIPLISTS: u8 = 14;
    pub(super) const HASH_LISTPACK: u8 = 16;
    pub(super) const ZSET_LISTPACK: u8 = 17;
    pub(super) const LIST_OF_LISTPACKS: u8 = 18;
    pub(super) const SET_LISTPACK: u8 = 20;
    /// Valkey 9: fields with values and deadlines.
    pub(super) const HASH_FIELD_DEADLINES: u8 = 22;
}

/// A value that was read.
#[derive(Clone, Debug, PartialEq)]
pub enum Restored {
    /// A string.
    String(Vec<u8>),
    /// A collection; a hash may be empty, where all of its fields have expired.
    Object(Object),
}

/// Why a payload is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// The footer is missing, of an unknown version, or does not fit the rest.
    #[error("ERR DUMP payload version or checksum are wrong")]
    Footer,
    /// The checksum is right but the value is malformed, or of a type that is not known here.
    #[error("ERR Bad data format")]
    Format,
}

/// A value as a DUMP payload. Fields that have expired by `now_ms` are left out; `None`: nothing is left.
#[must_use]
pub fn dump(value: Value<'_>, now_ms: u64) -> Option<Vec<u8>> {
    let mut payload = Vec::new();
    let version = encode::value(&mut payload, value, now_ms)?;
    payload.extend_from_slice(&version.to_le_bytes());
    let checksum = crc64::checksum(&payload);
    payload.extend_from_slice(&checksum.to_le_bytes());
    Some(payload)
}

/// The value of a DUMP payload.
///
/// # Errors
/// See [`RestoreError`].
pub fn restore(payload: &[u8], limits: &EncodingLimits, now_ms: u64) -> Result<Restored, RestoreError> {
    let (checked, checksum) = payload.split_last_chunk::<8>().ok_or(RestoreError::Footer)?;
    let (body, version) = checked.split_last_chunk::<2>().ok_or(RestoreError::Footer)?;
    let version = u16::from_le_bytes(*version);
    // Versions between belong to Redis 8 and later, whose types have other meanings.
    if version > VERSION && version != VERSION_FIELD_DEADLINES {
        return Err(RestoreError::Footer);
    }
    if crc64::checksum(checked) != u64::from_le_bytes(*checksum) {
        return Err(RestoreError::Footer);
    }
    decode::value(body, limits, now_ms).map_err(|_| RestoreError::Format)
}
