//! HSET, HMSET, HSETNX

use super::{
    super::{CommandError, CommandResult, args::Args, ctx::Ctx},
    edit::{edit, edit_or_insert},
};
use crate::store::observer::EventClass;

/// `HSET key field value [field value …]`
pub(super) fn hset(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let created = set_fields(ctx, args)?;
    ctx.reply.count(created);
    Ok(())
}

/// `HMSET key field value [field value …]`
pub(super) fn hmset(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    set_fields(ctx, args)?;
    ctx.reply.ok();
    Ok(())
}

/// Sets the fields and returns how many are new.
#[inline]
fn set_fields(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<usize, CommandError> {
    if !args.len().is_multiple_of(2) {
        return Err(CommandError::Arity(ctx.spec.name.into()));
    }
    let key = ctx.key(args, 1);
    let now_ms = ctx.now_ms();
    let limits = &ctx.settings.encoding;
    let created = edit_or_insert(ctx.ks, &key, |hash| {
        let mut created = 0;
        for at in (2..args.len()).step_by(2) {
            created += usize::from(hash.insert(args.get(at), args.get(at + 1), now_ms, limits));
        }
        created
    })?;
    ctx.changed(&key, EventClass::HASH, "hset");
    Ok(created)
}

/// `HSETNX key field value`
pub(super) fn hsetnx(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    let (field, value) = (args.get(2), args.get(3));
    let now_ms = ctx.now_ms();
    if edit(ctx.ks, &key, |hash| hash.contains(field, now_ms))? == Some(true) {
        ctx.reply.integer(0);
        return Ok(());
    }
    edit_or_insert(ctx.ks, &key, |hash| hash.insert(field, value, now_ms, &ctx.settings.encoding))?;
    ctx.changed(&key, EventClass::HASH, "hset");
    ctx.reply.integer(1);
    Ok(())
}
