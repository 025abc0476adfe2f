//! Counters: INCR, DECR and their kin.

use super::super::{CommandError, CommandResult, args::Args, ctx::Ctx};
use crate::{
    store::observer::EventClass,
    util::number::{self, LongDouble},
};

/// `INCR key`
pub(super) fn incr(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    add(ctx, args, 1)
}

/// `DECR key`
pub(super) fn decr(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    add(ctx, args, -1)
}

/// `INCRBY key increment`
pub(super) fn incrby(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let increment = args.integer(2)?;
    add(ctx, args, increment)
}

/// `DECRBY key decrement`
pub(super) fn decrby(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let increment = args.integer(2)?.checked_neg().ok_or(CommandError::coded("ERR decrement would overflow"))?;
    add(ctx, args, increment)
}

#[inline]
fn add(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, increment: i64) -> CommandResult {
    let key = ctx.key(args, 1);
    let mut sum = increment;
    let mut text = itoa::Buffer::new();
    ctx.ks.map_string(&key, |old| -> Result<_, CommandError> {
        if let Some(old) = old {
            let old = number::parse_i64(old).ok_or(CommandError::NotInteger)?;
            sum = old.checked_add(increment).ok_or(CommandError::coded("ERR increment or decrement would overflow"))?;
        }
        Ok(text.format(sum))
    })?;
    ctx.changed(&key, EventClass::STRING, "incrby");
    ctx.reply.integer(sum);
    Ok(())
}

/// `INCRBYFLOAT key increment`
pub(super) fn incrbyfloat(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    let mut text = Vec::new();
    ctx.ks.map_string(&key, |old| -> Result<_, CommandError> {
        let old = match old {
            Some(old) => LongDouble::parse(old).ok_or(CommandError::NotFloat)?,
            None => LongDouble::ZERO,
        };
        let sum = old + LongDouble::parse(args.get(2)).ok_or(CommandError::NotFloat)?;
        if !sum.is_finite() {
            return Err(CommandError::coded("ERR increment would produce NaN or Infinity"));
        }
        sum.write(&mut text);
        Ok(text.as_slice())
    })?;
    ctx.changed(&key, EventClass::STRING, "incrbyfloat");
    // Copies take the digits as they are, so that they need not agree on the arithmetic.
    ctx.ks.effect(&key, &[b"SET", key.bytes, &text, b"KEEPTTL"]);
    ctx.reply.bulk(&text);
    Ok(())
}
