//! A field and its value in one small piece.

use crate::types::indexed::Entry;

/// Longest field and value together that need no allocation, in bytes.
const INLINE_MAX: usize = 29;

/// A field with its value: 32 bytes that hold short pairs inline, and longer ones in one allocation.
///
/// Keeping both together costs one allocation and one cache miss where two strings would cost two.
#[derive(Clone, Debug)]
pub(super) struct Pair(Repr);

#[derive(Clone, Debug)]
enum Repr {
    Inline { field_len: u8, value_len: u8, bytes: [u8; INLINE_MAX] },
    Heap { field_len: usize, bytes: Box<[u8]> },
}

const _: () = assert!(size_of::<Pair>() == 32);

impl Pair {
    #[inline]
    pub(super) fn new(field: &[u8], value: &[u8]) -> Self {
        let len = field.len() + value.len();
        if len <= INLINE_MAX {
            let mut bytes = [0; INLINE_MAX];
            bytes[..field.len()].copy_from_slice(field);
            bytes[field.len()..len].copy_from_slice(value);
            return Self(Repr::Inline { field_len: field.len() as u8, value_len: value.len() as u8, bytes });
        }
        let mut bytes = Vec::with_capacity(len);
        bytes.extend_from_slice(field);
        bytes.extend_from_slice(value);
        Self(Repr::Heap { field_len: field.len(), bytes: bytes.into_boxed_slice() })
    }

    /// Field and value.
    #[inline]
    pub(super) fn parts(&self) -> (&[u8], &[u8]) {
        let (field_len, bytes) = match &self.0 {
            Repr::Inline { field_len, value_len, bytes } => {
                let len = usize::from(*field_len) + usize::from(*value_len);
                (usize::from(*field_len), bytes.get(..len).unwrap_or(bytes))
            }
            Repr::Heap { field_len, bytes } => (*field_len, &bytes[..]),
        };
        bytes.split_at_checked(field_len).unwrap_or((bytes, b""))
    }

    #[inline]
    pub(super) fn value(&self) -> &[u8] {
        self.parts().1
    }

    /// Replaces the value, in place if its length allows.
    #[inline]
    pub(super) fn set_value(&mut self, value: &[u8]) {
        match &mut self.0 {
            Repr::Inline { field_len, value_len, bytes } if usize::from(*field_len) + value.len() <= INLINE_MAX => {
                let from = usize::from(*field_len);
                bytes[from..from + value.len()].copy_from_slice(value);
                *value_len = value.len() as u8;
            }
            Repr::Heap { field_len, bytes } if *field_len + value.len() == bytes.len() => {
                bytes[*field_len..].copy_from_slice(value);
            }
            _ => *self = Self::new(self.parts().0, value),
        }
    }
}

impl Entry for Pair {
    #[inline]
    fn key(&self) -> &[u8] {
        self.parts().0
    }

    fn heap_bytes(&self) -> usize {
        match &self.0 {
            Repr::Inline { .. } => 0,
            Repr::Heap { bytes, .. } => bytes.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_any_length_replace_each_other() {
        let lens = [0, 3, 3, 10, 19, 20, 40, 40, 300, 5, 0];
        for field_len in [0, 1, 10, 29, 30, 300] {
            let field = vec![b'f'; field_len];
            let mut pair = Pair::new(&field, b"first");
            for len in lens {
                let value = vec![b'v'; len];
                pair.set_value(&value);
                assert_eq!(pair.parts(), (&field[..], &value[..]));
            }
        }
    }
}
