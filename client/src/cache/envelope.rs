//! What is stored with each value: how old it is, how long it is fresh and how long it took to load.
//!
//! ```text
//! offset  0      2        3      4      5       7            15              23             27            31
//!         magic  version  codec  flags  schema  created_ms   fresh_until_ms  load_time_us   checksum      payload …
//! bytes   2      1        1      1      2       8            8               4              4
//! ```
//! Numbers are little-endian; times are Unix time by the clock of the process that wrote them. The checksum is over
//! all bytes but its own.

use bytes::Bytes;
use xxhash_rust::xxh3::Xxh3Default;

const MAGIC: [u8; 2] = [0xc7, b'R'];
const VERSION: u8 = 1;
const CHECKSUM_AT: usize = 27;
const HEADER_LEN: usize = 31;
/// The flag of "the loader said that there is no value".
const ABSENT: u8 = 1;

/// A value as it lies in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Envelope {
    /// [`Codec::ID`](super::Codec::ID) of who wrote the payload.
    pub(crate) codec: u8,
    /// [`LoadOptions::schema`](super::LoadOptions::schema) of who wrote the payload.
    pub(crate) schema: u16,
    /// When it was loaded.
    pub(crate) created_ms: u64,
    /// Until when it is fresh; from then on it is stale.
    pub(crate) fresh_until_ms: u64,
    /// How long the loader took.
    pub(crate) load_time_us: u32,
    /// The encoded value; nothing if the loader said that there is none.
    pub(crate) payload: Option<Bytes>,
}

impl Envelope {
    /// The bytes to store.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let payload = self.payload.as_deref().unwrap_or_default();
        let mut bytes = Vec::with_capacity(HEADER_LEN + payload.len());
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&[VERSION, self.codec, if self.payload.is_none() { ABSENT } else { 0 }]);
        bytes.extend_from_slice(&self.schema.to_le_bytes());
        bytes.extend_from_slice(&self.created_ms.to_le_bytes());
        bytes.extend_from_slice(&self.fresh_until_ms.to_le_bytes());
        bytes.extend_from_slice(&self.load_time_us.to_le_bytes());
        let checksum = checksum(&bytes, payload);
        bytes.extend_from_slice(&checksum.to_le_bytes());
        bytes.extend_from_slice(payload);
        bytes
    }

    /// Reads stored bytes; nothing if they are no intact envelope of this version. Such a value counts as a miss.
    pub(crate) fn decode(bytes: &Bytes) -> Option<Self> {
        let payload = bytes.get(HEADER_LEN..)?;
        if bytes[..2] != MAGIC || bytes[2] != VERSION || bytes[4] & !ABSENT != 0 {
            return None;
        }
        let stored = u32::from_le_bytes(*bytes[CHECKSUM_AT..].first_chunk()?);
        if stored != checksum(&bytes[..CHECKSUM_AT], payload) {
            return None;
        }
        Some(Self {
            codec: bytes[3],
            schema: u16::from_le_bytes(*bytes[5..].first_chunk()?),
            created_ms: u64::from_le_bytes(*bytes[7..].first_chunk()?),
            fresh_until_ms: u64::from_le_bytes(*bytes[15..].first_chunk()?),
            load_time_us: u32::from_le_bytes(*bytes[23..].first_chunk()?),
            payload: (bytes[4] & ABSENT == 0).then(|| bytes.slice(HEADER_LEN..)),
        })
    }

    /// Whether the value is fresh.
    pub(crate) fn is_fresh(&self, now_ms: u64) -> bool {
        now_ms < self.fresh_until_ms
    }
}

fn checksum(header: &[u8], payload: &[u8]) -> u32 {
    let mut hasher = Xxh3Default::new();
    hasher.update(header);
    hasher.update(payload);
    hasher.digest() as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn envelope(payload: Option<Bytes>) -> Envelope {
        Envelope { codec: 1, schema: 3, created_ms: 1_000, fresh_until_ms: 2_000, load_time_us: 40_000, payload }
    }

    #[test]
    fn a_value_from_another_version_is_not_understood() {
        let mut bytes = envelope(Some(Bytes::from_static(b"value"))).encode();
        bytes[2] = VERSION + 1;
        assert_eq!(Envelope::decode(&Bytes::from(bytes)), None);
    }

    #[test]
    fn a_value_that_something_else_wrote_is_not_understood() {
        for bytes in [&b""[..], b"hello", &[0xc7; 100]] {
            assert_eq!(Envelope::decode(&Bytes::copy_from_slice(bytes)), None);
        }
    }

    #[test]
    fn an_empty_value_is_not_an_absent_one() {
        let empty = envelope(Some(Bytes::new()));
        assert_eq!(Envelope::decode(&Bytes::from(empty.encode())), Some(empty));
        let absent = envelope(None);
        assert_eq!(Envelope::decode(&Bytes::from(absent.encode())), Some(absent));
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_decoded(
            codec: u8, schema: u16, created_ms: u64, fresh_until_ms: u64, load_time_us: u32,
            payload in prop::option::of(prop::collection::vec(any::<u8>(), 0..100))
        ) {
            let payload = payload.map(Bytes::from);
            let envelope = Envelope { codec, schema, created_ms, fresh_until_ms, load_time_us, payload };
            prop_assert_eq!(Envelope::decode(&Bytes::from(envelope.encode())), Some(envelope));
        }

        #[test]
        fn one_changed_byte_is_noticed(at: prop::sample::Index, xor in 1u8..) {
            let mut bytes = envelope(Some(Bytes::from_static(b"the value"))).encode();
            let at = at.index(bytes.len());
            bytes[at] ^= xor;
            prop_assert_eq!(Envelope::decode(&Bytes::from(bytes)), None);
        }
    }
}
