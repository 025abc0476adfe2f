//! A byte string that keeps short contents inside itself.

use std::fmt;
use std::ops::Deref;

/// Longest contents that need no allocation, in bytes.
pub const INLINE_MAX: usize = 22;

/// An immutable byte string of 24 bytes that holds up to [`INLINE_MAX`] bytes inline and longer ones on the heap.
///
/// Members and fields of collections are mostly short: inline, they cost neither an allocation nor a second cache
/// miss.
#[derive(Clone)]
pub struct ByteStr(Repr);

#[derive(Clone)]
enum Repr {
    Inline { len: u8, bytes: [u8; INLINE_MAX] },
    Heap(Box<[u8]>),
}

const _: () = assert!(size_of::<ByteStr>() == 24);

impl ByteStr {
    /// Copies `bytes`.
    #[must_use]
    #[inline]
    pub fn new(bytes: &[u8]) -> Self {
        match u8::try_from(bytes.len()) {
            Ok(len) if bytes.len() <= INLINE_MAX => {
                let mut inline = [0; INLINE_MAX];
                inline[..bytes.len()].copy_from_slice(bytes);
                Self(Repr::Inline { len, bytes: inline })
            }
            _ => Self(Repr::Heap(bytes.into())),
        }
    }

    /// The contents.
    #[must_use]
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Inline { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or(bytes),
            Repr::Heap(bytes) => bytes,
        }
    }

    /// Bytes owned on the heap.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        match &self.0 {
            Repr::Inline { .. } => 0,
            Repr::Heap(bytes) => bytes.len(),
        }
    }

    /// The contents as a vector, without a copy if they are on the heap.
    #[must_use]
    pub fn into_vec(self) -> Vec<u8> {
        match self.0 {
            Repr::Heap(bytes) => bytes.into_vec(),
            Repr::Inline { .. } => self.as_bytes().to_vec(),
        }
    }
}

impl Default for ByteStr {
    fn default() -> Self {
        Self::new(b"")
    }
}

impl Deref for ByteStr {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl AsRef<[u8]> for ByteStr {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl From<&[u8]> for ByteStr {
    fn from(bytes: &[u8]) -> Self {
        Self::new(bytes)
    }
}

impl From<Vec<u8>> for ByteStr {
    fn from(bytes: Vec<u8>) -> Self {
        if bytes.len() <= INLINE_MAX { Self::new(&bytes) } else { Self(Repr::Heap(bytes.into_boxed_slice())) }
    }
}

impl PartialEq for ByteStr {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for ByteStr {}

impl PartialOrd for ByteStr {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ByteStr {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl std::hash::Hash for ByteStr {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl fmt::Debug for ByteStr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.as_bytes().escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_survive_at_every_length_around_the_inline_limit() {
        for len in 0..64_usize {
            let bytes: Vec<u8> = (0..len).map(|i| i as u8).collect();
            let text = ByteStr::new(&bytes);
            assert_eq!(text.as_bytes(), &bytes[..]);
            assert_eq!(ByteStr::from(bytes.clone()), text);
            assert_eq!(text.heap_bytes(), if len <= INLINE_MAX { 0 } else { len });
            assert_eq!(text.into_vec(), bytes);
        }
    }

    #[test]
    fn order_is_that_of_the_bytes() {
        assert!(ByteStr::new(b"a") < ByteStr::new(b"aa"));
        assert!(ByteStr::new(&[b'a'; 40]) < ByteStr::new(b"b"));
    }
}
