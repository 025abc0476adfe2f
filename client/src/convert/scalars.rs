//! Texts and numbers.

use std::{borrow::Cow, str::FromStr, sync::Arc};

use bytes::Bytes;
use rondache_protocol::resp::value::Value;

use super::{ConvertError, FromValue};

impl FromValue for () {
    /// Any reply will do, errors excepted.
    fn from_value(value: Value) -> Result<Self, ConvertError> {
        match value.as_error() {
            Some(_) => Err(ConvertError::new("reply", &value)),
            None => Ok(()),
        }
    }
}

impl FromValue for Bytes {
    fn from_value(value: Value) -> Result<Self, ConvertError> {
        match value.without_attributes() {
            Value::Bulk(text) | Value::Simple(text) | Value::Verbatim { text, .. } | Value::BigNumber(text) => Ok(text),
            Value::Integer(number) => Ok(number.to_string().into()),
            Value::Double(number) => {
                Ok(Bytes::copy_from_slice(rondache_protocol::resp::double::double_text(number).as_bytes()))
            }
            other => Err(ConvertError::new("string", &other)),
        }
    }
}

impl FromValue for String {
    fn from_value(value: Value) -> Result<Self, ConvertError> {
        let bytes = Bytes::from_value(value)?;
        Self::from_utf8(bytes.into())
            .map_err(|error| ConvertError::new("UTF-8 text", &Value::Bulk(Bytes::copy_from_slice(error.as_bytes()))))
    }
}

impl FromValue for Arc<str> {
    fn from_value(value: Value) -> Result<Self, ConvertError> {
        String::from_value(value).map(Into::into)
    }
}

impl FromValue for bool {
    fn from_value(value: Value) -> Result<Self, ConvertError> {
        match value.without_attributes() {
            Value::Boolean(yes) => Ok(yes),
            Value::Integer(number @ (0 | 1)) => Ok(number == 1),
            Value::Simple(text) if &text[..] == b"OK" => Ok(true),
            // SET with NX or XX answers null if it did nothing.
            Value::Null => Ok(false),
            Value::Bulk(text) if matches!(&text[..], b"0" | b"1") => Ok(&text[..] == b"1"),
            other => Err(ConvertError::new("yes or no", &other)),
        }
    }
}

/// A text that reads as a number.
fn parsed<T: FromStr>(value: &Value) -> Option<T> {
    value.as_bytes().and_then(|text| std::str::from_utf8(text).ok()).and_then(|text| text.parse().ok())
}

macro_rules! integers {
    ($($type:ty),*) => {$(
        impl FromValue for $type {
            fn from_value(value: Value) -> Result<Self, ConvertError> {
                let number = match &value {
                    Value::Integer(number) => Self::try_from(*number).ok(),
                    Value::Boolean(yes) => Some(Self::from(*yes)),
                    Value::Attributed { .. } => return Self::from_value(value.without_attributes()),
                    text => parsed(text),
                };
                number.ok_or_else(|| ConvertError::new(stringify!($type), &value))
            }
        }
    )*};
}

integers!(i8, i16, i32, i64, i128, isize, u16, u32, u64, u128, usize);

impl FromValue for f64 {
    fn from_value(value: Value) -> Result<Self, ConvertError> {
        let number = match &value {
            Value::Double(number) => Some(*number),
            Value::Integer(number) => Some(*number as Self),
            Value::Attributed { .. } => return Self::from_value(value.without_attributes()),
            text => parsed(text),
        };
        number.ok_or_else(|| ConvertError::new("number", &value))
    }
}

impl FromValue for f32 {
    fn from_value(value: Value) -> Result<Self, ConvertError> {
        f64::from_value(value).map(|number| number as Self)
    }
}

impl FromValue for Cow<'static, str> {
    fn from_value(value: Value) -> Result<Self, ConvertError> {
        String::from_value(value).map(Cow::Owned)
    }
}
