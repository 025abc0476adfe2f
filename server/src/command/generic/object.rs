//! OBJECT: how a value is stored and used.

use super::super::{CommandError, CommandResult, args::Args, ctx::Ctx, help, subcommand};
use crate::{
    config::settings::EvictionPolicy,
    store::{
        entry::{ACCESS_MAX, EntryRef, Value},
        lfu,
    },
    util::number,
};

/// A string up to this long counts as `embstr`, as clients know it.
const EMBSTR_LEN_MAX: usize = 44;

/// `OBJECT ENCODING | FREQ | IDLETIME | REFCOUNT key`, `OBJECT HELP`
pub(super) fn object(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let spec = subcommand(ctx.spec, args)?;
    if spec.name == "help" {
        help::reply(
            ctx,
            args,
            &[
                ("ENCODING <key>", "How the key's value is laid out."),
                ("FREQ <key>", "How often the key was used lately, logarithmically."),
                ("IDLETIME <key>", "For how many seconds the key has not been used."),
                ("REFCOUNT <key>", "How many references to the key's value there are."),
            ],
        );
        return Ok(());
    }
    let key = ctx.key(args, 2);
    let Some(entry) = ctx.ks.peek(&key) else {
        ctx.reply.null();
        return Ok(());
    };
    let counts_uses = matches!(ctx.settings.maxmemory_policy, EvictionPolicy::AllKeysLfu | EvictionPolicy::VolatileLfu);
    match spec.name {
        "encoding" => ctx.reply.bulk(encoding(entry).as_bytes()),
        "refcount" => ctx.reply.integer(1),
        "idletime" if counts_uses => {
            return Err(CommandError::err(
                "An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between \
                 policies at runtime LRU and LFU data will take some time to adjust.",
            ));
        }
        "idletime" => {
            let now_s = (ctx.ks.now_ms() / 1000) as u32 & ACCESS_MAX;
            ctx.reply.integer(i64::from(now_s.wrapping_sub(entry.access()) & ACCESS_MAX));
        }
        "freq" if counts_uses => {
            let minute = (ctx.ks.now_ms() / 60_000) as u32;
            ctx.reply.integer(i64::from(lfu::count(entry.access(), minute, ctx.settings.lfu_decay_minutes)));
        }
        _ => {
            return Err(CommandError::err(
                "An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when \
                 switching between policies at runtime LRU and LFU data will take some time to adjust.",
            ));
        }
    }
    Ok(())
}

/// The encoding's name, as clients know it from Redis.
pub(crate) fn encoding(entry: EntryRef<'_>) -> &'static str {
    match entry.value() {
        Value::Object(object) => object.encoding(),
        Value::Shared(_) => "raw",
        Value::Bytes(_) if entry.was_edited() => "raw",
        Value::Bytes(bytes) if number::parse_i64(bytes).is_some() => "int",
        Value::Bytes(bytes) if bytes.len() <= EMBSTR_LEN_MAX => "embstr",
        Value::Bytes(_) => "raw",
    }
}
