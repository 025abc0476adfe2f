//! What a node tells those whose clients keep copies of its keys.

use super::{ForwardError, Reader};

/// An INVALIDATE frame: which copies are stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invalidation<'a> {
    /// Of nothing yet: the answer to TRACK. From here on every change is told; those before it were not.
    Begun,
    /// Of everything.
    All,
    /// Of one key.
    Key(&'a [u8]),
    /// Of one key, whose change a client made that does not want to hear of its own (NOLOOP): by the origin that numbers its
    /// requests, and its id there.
    KeyBy((u64, u64), &'a [u8]),
}

mod what {
    pub(super) const BEGUN: u8 = 0;
    pub(super) const ALL: u8 = 1;
    pub(super) const KEY: u8 = 2;
    pub(super) const KEY_BY: u8 = 3;
}

impl<'a> Invalidation<'a> {
    /// Appends the payload to `buf`.
    pub fn encode(&self, buf: &mut Vec<u8>) {
        match self {
            Self::Begun => buf.push(what::BEGUN),
            Self::All => buf.push(what::ALL),
            Self::Key(key) => {
                buf.push(what::KEY);
                buf.extend_from_slice(key);
            }
            Self::KeyBy((origin, client), key) => {
                buf.push(what::KEY_BY);
                buf.extend_from_slice(&origin.to_le_bytes());
                buf.extend_from_slice(&client.to_le_bytes());
                buf.extend_from_slice(key);
            }
        }
    }

    /// Reads a payload.
    ///
    /// # Errors
    /// It is cut short, longer than it may be, or of an unknown kind.
    pub fn decode(payload: &'a [u8]) -> Result<Self, ForwardError> {
        let mut reader = Reader(payload);
        match reader.u8()? {
            what::BEGUN => reader.end().map(|()| Self::Begun),
            what::ALL => reader.end().map(|()| Self::All),
            what::KEY => Ok(Self::Key(reader.0)),
            what::KEY_BY => Ok(Self::KeyBy((reader.u64()?, reader.u64()?), reader.0)),
            other => Err(ForwardError::UnknownInvalidation(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalidation_comes_back() {
        let keys = [Invalidation::Key(b"k"), Invalidation::Key(b""), Invalidation::KeyBy((1, 2), b"k")];
        for told in [Invalidation::Begun, Invalidation::All].into_iter().chain(keys) {
            let mut buf = Vec::new();
            told.encode(&mut buf);
            assert_eq!(Invalidation::decode(&buf), Ok(told));
        }
    }

    #[test]
    fn a_malformed_invalidation_is_refused() {
        assert_eq!(Invalidation::decode(b""), Err(ForwardError::CutShort));
        assert_eq!(Invalidation::decode(b"\x01x"), Err(ForwardError::Trailing));
        assert_eq!(Invalidation::decode(b"\x09"), Err(ForwardError::UnknownInvalidation(9)));
    }
}
