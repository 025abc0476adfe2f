//! Writes values.

use super::{VERSION, VERSION_FIELD_DEADLINES, kind};
use crate::{
    store::{entry::Value, object::Object},
    types::{hash::Hash, item::Item},
    util::number,
};

/// What stands for a field that never expires.
const NO_DEADLINE: i64 = -1;
/// A longer text is no 32-bit integer.
const INT_TEXT_LEN_MAX: usize = 11;

/// Appends type and value; answers the version of the format that a reader must know. `None`: a hash without live fields.
pub(super) fn value(out: &mut Vec<u8>, value: Value<'_>, now_ms: u64) -> Option<u16> {
    match value {
        Value::Bytes(bytes) => string(out, bytes),
        Value::Shared(bytes) => string(out, bytes),
        Value::Object(Object::List(list)) => {
            out.push(kind::LIST);
            len(out, list.len());
            list.iter().for_each(|element| text(out, element));
        }
        Value::Object(Object::Set(set)) => {
            out.push(kind::SET);
            len(out, set.len());
            set.iter().for_each(|member| item(out, member));
        }
        Value::Object(Object::ZSet(zset)) => {
            out.push(kind::ZSET);
            len(out, zset.len());
            for (member, score) in zset.iter() {
                text(out, member);
                out.extend_from_slice(&score.to_le_bytes());
            }
        }
        Value::Object(Object::Hash(hash)) => return self::hash(out, hash, now_ms),
    }
    Some(VERSION)
}

fn string(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(kind::STRING);
    text(out, bytes);
}

fn hash(out: &mut Vec<u8>, hash: &Hash, now_ms: u64) -> Option<u16> {
    let is_live = |deadline_ms: Option<u64>| deadline_ms.is_none_or(|deadline_ms| deadline_ms > now_ms);
    let live = || hash.iter_with_deadlines().filter(|(.., deadline_ms)| is_live(*deadline_ms));
    let count = live().count();
    let has_deadlines = live().any(|(.., deadline_ms)| deadline_ms.is_some());
    if count == 0 {
        return None;
    }
    out.push(if has_deadlines { kind::HASH_FIELD_DEADLINES } else { kind::HASH });
    len(out, count);
    for (field, value, deadline_ms) in live() {
        text(out, field);
        text(out, value);
        if has_deadlines {
            let deadline_ms = deadline_ms.map_or(NO_DEADLINE, |ms| i64::try_from(ms).unwrap_or(i64::MAX));
            out.extend_from_slice(&deadline_ms.to_le_bytes());
        }
    }
    Some(if has_deadlines { VERSION_FIELD_DEADLINES } else { VERSION })
}

/// A length: 6, 14, 32 or 64 bits.
fn len(out: &mut Vec<u8>, len: usize) {
    match len {
        0..0x40 => out.push(len as u8),
        0x40..0x4000 => out.extend_from_slice(&(0x4000 | len as u16).to_be_bytes()),
        _ => match u32::try_from(len) {
            Ok(len) => {
                out.push(0x80);
                out.extend_from_slice(&len.to_be_bytes());
            }
            Err(_) => {
                out.push(0x81);
                out.extend_from_slice(&(len as u64).to_be_bytes());
            }
        },
    }
}

fn item(out: &mut Vec<u8>, item: Item<'_>) {
    text(out, item.as_bytes(&mut itoa::Buffer::new()));
}

/// A byte string; one that is the text of a 32-bit integer is written as the integer.
fn text(out: &mut Vec<u8>, bytes: &[u8]) {
    let integer = if bytes.len() <= INT_TEXT_LEN_MAX { number::parse_i64(bytes) } else { None };
    if let Some(integer) = integer {
        if let Ok(byte) = i8::try_from(integer) {
            return out.extend_from_slice(&[0xc0, byte as u8]);
        }
        if let Ok(short) = i16::try_from(integer) {
            out.push(0xc1);
            return out.extend_from_slice(&short.to_le_bytes());
        }
        if let Ok(word) = i32::try_from(integer) {
            out.push(0xc2);
            return out.extend_from_slice(&word.to_le_bytes());
        }
    }
    len(out, bytes.len());
    out.extend_from_slice(bytes);
}
