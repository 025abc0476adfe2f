//! A member of a collection as it is stored: an integer or bytes.

/// A borrowed member: sets of integers keep numbers, all others bytes.
#[derive(Clone, Copy, Debug)]
pub enum Item<'a> {
    /// An integer, whose text is its canonical decimal form.
    Int(i64),
    /// Bytes as they came.
    Bytes(&'a [u8]),
}

impl<'a> Item<'a> {
    /// The member's text; `buffer` holds the digits of an integer.
    #[inline]
    pub fn as_bytes<'b>(&self, buffer: &'b mut itoa::Buffer) -> &'b [u8]
    where
        'a: 'b,
    {
        match *self {
            Item::Int(number) => buffer.format(number).as_bytes(),
            Item::Bytes(bytes) => bytes,
        }
    }

    /// Appends the member's text to `out`.
    #[inline]
    pub fn write_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_bytes(&mut itoa::Buffer::new()));
    }

    /// The member's text as a vector of its own.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        self.as_bytes(&mut itoa::Buffer::new()).to_vec()
    }
}

/// Two members are equal if their texts are.
impl PartialEq for Item<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Item::Int(a), Item::Int(b)) => a == b,
            (Item::Bytes(a), Item::Bytes(b)) => a == b,
            (Item::Int(number), Item::Bytes(bytes)) | (Item::Bytes(bytes), Item::Int(number)) => {
                itoa::Buffer::new().format(*number).as_bytes() == *bytes
            }
        }
    }
}

impl Eq for Item<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integer_equals_its_text() {
        assert_eq!(Item::Int(-7), Item::Bytes(b"-7"));
        assert_ne!(Item::Int(7), Item::Bytes(b"07"));
        assert_eq!(Item::Int(i64::MIN).to_vec(), b"-9223372036854775808");
    }
}
