//! What a key may hold besides a string.

use crate::types::{hash::Hash, list::List, set::Set, zset::ZSet};

/// A collection, kept inline in its entry.
#[derive(Clone, Debug, PartialEq)]
pub enum Object {
    /// A list of byte strings.
    List(List),
    /// A set of byte strings.
    Set(Set),
    /// A set of byte strings ordered by score.
    ZSet(ZSet),
    /// A map of fields to values.
    Hash(Hash),
}

/// The type of a key's value, as `TYPE` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `string`: bytes; also bitmaps and HyperLogLogs.
    String,
    /// `list`
    List,
    /// `set`
    Set,
    /// `zset`
    ZSet,
    /// `hash`
    Hash,
}

impl Kind {
    /// The name that [`TYPE`](https://valkey.io/commands/type/) answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Kind::String => "string",
            Kind::List => "list",
            Kind::Set => "set",
            Kind::ZSet => "zset",
            Kind::Hash => "hash",
        }
    }
}

/// The key holds a value of another type than the command works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("WRONGTYPE Operation against a key holding the wrong kind of value")]
pub struct WrongType;

/// A collection type that an entry can hold.
pub trait Typed: Default {
    /// The type's name on the wire.
    const KIND: Kind;
    /// The value, where `object` is of this type.
    fn from_object(object: &Object) -> Option<&Self>;
    /// The value for changing, where `object` is of this type.
    fn from_object_mut(object: &mut Object) -> Option<&mut Self>;
    /// Wraps the value for an entry.
    fn into_object(self) -> Object;
    /// Whether the collection holds nothing; such a key must not stay.
    fn is_empty(&self) -> bool;
}

macro_rules! typed {
    ($($variant:ident by $len:ident),*) => {$(
        impl Typed for $variant {
            const KIND: Kind = Kind::$variant;
            fn from_object(object: &Object) -> Option<&Self> {
                match object { Object::$variant(value) => Some(value), _ => None }
            }
            fn from_object_mut(object: &mut Object) -> Option<&mut Self> {
                match object { Object::$variant(value) => Some(value), _ => None }
            }
            fn into_object(self) -> Object {
                Object::$variant(self)
            }
            fn is_empty(&self) -> bool {
                self.$len() == 0
            }
        }
    )*};
}
typed!(List by len, Set by len, ZSet by len, Hash by total_len);

impl Object {
    /// The type of the collection.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Object::List(_) => Kind::List,
            Object::Set(_) => Kind::Set,
            Object::ZSet(_) => Kind::ZSet,
            Object::Hash(_) => Kind::Hash,
        }
    }

    /// Heap bytes behind the collection, without its entry.
    #[must_use]
    pub fn memory_usage(&self) -> usize {
        match self {
            Object::List(value) => value.memory_usage(),
            Object::Set(value) => value.memory_usage(),
            Object::ZSet(value) => value.memory_usage(),
            Object::Hash(value) => value.memory_usage(),
        }
    }

    /// How the collection is stored, as `OBJECT ENCODING` names it.
    #[must_use]
    pub fn encoding(&self) -> &'static str {
        match self {
            Object::List(value) => value.encoding(),
            Object::Set(value) => value.encoding(),
            Object::ZSet(value) => value.encoding(),
            Object::Hash(value) => value.encoding(),
        }
    }
}
