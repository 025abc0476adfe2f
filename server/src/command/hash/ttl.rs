//! Asking for deadlines of fields (HTTL, HPTTL, HEXPIRETIME, HPEXPIRETIME) and lifting them (HPERSIST).

use super::{
    super::{CommandError, CommandResult, args::Args, ctx::Ctx},
    deadline::record,
    edit::edit,
    fields::{BAD_COUNT, Fields},
};
use crate::{
    store::{key::Key, observer::EventClass},
    types::hash::{FieldDeadline, Hash},
};

/// The answer for a field that is missing.
const NO_FIELD: i64 = -2;
/// The answer for a field without a deadline.
const NO_DEADLINE: i64 = -1;

/// `HTTL key FIELDS numfields field [field …]`
pub(super) fn httl(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let now_ms = ctx.now_ms();
    answer(ctx, args, |deadline_ms| (deadline_ms - now_ms).div_ceil(1000))
}

/// `HPTTL key FIELDS numfields field [field …]`
pub(super) fn hpttl(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let now_ms = ctx.now_ms();
    answer(ctx, args, |deadline_ms| deadline_ms - now_ms)
}

/// `HEXPIRETIME key FIELDS numfields field [field …]`
pub(super) fn hexpiretime(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    answer(ctx, args, |deadline_ms| deadline_ms.div_ceil(1000))
}

/// `HPEXPIRETIME key FIELDS numfields field [field …]`
pub(super) fn hpexpiretime(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    answer(ctx, args, |deadline_ms| deadline_ms)
}

/// Replies what `show` makes of each field's deadline, which is later than now.
fn answer(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, show: impl Fn(u64) -> u64) -> CommandResult {
    let key = ctx.key(args, 1);
    let now_ms = ctx.now_ms();
    let hash = ctx.ks.read_object::<Hash>(&key)?;
    let fields = Fields::parse(args, 2, 1, BAD_COUNT)?;
    ctx.reply.array(fields.len());
    for field in fields.names() {
        ctx.reply.integer(match hash.map_or(FieldDeadline::Missing, |hash| hash.deadline(field, now_ms)) {
            FieldDeadline::Missing => NO_FIELD,
            FieldDeadline::Unset => NO_DEADLINE,
            FieldDeadline::At(deadline_ms) => i64::try_from(show(deadline_ms)).unwrap_or(i64::MAX),
        });
    }
    Ok(())
}

/// `HPERSIST key FIELDS numfields field [field …]`
pub(super) fn hpersist(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    let is_there = edit(ctx.ks, &key, |_| ())?.is_some();
    let fields = Fields::parse(args, 2, 1, BAD_COUNT)?;
    let names: Vec<&[u8]> = fields.names().collect();
    let before = if is_there { persist(ctx, &key, &names)? } else { vec![FieldDeadline::Missing; names.len()] };
    ctx.reply.array(before.len());
    for deadline in before {
        ctx.reply.integer(match deadline {
            FieldDeadline::Missing => NO_FIELD,
            FieldDeadline::Unset => NO_DEADLINE,
            FieldDeadline::At(_) => 1,
        });
    }
    Ok(())
}

/// Lifts deadlines, and returns what they were.
pub(super) fn persist(
    ctx: &mut Ctx<'_, '_>,
    key: &Key<'_>,
    fields: &[&[u8]],
) -> Result<Vec<FieldDeadline>, CommandError> {
    let now_ms = ctx.now_ms();
    let before = edit(ctx.ks, key, |hash| fields.iter().map(|field| hash.persist(field, now_ms)).collect::<Vec<_>>())?
        .unwrap_or_default();
    if before.iter().any(|deadline| matches!(deadline, FieldDeadline::At(_))) {
        let mut count = itoa::Buffer::new();
        let count = count.format(fields.len()).as_bytes();
        record(ctx, key, &[b"HPERSIST", key.bytes, b"FIELDS", count], fields);
        ctx.changed(key, EventClass::HASH, "hpersist");
    }
    Ok(before)
}
