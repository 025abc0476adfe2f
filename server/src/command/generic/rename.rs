//! RENAME and RENAMENX.

use super::super::{CommandError, CommandResult, args::Args, ctx::Ctx};
use crate::store::observer::EventClass;

/// `RENAME key newkey`
pub(super) fn rename(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    move_to(ctx, args, true)?;
    ctx.reply.ok();
    Ok(())
}

/// `RENAMENX key newkey`
pub(super) fn renamenx(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let moved = move_to(ctx, args, false)?;
    ctx.reply.integer(i64::from(moved));
    Ok(())
}

/// Whether the key has its new name now; a key that had it already is left alone.
fn move_to(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, replaces: bool) -> Result<bool, CommandError> {
    let (from, to) = (ctx.key(args, 1), ctx.key(args, 2));
    if !ctx.ks.exists(&from) {
        return Err(CommandError::NoSuchKey);
    }
    if from.bytes == to.bytes || (!replaces && ctx.ks.exists(&to)) {
        return Ok(false);
    }
    let Some((value, deadline_ms)) = ctx.ks.take(&from) else { return Err(CommandError::NoSuchKey) };
    ctx.ks.remove(&to);
    ctx.ks.put_taken(&to, value, deadline_ms);
    ctx.changed(&from, EventClass::GENERIC, "rename_from");
    ctx.changed(&to, EventClass::GENERIC, "rename_to");
    Ok(true)
}
