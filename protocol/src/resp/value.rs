//! Replies as clients hold them.

use super::writer::ReplyWriter;
use bytes::Bytes;

/// A reply of RESP2 or RESP3. Texts are any bytes: nothing in the protocol makes them UTF-8.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// The missing value, in any of its spellings.
    Null,
    /// `+`: a short text.
    Simple(Bytes),
    /// `-` or `!`: an error, its code first.
    Error(Bytes),
    /// `:`: an integer.
    Integer(i64),
    /// `$`: a string of any bytes.
    Bulk(Bytes),
    /// `=`: a text for people, and its format (`txt`, `mkd`).
    Verbatim {
        /// Three letters.
        format: [u8; 3],
        /// The text.
        text: Bytes,
    },
    /// `#`: yes or no.
    Boolean(bool),
    /// `,`: a floating-point number.
    Double(f64),
    /// `(`: an integer of any size, in decimal digits.
    BigNumber(Bytes),
    /// `*`: values in order.
    Array(Vec<Value>),
    /// `%`: pairs, in the order they were sent.
    Map(Vec<(Value, Value)>),
    /// `~`: values whose order means nothing.
    Set(Vec<Value>),
    /// `>`: a message that answers no request.
    Push(Vec<Value>),
    /// `|`: a value and what is said about it.
    Attributed {
        /// What is said about the value.
        attributes: Vec<(Value, Value)>,
        /// The value.
        value: Box<Value>,
    },
}

impl Value {
    /// The value without its attributes.
    #[must_use]
    pub fn without_attributes(self) -> Self {
        let mut inner = self;
        while let Self::Attributed { value, .. } = inner {
            inner = *value;
        }
        inner
    }

    /// The bytes of a text of any kind, errors excepted.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Simple(text) | Self::Bulk(text) | Self::Verbatim { text, .. } | Self::BigNumber(text) => Some(text),
            Self::Attributed { value, .. } => value.as_bytes(),
            _ => None,
        }
    }

    /// The error's text, its code first.
    #[must_use]
    pub fn as_error(&self) -> Option<&[u8]> {
        match self {
            Self::Error(text) => Some(text),
            Self::Attributed { value, .. } => value.as_error(),
            _ => None,
        }
    }

    /// Writes the reply in the writer's version: in RESP2 as its nearest relative.
    pub fn write_to(&self, writer: &mut ReplyWriter<'_>) {
        match self {
            Self::Null => writer.null(),
            Self::Simple(text) => writer.simple_bytes(text),
            Self::Error(text) if text.iter().any(|byte| matches!(byte, b'\r' | b'\n')) => {
                writer.blob_error(text);
            }
            Self::Error(text) => writer.error(text),
            Self::Integer(value) => writer.integer(*value),
            Self::Bulk(bytes) => writer.bulk(bytes),
            Self::Verbatim { format, text } => writer.verbatim(*format, text),
            Self::Boolean(value) => writer.boolean(*value),
            Self::Double(value) => writer.double(*value),
            Self::BigNumber(digits) => writer.big_number(digits),
            Self::Array(values) => {
                writer.array(values.len());
                write_all(values, writer);
            }
            Self::Set(values) => {
                writer.set(values.len());
                write_all(values, writer);
            }
            Self::Push(values) => {
                writer.push(values.len());
                write_all(values, writer);
            }
            Self::Map(pairs) => {
                writer.map(pairs.len());
                write_pairs(pairs, writer);
            }
            Self::Attributed { attributes, value } => {
                if writer.attribute(attributes.len()) {
                    write_pairs(attributes, writer);
                }
                value.write_to(writer);
            }
        }
    }
}

fn write_all(values: &[Value], writer: &mut ReplyWriter<'_>) {
    for value in values {
        value.write_to(writer);
    }
}

fn write_pairs(pairs: &[(Value, Value)], writer: &mut ReplyWriter<'_>) {
    for (key, value) in pairs {
        key.write_to(writer);
        value.write_to(writer);
    }
}
