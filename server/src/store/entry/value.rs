//! What goes into an entry, and what a reader finds there.

use std::sync::Arc;

use crate::store::object::{Kind, Object};

/// The bytes of a long string.
pub type SharedBytes = Arc<Vec<u8>>;

/// What an entry is built from.
pub(crate) enum Payload<'v> {
    /// A string's bytes, copied.
    Bytes(&'v [u8]),
    /// A long string, taken over.
    Shared(SharedBytes),
    /// A collection, taken over.
    Object(Object),
}

/// A value as a reader sees it.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// A short string.
    Bytes(&'a [u8]),
    /// A long string; cloning the reference is cheap.
    Shared(&'a SharedBytes),
    /// A collection.
    Object(&'a Object),
}

impl<'a> Value<'a> {
    /// The type of the value.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self {
            Value::Bytes(_) | Value::Shared(_) => Kind::String,
            Value::Object(object) => object.kind(),
        }
    }

    /// The string's bytes, or `None` for a collection.
    #[must_use]
    pub fn as_bytes(self) -> Option<&'a [u8]> {
        match self {
            Value::Bytes(bytes) => Some(bytes),
            Value::Shared(bytes) => Some(bytes.as_slice()),
            Value::Object(_) => None,
        }
    }
}
