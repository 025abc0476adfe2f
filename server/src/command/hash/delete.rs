//! HDEL

use super::{
    super::{CommandResult, args::Args, ctx::Ctx},
    edit::edit,
};
use crate::{store::observer::EventClass, types::hash::Hash};

/// `HDEL key field [field …]`
pub(super) fn hdel(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    let now_ms = ctx.now_ms();
    let removed = edit(ctx.ks, &key, |hash| args.from(2).filter(|field| hash.remove(field, now_ms)).count())?;
    let removed = removed.unwrap_or(0);
    if removed > 0 {
        ctx.changed(&key, EventClass::HASH, "hdel");
        ctx.ks.remove_if_empty::<Hash>(&key);
    }
    ctx.reply.count(removed);
    Ok(())
}
