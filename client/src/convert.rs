//! From replies to the types of the caller.

mod collections;
mod scalars;

use rondache_protocol::resp::value::Value;

/// A type that a reply can become.
///
/// | reply | becomes |
/// |---|---|
/// | text | `String` (if it is UTF-8), [`Bytes`](bytes::Bytes), a number if it reads as one |
/// | integer | any integer type that holds it, `bool` if 0 or 1, floats, `String` |
/// | null | `None`, or `()` |
/// | array, set | `Vec`, `HashSet`, `BTreeSet`, arrays `[T; N]`, tuples; maps if it holds pairs |
/// | map | `HashMap`, `BTreeMap`, `Vec` of pairs |
///
/// Bytes are [`Bytes`](bytes::Bytes), not `Vec<u8>`: a `Vec` always is a list.
pub trait FromValue: Sized {
    /// Converts a reply.
    ///
    /// # Errors
    /// The reply isn't of a kind that fits, or holds something that doesn't.
    fn from_value(value: Value) -> Result<Self, ConvertError>;

    /// Converts a key and a value of a map into a pair; only tuples of two can.
    #[doc(hidden)]
    fn from_pair(key: Value, value: Value) -> Result<Self, ConvertError> {
        Self::from_value(Value::Array(vec![key, value]))
    }

    /// Whether a value of this type is made of two values, so that a flat list of them is a list of pairs.
    #[doc(hidden)]
    const IS_PAIR: bool = false;
}

/// A reply isn't of the type that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the reply is {found}, which is no {wanted}")]
pub struct ConvertError {
    wanted: &'static str,
    found: Box<str>,
}

impl ConvertError {
    /// An error that tells what was wanted, and what came.
    #[must_use]
    pub fn new(wanted: &'static str, found: &Value) -> Self {
        Self { wanted, found: describe(found).into() }
    }
}

/// What a reply is, with its beginning where that helps.
fn describe(value: &Value) -> String {
    const SHOWN: usize = 40;
    let text = |kind: &str, bytes: &[u8]| {
        let shown = String::from_utf8_lossy(bytes.get(..SHOWN).unwrap_or(bytes)).into_owned();
        let more = if bytes.len() > SHOWN { "…" } else { "" };
        format!("{kind} {shown:?}{more}")
    };
    match value {
        Value::Null => "null".to_owned(),
        Value::Simple(bytes) => text("the status", bytes),
        Value::Error(bytes) => text("the error", bytes),
        Value::Integer(number) => format!("the integer {number}"),
        Value::Bulk(bytes) => text("the string", bytes),
        Value::Verbatim { text: bytes, .. } => text("the text", bytes),
        Value::Boolean(yes) => format!("the boolean {yes}"),
        Value::Double(number) => format!("the number {number}"),
        Value::BigNumber(digits) => text("the big number", digits),
        Value::Array(values) => format!("an array of {}", values.len()),
        Value::Map(pairs) => format!("a map of {}", pairs.len()),
        Value::Set(values) => format!("a set of {}", values.len()),
        Value::Push(values) => format!("a push message of {}", values.len()),
        Value::Attributed { value, .. } => describe(value),
    }
}

impl FromValue for Value {
    fn from_value(value: Value) -> Result<Self, ConvertError> {
        Ok(value)
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: Value) -> Result<Self, ConvertError> {
        match value.without_attributes() {
            Value::Null => Ok(None),
            value => T::from_value(value).map(Some),
        }
    }
}

#[cfg(test)]
mod tests;
