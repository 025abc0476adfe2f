//! DEBUG RELOAD: every value is built anew from its serialized form, as a server that loads a snapshot does, though
//! nothing goes to a disk.

use std::sync::Arc;

use super::super::super::{CommandError, CommandResult, ctx::Ctx};
use crate::{
    rdb::{self, Restored},
    store::{DATABASES, SHARDS, keyspace::Ttl},
};

/// `DEBUG RELOAD [NOSAVE] [NOFLUSH] [MERGE]`; the options are about the disk.
pub(super) fn reload(ctx: &mut Ctx<'_, '_>) -> CommandResult {
    let selected = ctx.ks.circumstances.db;
    for db in 0..DATABASES {
        ctx.ks.circumstances.db = db;
        for name in names(ctx) {
            if let Err(error) = rebuild(ctx, &name) {
                ctx.ks.circumstances.db = selected;
                return Err(error);
            }
        }
    }
    ctx.ks.circumstances.db = selected;
    ctx.reply.ok();
    Ok(())
}

fn names(ctx: &mut Ctx<'_, '_>) -> Vec<Box<[u8]>> {
    let mut names = Vec::with_capacity(SHARDS);
    ctx.ks.for_each_entry(|entry| names.push(entry.key().into()));
    names
}

fn rebuild(ctx: &mut Ctx<'_, '_>, name: &[u8]) -> CommandResult {
    let key = ctx.ks.key(name);
    super::hold(ctx, &key);
    let now_ms = ctx.ks.now_ms();
    // The key may have gone since its name was noted.
    let Some(entry) = ctx.ks.peek(&key) else { return Ok(()) };
    let access = entry.access();
    let Some(payload) = rdb::dump(entry.value(), now_ms) else { return Ok(()) };
    match rdb::restore(&payload, &ctx.settings.encoding, now_ms).map_err(CommandError::from)? {
        Restored::String(bytes) => ctx.ks.put_shared(&key, Arc::new(bytes), Ttl::Keep),
        Restored::Object(object) => ctx.ks.put_object(&key, object, Ttl::Keep),
    }
    ctx.ks.set_access(&key, access);
    Ok(())
}
