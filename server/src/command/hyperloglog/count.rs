//! PFCOUNT.

use super::super::{CommandError, CommandResult, args::Args, ctx::Ctx};
use crate::{store::key::Key, types::hyperloglog};

/// `PFCOUNT key [key …]`
pub(super) fn pfcount(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let count = if args.len() == 2 { count_one(ctx, &ctx.key(args, 1))? } else { count_union(ctx, args)? };
    ctx.reply.integer(i64::try_from(count).unwrap_or(i64::MAX));
    Ok(())
}

/// The estimate of one HyperLogLog, which keeps it until an element changes it.
fn count_one(ctx: &mut Ctx<'_, '_>, key: &Key<'_>) -> Result<u64, CommandError> {
    let Some(hll) = ctx.ks.read_string(key)? else { return Ok(0) };
    hyperloglog::validate(hll)?;
    if let Some(count) = hyperloglog::cached_count(hll) {
        return Ok(count);
    }
    let (count, was_cached) = match ctx.ks.string_bytes_mut(key)? {
        Some(hll) => hyperloglog::count_and_cache(hll)?,
        None => (0, false),
    };
    if was_cached {
        // Its bytes changed, though nothing of what it means; copies cache it too.
        ctx.ks.touched(key);
    }
    Ok(count)
}

fn count_union(ctx: &Ctx<'_, '_>, args: &Args<'_>) -> Result<u64, CommandError> {
    let mut hlls = Vec::with_capacity(args.len() - 1);
    for index in 1..args.len() {
        hlls.extend(ctx.ks.read_string(&ctx.key(args, index))?);
    }
    Ok(hyperloglog::count_many(&hlls)?)
}
