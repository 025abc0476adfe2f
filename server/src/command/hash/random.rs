//! HRANDFIELD

use rondache_protocol::resp::writer::ReplyWriter;

use super::super::{CommandError, CommandResult, args::Args, ctx::Ctx};
use crate::{
    store::key::Key,
    types::hash::{FieldValue, Hash},
};

/// `HRANDFIELD key [count [WITHVALUES]]`
pub(super) fn hrandfield(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    if args.len() == 2 {
        let now_ms = ctx.now_ms();
        let drawn = ctx.ks.read_object::<Hash>(&key)?.and_then(|hash| hash.random(ctx.rng, now_ms));
        ctx.reply.optional_bulk(drawn.map(|(field, _)| field));
        return Ok(());
    }
    let count = args.signed_count(2)?;
    let with_values = match args.len() {
        3 => false,
        4 if args.is(3, "WITHVALUES") => true,
        _ => return Err(CommandError::Syntax),
    };
    if with_values && !(-i64::MAX / 2..=i64::MAX / 2).contains(&count) {
        return Err(CommandError::coded("ERR value is out of range"));
    }
    draw_many(ctx, &key, count, with_values)
}

/// Distinct fields for a positive `count`; for a negative one that many, with repetitions.
fn draw_many(ctx: &mut Ctx<'_, '_>, key: &Key<'_>, count: i64, with_values: bool) -> CommandResult {
    let now_ms = ctx.now_ms();
    let Some(hash) = ctx.ks.read_object::<Hash>(key)?.filter(|hash| hash.len(now_ms) > 0) else {
        ctx.reply.array(0);
        return Ok(());
    };
    let wanted = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    if count >= 0 {
        let drawn = hash.random_distinct(ctx.rng, wanted, now_ms);
        begin(&mut ctx.reply, drawn.len(), with_values);
        drawn.into_iter().for_each(|pair| write_pair(&mut ctx.reply, pair, with_values));
        return Ok(());
    }
    begin(&mut ctx.reply, wanted, with_values);
    let reply_len_max = ctx.reply.len().saturating_add(ctx.settings.bulk_len_max);
    for _ in 0..wanted {
        if let Some(pair) = hash.random(ctx.rng, now_ms) {
            write_pair(&mut ctx.reply, pair, with_values);
        }
        if ctx.reply.len() > reply_len_max {
            return Err(CommandError::ReplyTooLarge);
        }
    }
    Ok(())
}

/// Fields and values come in pairs in RESP3, in turns in RESP2.
fn begin(reply: &mut ReplyWriter<'_>, count: usize, with_values: bool) {
    let is_flat = with_values && !reply.is_resp3();
    reply.array(if is_flat { count.saturating_mul(2) } else { count });
}

fn write_pair(reply: &mut ReplyWriter<'_>, (field, value): FieldValue<'_>, with_values: bool) {
    if with_values && reply.is_resp3() {
        reply.array(2);
    }
    reply.bulk(field);
    if with_values {
        reply.bulk(value);
    }
}
