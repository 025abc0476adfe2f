//! The end of SINTERSTORE, SUNIONSTORE and SDIFFSTORE.

use super::super::{args::Args, ctx::Ctx};
use crate::{
    store::{key::Key, keyspace::Ttl, object::Object, observer::EventClass},
    types::set::Set,
};

/// Writes a computed set to the first key of `args`, which an empty one deletes instead, and replies its size.
pub(super) fn store_result(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, result: Set) {
    let key = ctx.key(args, 1);
    let len = result.len();
    let spans_slots = ctx.ks.records_effects() && args.from(2).any(|bytes| ctx.ks.key(bytes).slot != key.slot);
    if len == 0 {
        if ctx.ks.remove(&key) {
            ctx.changed(&key, EventClass::GENERIC, "del");
            ctx.ks.effect(&key, &[b"DEL", key.bytes]);
        }
    } else {
        if spans_slots {
            record_members(ctx, &key, &result);
        }
        ctx.ks.put_object(&key, Object::Set(result), Ttl::Clear);
        ctx.changed(&key, EventClass::SET, ctx.spec.name);
    }
    ctx.reply.count(len);
}

/// The sources belong to other slots, of which this one's copies know nothing: they are told the members.
fn record_members(ctx: &mut Ctx<'_, '_>, key: &Key<'_>, result: &Set) {
    ctx.ks.effect(key, &[b"DEL", key.bytes]);
    let members: Vec<Vec<u8>> = result.iter().map(|item| item.to_vec()).collect();
    let words = [&b"SADD"[..], key.bytes];
    let effect: Vec<&[u8]> = words.into_iter().chain(members.iter().map(Vec::as_slice)).collect();
    ctx.ks.effect(key, &effect);
}
