//! Slots: the 16,384 parts that the keyspace is dealt out in, computed exactly as Redis Cluster does.

/// How many slots there are.
pub const SLOTS: u16 = 16384;

/// The slot of a key: CRC16 of the key, or of its hash tag if it has one, modulo [`SLOTS`].
///
/// The hash tag is what stands between the first `{` and the first `}` behind it, unless that is nothing; it lets
/// users keep related keys together: `{user1000}.followers` and `{user1000}.following` share a slot.
#[inline]
#[must_use]
pub fn slot_of(key: &[u8]) -> u16 {
    let (crc, has_brace) = crc16_and_brace(key);
    let crc = if has_brace { crc16(hashed_part(key)) } else { crc };
    crc & (SLOTS - 1)
}

/// What of a key decides its slot: the hash tag, or else all of it.
#[cold]
#[must_use]
pub fn hashed_part(key: &[u8]) -> &[u8] {
    let tag = || {
        let open = key.iter().position(|byte| *byte == b'{')?;
        let behind = key.get(open + 1..)?;
        let close = behind.iter().position(|byte| *byte == b'}')?;
        behind.get(..close).filter(|tag| !tag.is_empty())
    };
    tag().unwrap_or(key)
}

/// CRC16 in its XMODEM form (polynomial 0x1021, initial value 0, no reflection).
#[must_use]
pub fn crc16(bytes: &[u8]) -> u16 {
    crc16_and_brace(bytes).0
}

/// The checksum, and whether there is a `{`, in one pass of eight bytes a step.
#[inline]
fn crc16_and_brace(bytes: &[u8]) -> (u16, bool) {
    // Leading zeros don't change a checksum that starts at zero, so the odd bytes go first, padded to a whole word.
    let odd = bytes.len() % 8;
    let (head, words) = bytes.split_at(odd);
    let first = match bytes.first_chunk::<8>() {
        // Shifting by 64 when nothing is odd would overflow.
        Some(chunk) if odd > 0 => u64::from_be_bytes(*chunk) >> (64 - 8 * odd),
        _ => head.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    };
    let mut crc = if odd > 0 { crc16_step(0, first) } else { 0 };
    let mut braces = zero_bytes(first ^ BRACES);
    let (chunks, _) = words.as_chunks::<8>();
    for chunk in chunks {
        let word = u64::from_be_bytes(*chunk);
        crc = crc16_step(crc, word);
        braces |= zero_bytes(word ^ BRACES);
    }
    (crc, braces != 0)
}

const BRACES: u64 = u64::from_ne_bytes([b'{'; 8]);

/// Non-zero exactly if one of the word's bytes is zero.
#[inline(always)]
const fn zero_bytes(word: u64) -> u64 {
    const LOW_BITS: u64 = u64::from_ne_bytes([0x01; 8]);
    const HIGH_BITS: u64 = u64::from_ne_bytes([0x80; 8]);
    word.wrapping_sub(LOW_BITS) & !word & HIGH_BITS
}

/// Takes the eight bytes of a big-endian word into the checksum.
#[inline(always)]
fn crc16_step(crc: u16, word: u64) -> u16 {
    let [a, b, c, d, e, f, g, h] = (word ^ u64::from(crc) << 48).to_be_bytes();
    let table = |zeros: usize, byte: u8| TABLES[zeros][usize::from(byte)];
    table(7, a) ^ table(6, b) ^ table(5, c) ^ table(4, d) ^ table(3, e) ^ table(2, f) ^ table(1, g) ^ table(0, h)
}

/// `TABLES[zeros][byte]` is the checksum of a byte that is followed by so many zero bytes.
static TABLES: [[u16; 256]; 8] = tables();

const fn tables() -> [[u16; 256]; 8] {
    let mut tables = [[0u16; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = (byte as u16) << 8;
        let mut zeros = 0;
        while zeros < 8 {
            let mut bit = 0;
            while bit < 8 {
                crc = if crc & 0x8000 != 0 { crc << 1 ^ 0x1021 } else { crc << 1 };
                bit += 1;
            }
            tables[zeros][byte] = crc;
            zeros += 1;
        }
        byte += 1;
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::{SLOTS, crc16, slot_of};
    use proptest::prelude::*;

    /// The checksum by its definition, bit by bit.
    fn crc16_by_bits(bytes: &[u8]) -> u16 {
        let mut crc = 0u16;
        for byte in bytes {
            crc ^= u16::from(*byte) << 8;
            for _ in 0..8 {
                crc = if crc & 0x8000 != 0 { crc << 1 ^ 0x1021 } else { crc << 1 };
            }
        }
        crc
    }

    #[test]
    fn the_checksum_is_xmodems() {
        assert_eq!(crc16(b"123456789"), 0x31C3);
    }

    #[test]
    fn slots_are_those_of_redis_cluster() {
        assert_eq!(slot_of(b""), 0);
        assert_eq!(slot_of(b"foo"), 12182);
        assert_eq!(slot_of(b"bar"), 5061);
        assert_eq!(slot_of(b"{user1000}.following"), slot_of(b"user1000"));
        assert_eq!(slot_of(b"{user1000}.following"), 3443);
    }

    #[test]
    fn only_the_first_tag_counts_and_only_if_it_holds_something() {
        let whole = |key: &[u8]| crc16_by_bits(key) % SLOTS;
        assert_eq!(slot_of(b"foo{}{bar}"), whole(b"foo{}{bar}"));
        assert_eq!(slot_of(b"foo{{bar}}zap"), whole(b"{bar"));
        assert_eq!(slot_of(b"foo{bar}{zap}"), whole(b"bar"));
        assert_eq!(slot_of(b"foo{bar"), whole(b"foo{bar"));
        assert_eq!(slot_of(b"}foo{bar}"), whole(b"bar"));
    }

    proptest! {
        #[test]
        fn any_bytes_give_the_checksum_of_its_definition(bytes in prop::collection::vec(any::<u8>(), 0..70)) {
            prop_assert_eq!(crc16(&bytes), crc16_by_bits(&bytes));
        }

        #[test]
        fn keys_around_a_tag_share_its_slot(
            before in "[^{]{0,12}", tag in "[^}]{1,12}", behind in ".{0,12}",
        ) {
            prop_assert_eq!(slot_of(format!("{before}{{{tag}}}{behind}").as_bytes()), crc16(tag.as_bytes()) % SLOTS);
        }
    }
}
