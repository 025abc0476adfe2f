//! DBSIZE, FLUSHALL, FLUSHDB, SWAPDB.

use super::super::{CommandError, CommandResult, args::Args, ctx::Ctx, generic::database};
use crate::{store::whole::Flushed, util::number};

/// Fewer keys than this are freed on the spot: that takes less time than starting a thread is worth.
const FREED_INLINE_MAX: usize = 10_000;

/// `DBSIZE`
pub(super) fn dbsize(ctx: &mut Ctx<'_, '_>, _: &Args<'_>) -> CommandResult {
    let keys = ctx.ks.len();
    ctx.reply.count(keys);
    Ok(())
}

/// `FLUSHALL [ASYNC | SYNC]`
pub(super) fn flushall(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    flush(ctx, args, None)
}

/// `FLUSHDB [ASYNC | SYNC]`
pub(super) fn flushdb(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let db = ctx.session.db;
    flush(ctx, args, Some(db))
}

fn flush(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, db: Option<usize>) -> CommandResult {
    let waits = match args.len() {
        1 => false,
        2 if args.is(1, "sync") => true,
        2 if args.is(1, "async") => false,
        _ => return Err(CommandError::Syntax),
    };
    let flushed = ctx.ks.flush(db);
    if ctx.ks.forwarded.is_some() {
        // For the entry node, which has to know whether a slot was missed that moved meanwhile.
        ctx.reply.bulk(flushed.slots());
    } else {
        ctx.reply.ok();
    }
    if waits {
        drop(flushed);
    } else {
        free_in_background(flushed);
    }
    Ok(())
}

fn free_in_background(flushed: Flushed) {
    if flushed.len() <= FREED_INLINE_MAX {
        return;
    }
    // Where there is no thread to be had, the closure is dropped, and the keys with it: here and now.
    let freeing = std::thread::Builder::new().name("free".to_owned()).spawn(move || drop(flushed));
    if let Err(error) = freeing {
        tracing::warn!(%error, "flushed keys were freed on the spot");
    }
}

/// `SWAPDB index1 index2`
pub(super) fn swapdb(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let index = |at: usize, refusal: &'static str| {
        number::parse_i64(args.get(at)).and_then(|index| i32::try_from(index).ok()).ok_or(CommandError::coded(refusal))
    };
    if ctx.session.is_redirecting || ctx.node.cluster.routing.is_clustered() {
        return Err(CommandError::err("SWAPDB is not allowed in cluster mode"));
    }
    index(1, "ERR invalid first DB index")?;
    index(2, "ERR invalid second DB index")?;
    let (first, second) = (database(args, 1)?, database(args, 2)?);
    ctx.ks.swap_databases(first, second);
    ctx.reply.ok();
    Ok(())
}
