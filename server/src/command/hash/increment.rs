//! HINCRBY, HINCRBYFLOAT. The field keeps its deadline.

use super::{
    super::{CommandError, CommandResult, args::Args, ctx::Ctx},
    edit::{edit, edit_or_insert},
};
use crate::{
    store::{key::Key, observer::EventClass},
    types::hash::FieldDeadline,
    util::number::{self, LongDouble},
};

/// `HINCRBY key field increment`
pub(super) fn hincrby(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let increment = args.integer(3)?;
    let key = ctx.key(args, 1);
    let (field, now_ms) = (args.get(2), ctx.now_ms());
    let old = edit(ctx.ks, &key, |hash| match hash.get(field, now_ms) {
        Some(value) => number::parse_i64(value).ok_or(CommandError::coded("ERR hash value is not an integer")),
        None => Ok(0),
    })?;
    let new = old
        .unwrap_or(Ok(0))?
        .checked_add(increment)
        .ok_or(CommandError::coded("ERR increment or decrement would overflow"))?;
    set_keeping_deadline(ctx, &key, field, itoa::Buffer::new().format(new).as_bytes())?;
    ctx.changed(&key, EventClass::HASH, "hincrby");
    ctx.reply.integer(new);
    Ok(())
}

/// `HINCRBYFLOAT key field increment`
pub(super) fn hincrbyfloat(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let increment = LongDouble::parse(args.get(3)).ok_or(CommandError::NotFloat)?;
    if !increment.is_finite() {
        return Err(CommandError::coded("ERR value is NaN or Infinity"));
    }
    let key = ctx.key(args, 1);
    let (field, now_ms) = (args.get(2), ctx.now_ms());
    let old = edit(ctx.ks, &key, |hash| match hash.get(field, now_ms) {
        Some(value) => LongDouble::parse(value).ok_or(CommandError::coded("ERR hash value is not a float")),
        None => Ok(LongDouble::ZERO),
    })?;
    let sum = old.unwrap_or(Ok(LongDouble::ZERO))? + increment;
    if !sum.is_finite() {
        return Err(CommandError::coded("ERR increment would produce NaN or Infinity"));
    }
    let mut new = Vec::new();
    sum.write(&mut new);
    let expires = set_keeping_deadline(ctx, &key, field, &new)?;
    // Copies are told the result, so that no difference in arithmetic can separate them.
    if expires {
        ctx.ks.effect(&key, &[b"HSETEX", key.bytes, b"KEEPTTL", b"FIELDS", b"1", field, &new]);
    } else {
        ctx.ks.effect(&key, &[b"HSET", key.bytes, field, &new]);
    }
    ctx.changed(&key, EventClass::HASH, "hincrbyfloat");
    ctx.reply.bulk(&new);
    Ok(())
}

/// Sets a field whose deadline stays; whether it has one.
fn set_keeping_deadline(
    ctx: &mut Ctx<'_, '_>,
    key: &Key<'_>,
    field: &[u8],
    value: &[u8],
) -> Result<bool, CommandError> {
    let now_ms = ctx.now_ms();
    let limits = &ctx.settings.encoding;
    Ok(edit_or_insert(ctx.ks, key, |hash| {
        let expires = matches!(hash.deadline(field, now_ms), FieldDeadline::At(_));
        hash.insert_keeping_deadline(field, value, now_ms, limits);
        expires
    })?)
}
