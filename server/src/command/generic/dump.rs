//! DUMP and RESTORE.

use std::sync::Arc;

use super::super::{CommandError, CommandResult, args::Args, ctx::Ctx};
use crate::{
    config::settings::EvictionPolicy,
    rdb::{self, RestoreError, Restored},
    store::{
        entry::ACCESS_MAX,
        key::Key,
        keyspace::Ttl,
        lfu,
        object::{Object, Typed},
        observer::EventClass,
    },
};

impl From<RestoreError> for CommandError {
    fn from(error: RestoreError) -> Self {
        match error {
            RestoreError::Footer => Self::coded("ERR DUMP payload version or checksum are wrong"),
            RestoreError::Format => Self::coded("ERR Bad data format"),
        }
    }
}

/// `DUMP key`
pub(super) fn dump(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    let payload = ctx.ks.read(&key).and_then(|entry| rdb::dump(entry.value(), ctx.ks.now_ms()));
    ctx.reply.optional_bulk(payload.as_deref());
    Ok(())
}

/// `RESTORE key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]`
pub(super) fn restore(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let options = RestoreOptions::parse(args)?;
    let key = ctx.key(args, 1);
    let exists = ctx.ks.exists(&key);
    if exists && !options.replaces {
        return Err(CommandError::coded("BUSYKEY Target key name already exists."));
    }
    let ttl_ms =
        u64::try_from(args.integer(2)?).map_err(|_| CommandError::coded("ERR Invalid TTL value, must be >= 0"))?;
    let value = rdb::restore(args.get(3), &ctx.settings.encoding, ctx.now_ms())?;
    let deadline_ms = match ttl_ms {
        0 => None,
        _ if options.is_absolute => Some(ttl_ms),
        _ => Some(ctx.jittered_deadline(key.bytes, ttl_ms)),
    };
    let has_passed = deadline_ms.is_some_and(|deadline_ms| deadline_ms <= ctx.now_ms());
    if has_passed || is_empty(&value) {
        if ctx.ks.remove(&key) {
            ctx.changed(&key, EventClass::GENERIC, "del");
            ctx.ks.effect(&key, &[b"DEL", key.bytes]);
        }
        ctx.reply.ok();
        return Ok(());
    }
    if exists {
        ctx.ks.remove(&key);
    }
    let ttl = deadline_ms.map_or(Ttl::Clear, Ttl::At);
    match value {
        Restored::String(bytes) => ctx.ks.put_shared(&key, Arc::new(bytes), ttl),
        Restored::Object(object) => ctx.ks.put_object(&key, object, ttl),
    }
    set_access(ctx, &key, &options);
    ctx.changed(&key, EventClass::GENERIC, "restore");
    if ctx.ks.records_effects() {
        let deadline = deadline_ms.unwrap_or(0).to_string();
        ctx.ks.effect(&key, &[b"RESTORE", key.bytes, deadline.as_bytes(), args.get(3), b"REPLACE", b"ABSTTL"]);
    }
    ctx.reply.ok();
    Ok(())
}

/// All fields of a restored hash may have expired.
fn is_empty(value: &Restored) -> bool {
    matches!(value, Restored::Object(Object::Hash(hash)) if Typed::is_empty(hash))
}

/// Sets what the key remembers of its last use, where the policy in force asks for it.
fn set_access(ctx: &mut Ctx<'_, '_>, key: &Key<'_>, options: &RestoreOptions) {
    let counts_uses = matches!(ctx.settings.maxmemory_policy, EvictionPolicy::AllKeysLfu | EvictionPolicy::VolatileLfu);
    match (counts_uses, options.frequency, options.idle_s) {
        (true, Some(count), _) => ctx.ks.set_access(key, lfu::pack((ctx.now_ms() / 60_000) as u32, count)),
        (false, _, Some(idle_s)) => {
            let used_s = (ctx.now_ms() / 1000).saturating_sub(idle_s);
            ctx.ks.set_access(key, used_s as u32 & ACCESS_MAX);
        }
        _ => {}
    }
}

#[derive(Default)]
struct RestoreOptions {
    replaces: bool,
    is_absolute: bool,
    idle_s: Option<u64>,
    frequency: Option<u32>,
}

impl RestoreOptions {
    fn parse(args: &Args<'_>) -> Result<Self, CommandError> {
        let mut options = Self::default();
        let mut at = 4;
        while at < args.len() {
            let has_value = at + 1 < args.len();
            if args.is(at, "replace") {
                options.replaces = true;
            } else if args.is(at, "absttl") {
                options.is_absolute = true;
            } else if args.is(at, "idletime") && has_value && options.frequency.is_none() {
                let idle_s = u64::try_from(args.integer(at + 1)?)
                    .map_err(|_| CommandError::coded("ERR Invalid IDLETIME value, must be >= 0"))?;
                options.idle_s = Some(idle_s);
                at += 1;
            } else if args.is(at, "freq") && has_value && options.idle_s.is_none() {
                let count = u8::try_from(args.integer(at + 1)?)
                    .map_err(|_| CommandError::coded("ERR Invalid FREQ value, must be >= 0 and <= 255"))?;
                options.frequency = Some(u32::from(count));
                at += 1;
            } else {
                return Err(CommandError::Syntax);
            }
            at += 1;
        }
        Ok(options)
    }
}
