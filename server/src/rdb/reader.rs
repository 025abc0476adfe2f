//! Reads the primitives: bytes, lengths, strings.

use std::borrow::Cow;

use super::lzf;

/// The bytes are not what the format asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// All compressed strings of one value may expand to so many bytes together: as much as a client may send at once.
const EXPANDED_LEN_MAX: usize = 512 * 1024 * 1024;

/// What remains to be read.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    expanded_len: usize,
}

enum Length {
    Plain(u64),
    /// The string that follows is encoded in this way.
    Encoded(u8),
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, expanded_len: 0 }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn bytes(&mut self, len: usize) -> Result<&'a [u8], Malformed> {
        let (bytes, rest) = self.rest.split_at_checked(len).ok_or(Malformed)?;
        self.rest = rest;
        Ok(bytes)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(Malformed)?;
        self.rest = rest;
        Ok(*bytes)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Malformed> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    pub(super) fn double(&mut self) -> Result<f64, Malformed> {
        Ok(f64::from_le_bytes(self.array()?))
    }

    /// A count of things to come. It is not to be trusted with an allocation.
    pub(super) fn len(&mut self) -> Result<usize, Malformed> {
        match self.length()? {
            Length::Plain(len) => usize::try_from(len).map_err(|_| Malformed),
            Length::Encoded(_) => Err(Malformed),
        }
    }

    fn length(&mut self) -> Result<Length, Malformed> {
        let first = self.byte()?;
        let low = u64::from(first & 0x3f);
        Ok(match first >> 6 {
            0 => Length::Plain(low),
            1 => Length::Plain(low << 8 | u64::from(self.byte()?)),
            2 if first == 0x80 => Length::Plain(u64::from(u32::from_be_bytes(self.array()?))),
            2 if first == 0x81 => Length::Plain(u64::from_be_bytes(self.array()?)),
            3 => Length::Encoded(first & 0x3f),
            _ => return Err(Malformed),
        })
    }

    /// A byte string, which may stand as an integer or compressed.
    pub(super) fn string(&mut self) -> Result<Cow<'a, [u8]>, Malformed> {
        let integer = match self.length()? {
            Length::Plain(len) => {
                return self.bytes(usize::try_from(len).map_err(|_| Malformed)?).map(Cow::Borrowed);
            }
            Length::Encoded(0) => i32::from(self.byte()? as i8),
            Length::Encoded(1) => i32::from(i16::from_le_bytes(self.array()?)),
            Length::Encoded(2) => i32::from_le_bytes(self.array()?),
            Length::Encoded(3) => return self.compressed().map(Cow::Owned),
            Length::Encoded(_) => return Err(Malformed),
        };
        Ok(Cow::Owned(itoa::Buffer::new().format(integer).as_bytes().to_vec()))
    }

    fn compressed(&mut self) -> Result<Vec<u8>, Malformed> {
        let (compressed_len, len) = (self.len()?, self.len()?);
        let compressed = self.bytes(compressed_len)?;
        let total = self.expanded_len.checked_add(len).filter(|&total| total <= EXPANDED_LEN_MAX).ok_or(Malformed)?;
        self.expanded_len = total;
        lzf::decompress(compressed, len).ok_or(Malformed)
    }
}
