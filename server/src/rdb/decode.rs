//! Reads values of any type. Empty collections, members that occur twice and scores that are no numbers are malformed,
//! as Redis has it.

use super::{
    Restored, intset, kind, listpack,
    reader::{Malformed, Reader},
    ziplist,
};
use crate::{
    store::object::Typed,
    types::{
        hash::Hash,
        item::Item,
        limits::EncodingLimits,
        list::List,
        set::Set,
        zset::{Upserted, ZSet},
    },
    util::number,
};

/// The forms of a node in a list of listpacks.
const NODE_PLAIN: usize = 1;
const NODE_PACKED: usize = 2;

/// Type and value, and nothing behind.
pub(super) fn value(body: &[u8], limits: &EncodingLimits, now_ms: u64) -> Result<Restored, Malformed> {
    let mut reader = Reader::new(body);
    let kind = reader.byte()?;
    if kind == kind::STRING {
        let string = reader.string()?.into_owned();
        return if reader.is_at_end() { Ok(Restored::String(string)) } else { Err(Malformed) };
    }
    let mut decoder = Decoder { reader, limits, now_ms };
    let object = match kind {
        kind::LIST | kind::LIST_ZIPLIST | kind::LIST_OF_ZIPLISTS | kind::LIST_OF_LISTPACKS => {
            decoder.list(kind)?.into_object()
        }
        kind::SET | kind::SET_INTSET | kind::SET_LISTPACK => decoder.set(kind)?.into_object(),
        kind::ZSET | kind::ZSET_TEXT_SCORES => decoder.zset(kind)?.into_object(),
        kind::ZSET_ZIPLIST => decoder.packed_zset(ziplist::for_each)?.into_object(),
        kind::ZSET_LISTPACK => decoder.packed_zset(listpack::for_each)?.into_object(),
        kind::HASH | kind::HASH_FIELD_DEADLINES => decoder.hash(kind)?.into_object(),
        kind::HASH_ZIPLIST => decoder.packed_hash(ziplist::for_each)?.into_object(),
        kind::HASH_LISTPACK => decoder.packed_hash(listpack::for_each)?.into_object(),
        _ => return Err(Malformed),
    };
    if decoder.reader.is_at_end() { Ok(Restored::Object(object)) } else { Err(Malformed) }
}

struct Decoder<'a> {
    reader: Reader<'a>,
    limits: &'a EncodingLimits,
    now_ms: u64,
}

/// Takes one element after the other.
type Visit<'v, 'b> = &'v mut dyn FnMut(Item<'b>) -> Result<(), Malformed>;
/// Reads one of the packed sequences.
type Unpack = for<'v, 'b> fn(&'b [u8], Visit<'v, 'b>) -> Result<(), Malformed>;

/// What is not packed is a sequence of one element.
fn plain<'b>(bytes: &'b [u8], visit: Visit<'_, 'b>) -> Result<(), Malformed> {
    visit(Item::Bytes(bytes))
}

impl Decoder<'_> {
    fn count(&mut self) -> Result<usize, Malformed> {
        match self.reader.len()? {
            0 => Err(Malformed),
            count => Ok(count),
        }
    }

    fn list(&mut self, kind: u8) -> Result<List, Malformed> {
        let mut list = List::new();
        let nodes = if kind == kind::LIST_ZIPLIST { 1 } else { self.count()? };
        for _ in 0..nodes {
            let unpack: Unpack = match kind {
                kind::LIST => plain,
                kind::LIST_OF_LISTPACKS => match self.reader.len()? {
                    NODE_PLAIN => plain,
                    NODE_PACKED => listpack::for_each,
                    _ => return Err(Malformed),
                },
                _ => ziplist::for_each,
            };
            let node = self.reader.string()?;
            unpack(&node, &mut |element| {
                list.push_back(element.as_bytes(&mut itoa::Buffer::new()), self.limits);
                Ok(())
            })?;
        }
        if list.is_empty() { Err(Malformed) } else { Ok(list) }
    }

    fn set(&mut self, kind: u8) -> Result<Set, Malformed> {
        let mut set = Set::new();
        let limits = self.limits;
        let mut add = |member: Item<'_>| {
            let is_new = set.add(member.as_bytes(&mut itoa::Buffer::new()), limits);
            if is_new { Ok(()) } else { Err(Malformed) }
        };
        match kind {
            kind::SET => {
                for _ in 0..self.count()? {
                    add(Item::Bytes(&self.reader.string()?))?;
                }
            }
            kind::SET_INTSET => intset::for_each(&self.reader.string()?, &mut add)?,
            _ => listpack::for_each(&self.reader.string()?, &mut add)?,
        }
        if set.is_empty() { Err(Malformed) } else { Ok(set) }
    }

    fn zset(&mut self, kind: u8) -> Result<ZSet, Malformed> {
        let mut zset = ZSet::new();
        for _ in 0..self.count()? {
            let member = self.reader.string()?;
            let score = if kind == kind::ZSET { self.reader.double()? } else { self.text_score()? };
            add_scored(&mut zset, &member, score, self.limits)?;
        }
        Ok(zset)
    }

    /// A score as text behind its length; the three highest lengths stand for what has no digits.
    fn text_score(&mut self) -> Result<f64, Malformed> {
        match self.reader.byte()? {
            255 => Ok(f64::NEG_INFINITY),
            254 => Ok(f64::INFINITY),
            253 => Err(Malformed),
            len => number::parse_f64(self.reader.bytes(usize::from(len))?).ok_or(Malformed),
        }
    }

    fn packed_zset(&mut self, unpack: Unpack) -> Result<ZSet, Malformed> {
        let packed = self.reader.string()?;
        let mut zset = ZSet::new();
        for_each_pair(unpack, &packed, |member, score| {
            let score = number::parse_f64(score).ok_or(Malformed)?;
            add_scored(&mut zset, member, score, self.limits)
        })?;
        Ok(zset)
    }

    fn hash(&mut self, kind: u8) -> Result<Hash, Malformed> {
        let mut hash = Hash::default();
        for _ in 0..self.count()? {
            let (field, value) = (self.reader.string()?, self.reader.string()?);
            let deadline_ms = if kind == kind::HASH_FIELD_DEADLINES {
                u64::try_from(i64::from_le_bytes(self.reader.array()?)).ok()
            } else {
                None
            };
            if deadline_ms.is_some_and(|deadline_ms| deadline_ms <= self.now_ms) {
                continue;
            }
            if !hash.insert(&field, &value, self.now_ms, self.limits) {
                return Err(Malformed);
            }
            if let Some(deadline_ms) = deadline_ms {
                hash.set_deadline(&field, deadline_ms, self.now_ms);
            }
        }
        Ok(hash)
    }

    fn packed_hash(&mut self, unpack: Unpack) -> Result<Hash, Malformed> {
        let packed = self.reader.string()?;
        let mut hash = Hash::default();
        for_each_pair(unpack, &packed, |field, value| {
            let is_new = hash.insert(field, value, self.now_ms, self.limits);
            if is_new { Ok(()) } else { Err(Malformed) }
        })?;
        Ok(hash)
    }
}

fn add_scored(zset: &mut ZSet, member: &[u8], score: f64, limits: &EncodingLimits) -> Result<(), Malformed> {
    if score.is_nan() {
        return Err(Malformed);
    }
    match zset.insert(member, score, limits) {
        Upserted::Added => Ok(()),
        _ => Err(Malformed),
    }
}

/// Calls `visit` with the texts of the first and second item, of the third and fourth, and so on: at least one pair.
fn for_each_pair(
    unpack: Unpack,
    packed: &[u8],
    mut visit: impl FnMut(&[u8], &[u8]) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let mut first = None;
    let mut pairs = 0_usize;
    unpack(packed, &mut |item| match first.take() {
        None => {
            first = Some(item);
            Ok(())
        }
        Some(first) => {
            pairs += 1;
            visit(first.as_bytes(&mut itoa::Buffer::new()), item.as_bytes(&mut itoa::Buffer::new()))
        }
    })?;
    if first.is_none() && pairs > 0 { Ok(()) } else { Err(Malformed) }
}
