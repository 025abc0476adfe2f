//! Storing a computed sorted set under a key, as ZUNIONSTORE, ZRANGESTORE, GEOSEARCHSTORE and their kin do.

use rondache_protocol::resp::double::double_text;

use super::super::ctx::Ctx;
use crate::{
    store::{key::Key, keyspace::Ttl, object::Object, observer::EventClass},
    types::zset::ZSet,
};

/// Members per recorded ZADD, so that no single effect becomes huge.
const MEMBERS_PER_EFFECT: usize = 512;

/// Replaces whatever `key` holds with `set`, or deletes it where the set is empty, and replies the number of members.
///
/// The effects name the destination only: the sources may live in other slots, on other nodes.
pub(in crate::command) fn store(ctx: &mut Ctx<'_, '_>, key: &Key<'_>, set: ZSet, event: &str) {
    ctx.reply.count(set.len());
    if set.is_empty() {
        if ctx.ks.remove(key) {
            ctx.changed(key, EventClass::GENERIC, "del");
            ctx.ks.effect(key, &[b"DEL", key.bytes]);
        }
        return;
    }
    if ctx.ks.records_effects() {
        record(ctx, key, &set);
    }
    ctx.ks.put_object(key, Object::ZSet(set), Ttl::Clear);
    ctx.changed(key, EventClass::ZSET, event);
}

fn record(ctx: &mut Ctx<'_, '_>, key: &Key<'_>, set: &ZSet) {
    ctx.ks.effect(key, &[b"DEL", key.bytes]);
    let mut entries = set.iter();
    while entries.len() > 0 {
        let chunk: Vec<_> =
            entries.by_ref().take(MEMBERS_PER_EFFECT).map(|(member, score)| (double_text(score), member)).collect();
        let mut effect: Vec<&[u8]> = vec![b"ZADD", key.bytes];
        effect.extend(chunk.iter().flat_map(|(score, member)| [score.as_bytes(), *member]));
        ctx.ks.effect(key, &effect);
    }
}
