//! Parts of strings: GETRANGE, SETRANGE, APPEND.

use super::{
    super::{CommandError, CommandResult, args::Args, byte_range, ctx::Ctx},
    checked_len, peek_string,
};
use crate::store::{keyspace::Ttl, observer::EventClass};

/// `GETRANGE key start end`
pub(super) fn getrange(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let (start, end) = (args.integer(2)?, args.integer(3)?);
    let key = ctx.key(args, 1);
    let value = ctx.ks.read_string(&key)?.unwrap_or_default();
    let part = match byte_range::resolve(start, end, value.len()) {
        Some(range) if !byte_range::is_backwards(start, end) => value.get(range).unwrap_or_default(),
        _ => &[],
    };
    ctx.reply.bulk(part);
    Ok(())
}

/// `SETRANGE key offset value`
pub(super) fn setrange(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let offset = usize::try_from(args.integer(2)?).map_err(|_| CommandError::coded("ERR offset is out of range"))?;
    let key = ctx.key(args, 1);
    let part = args.get(3);
    let old_len = peek_string(ctx.ks, &key)?.map_or(0, <[u8]>::len);
    if part.is_empty() {
        ctx.reply.count(old_len);
        return Ok(());
    }
    let end = checked_len(ctx.settings, offset, part.len())?;
    if end > old_len {
        ctx.ks.resize_string(&key, end)?;
    }
    if let Some(target) = ctx.ks.string_bytes_mut(&key)?.and_then(|bytes| bytes.get_mut(offset..end)) {
        target.copy_from_slice(part);
    }
    ctx.changed(&key, EventClass::STRING, "setrange");
    ctx.reply.count(end.max(old_len));
    Ok(())
}

/// `APPEND key value`
pub(super) fn append(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    let tail = args.get(2);
    let total = match peek_string(ctx.ks, &key)?.map(<[u8]>::len) {
        None => {
            ctx.ks.put_string(&key, tail, Ttl::Clear);
            tail.len()
        }
        Some(old_len) => {
            let total = checked_len(ctx.settings, old_len, tail.len())?;
            ctx.ks.resize_string(&key, total)?;
            if let Some(target) = ctx.ks.string_bytes_mut(&key)?.and_then(|bytes| bytes.get_mut(old_len..)) {
                target.copy_from_slice(tail);
            }
            total
        }
    };
    ctx.changed(&key, EventClass::STRING, "append");
    ctx.reply.count(total);
    Ok(())
}
