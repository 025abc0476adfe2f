//! DEBUG OBJECT, LISTPACK, STRINGMATCH-LEN.

use super::{
    super::super::{CommandError, CommandResult, args::Args, ctx::Ctx, generic},
    hold,
};
use crate::{
    rdb,
    store::{entry::ACCESS_MAX, lfu},
    util::glob,
};

/// Version and checksum of a payload.
const FOOTER_LEN: usize = 10;

/// `DEBUG OBJECT key [FAST]`
pub(super) fn object(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.ks.key(args.get(2));
    hold(ctx, &key);
    let entry = ctx.ks.peek(&key).ok_or(CommandError::NoSuchKey)?;
    let now_ms = ctx.ks.now_ms();
    let payload_len = rdb::dump(entry.value(), now_ms).map_or(0, |payload| payload.len());
    let access = entry.access();
    let idle_s = ((now_ms / 1000) as u32 & ACCESS_MAX).wrapping_sub(access) & ACCESS_MAX;
    let frequency = lfu::count(access, (now_ms / 60_000) as u32, ctx.settings.lfu_decay_minutes);
    let text = format!(
        "Value at:0x0 refcount:1 encoding:{} serializedlength:{} lru:{access} lru_seconds_idle:{idle_s} \
         lfu_freq:{frequency} lfu_access_time_minutes:{}",
        generic::encoding(entry),
        payload_len.saturating_sub(FOOTER_LEN),
        access >> 8,
    );
    ctx.reply.simple(&text);
    Ok(())
}

/// `DEBUG LISTPACK key`
pub(super) fn listpack(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.ks.key(args.get(2));
    hold(ctx, &key);
    let entry = ctx.ks.peek(&key).ok_or(CommandError::NoSuchKey)?;
    if generic::encoding(entry) != "listpack" {
        return Err(CommandError::err("Not a listpack encoded object."));
    }
    let text = format!("A listpack of {} bytes", entry.memory_usage());
    ctx.reply.simple(&text);
    Ok(())
}

/// `DEBUG STRINGMATCH-LEN length pattern`: whether a text of so many `a` matches.
pub(super) fn stringmatch(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let len = usize::try_from(args.integer(2)?).map_err(|_| CommandError::NotInteger)?;
    if len > ctx.settings.bulk_len_max {
        return Err(CommandError::err("string exceeds maximum allowed size (proto-max-bulk-len)"));
    }
    let matches = glob::matches(args.get(3), &vec![b'a'; len], false);
    ctx.reply.integer(i64::from(matches));
    Ok(())
}
