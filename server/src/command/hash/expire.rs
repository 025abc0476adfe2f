//! HEXPIRE, HPEXPIRE, HEXPIREAT, HPEXPIREAT

use super::{
    super::{CommandResult, args::Args, ctx::Ctx, expire_args::ExpireForm},
    deadline::{Condition, Outcome, expire_fields, parse_expiry},
    edit::edit,
    fields::Fields,
};

/// `HEXPIRE key seconds [NX | XX | GT | LT] FIELDS numfields field [field …]`
pub(super) fn hexpire(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    expire(ctx, args, ExpireForm::Seconds)
}

/// `HPEXPIRE key milliseconds [NX | XX | GT | LT] FIELDS numfields field [field …]`
pub(super) fn hpexpire(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    expire(ctx, args, ExpireForm::Milliseconds)
}

/// `HEXPIREAT key unix-time-seconds [NX | XX | GT | LT] FIELDS numfields field [field …]`
pub(super) fn hexpireat(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    expire(ctx, args, ExpireForm::AtSecond)
}

/// `HPEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT] FIELDS numfields field [field …]`
pub(super) fn hpexpireat(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    expire(ctx, args, ExpireForm::AtMillisecond)
}

fn expire(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, form: ExpireForm) -> CommandResult {
    let key = ctx.key(args, 1);
    let is_there = edit(ctx.ks, &key, |_| ())?.is_some();
    let expiry = parse_expiry(ctx, args, 2, form)?;
    let condition = Condition::parse(args, 3);
    let fields_at = if condition == Condition::None { 3 } else { 4 };
    let fields = Fields::parse(args, fields_at, 1, "ERR Parameter `numFields` should be greater than 0")?;
    let names: Vec<&[u8]> = fields.names().collect();
    let outcomes = if is_there {
        expire_fields(ctx, &key, &names, expiry, condition)?
    } else {
        vec![Outcome::Missing; names.len()]
    };
    ctx.reply.array(outcomes.len());
    outcomes.into_iter().for_each(|outcome| ctx.reply.integer(outcome as i64));
    Ok(())
}
