//! Key names of an exact size.

use crate::error::{BenchError, Result};
use crate::net::encode::push_bulk_header;

const PREFIX: &[u8] = b"key:";

/// Formats key numbers as names of exactly `key_size` bytes: a short prefix where it fits, then zero-padded digits.
#[derive(Debug, Clone)]
pub struct KeyFormat {
    /// The bulk header, the prefix, and zeros up to the full key size, ready to be copied.
    template: Vec<u8>,
    key_size: usize,
}

impl KeyFormat {
    /// A format for keys `0..keyspace`.
    ///
    /// # Errors
    /// [`BenchError::Usage`] when the largest number does not fit into `key_size` bytes.
    pub fn new(key_size: usize, keyspace: u64) -> Result<Self> {
        let digits = keyspace.saturating_sub(1).max(1).ilog10() as usize + 1;
        if key_size < digits {
            return Err(BenchError::Usage(format!(
                "--key-size {key_size} is too small for {keyspace} keys: {digits} digits are needed"
            )));
        }
        let mut template = Vec::new();
        push_bulk_header(&mut template, key_size);
        let header = template.len();
        if key_size >= digits + PREFIX.len() {
            template.extend_from_slice(PREFIX);
        }
        template.resize(header + key_size, b'0');
        Ok(Self { template, key_size })
    }

    /// Appends key `n` as a bulk string.
    pub fn push(&self, mut n: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.template);
        let mut at = out.len();
        while n > 0 {
            at -= 1;
            out[at] = b'0' + (n % 10) as u8;
            n /= 10;
        }
        out.extend_from_slice(b"\r\n");
    }

    /// The name of key `n`.
    pub fn name(&self, n: u64) -> String {
        let mut out = Vec::new();
        self.push(n, &mut out);
        let start = out.len() - 2 - self.key_size;
        String::from_utf8_lossy(&out[start..out.len() - 2]).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_exactly_the_size_asked_for() {
        let keys = KeyFormat::new(16, 1_000_000).expect("fits");
        assert_eq!(keys.name(0), "key:000000000000");
        assert_eq!(keys.name(999_999), "key:000000999999");
        let mut out = Vec::new();
        keys.push(42, &mut out);
        assert_eq!(out, b"$16\r\nkey:000000000042\r\n");
    }

    #[test]
    fn the_prefix_gives_way_to_digits_in_short_keys() {
        let keys = KeyFormat::new(6, 1_000_000).expect("fits");
        assert_eq!(keys.name(999_999), "999999");
        assert_eq!(KeyFormat::new(1, 10).expect("fits").name(9), "9");
    }

    #[test]
    fn a_key_size_below_the_digits_needed_is_refused() {
        assert!(KeyFormat::new(5, 1_000_000).is_err());
        assert!(KeyFormat::new(0, 1).is_err());
    }
}
