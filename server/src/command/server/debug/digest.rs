//! DEBUG DIGEST and DIGEST-VALUE: equal for equal contents, however these are stored, and in whatever order.

use xxhash_rust::xxh3::Xxh3;

use super::{
    super::super::{args::Args, ctx::Ctx},
    hold,
};
use crate::store::{
    DATABASES,
    entry::{EntryRef, Value},
    object::Object,
};

/// Hex digits of a digest, as clients expect them of a SHA-1.
const DIGITS: usize = 40;

/// `DEBUG DIGEST`
pub(super) fn dataset(ctx: &mut Ctx<'_, '_>) {
    let selected = ctx.ks.circumstances.db;
    let now_ms = ctx.ks.now_ms();
    let mut digest = 0;
    for db in 0..DATABASES {
        ctx.ks.circumstances.db = db;
        ctx.ks.for_each_entry(|entry| {
            digest ^= hash(&[&db.to_le_bytes(), entry.key(), &value(entry, now_ms).to_le_bytes()]);
        });
    }
    ctx.ks.circumstances.db = selected;
    ctx.reply.simple(&text(digest));
}

/// `DEBUG DIGEST-VALUE key [key …]`
pub(super) fn values(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) {
    ctx.reply.array(args.len() - 2);
    for bytes in args.from(2) {
        let key = ctx.ks.key(bytes);
        hold(ctx, &key);
        let digest = ctx.ks.peek(&key).map_or(0, |entry| value(entry, ctx.ks.now_ms()));
        ctx.reply.simple(&text(digest));
    }
}

fn text(digest: u128) -> String {
    format!("{digest:0>DIGITS$x}")
}

/// The parts with their lengths, so that no two lists of parts are alike.
fn hash(parts: &[&[u8]]) -> u128 {
    let mut hasher = Xxh3::new();
    for part in parts {
        hasher.update(&part.len().to_le_bytes());
        hasher.update(part);
    }
    hasher.digest128()
}

fn value(entry: EntryRef<'_>, now_ms: u64) -> u128 {
    let content = match entry.value() {
        Value::Bytes(bytes) => hash(&[bytes]),
        Value::Shared(bytes) => hash(&[bytes]),
        Value::Object(Object::List(list)) => {
            list.iter().fold(0, |digest: u128, element| hash(&[&digest.to_le_bytes(), element]))
        }
        Value::Object(Object::Set(set)) => {
            set.iter().fold(0, |digest, member| digest ^ hash(&[member.as_bytes(&mut itoa::Buffer::new())]))
        }
        Value::Object(Object::ZSet(zset)) => {
            zset.iter().fold(0, |digest, (member, score)| digest ^ hash(&[member, &score.to_le_bytes()]))
        }
        Value::Object(Object::Hash(fields)) => {
            fields.iter(now_ms).fold(0, |digest, (field, value)| digest ^ hash(&[field, value]))
        }
    };
    let has_deadline = u8::from(entry.deadline_ms().is_some());
    hash(&[entry.value().kind().name().as_bytes(), &content.to_le_bytes(), &[has_deadline]])
}
