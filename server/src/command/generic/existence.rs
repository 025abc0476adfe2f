//! Whether keys are there: DEL, UNLINK, EXISTS, TOUCH, TYPE.

use super::super::{CommandResult, args::Args, ctx::Ctx};
use crate::store::observer::EventClass;

/// `DEL key [key …]` and `UNLINK key [key …]`: large values are freed after the locks are gone in either case.
pub(super) fn del(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let is_single = args.len() == 2;
    let mut count = 0;
    for index in 1..args.len() {
        let key = ctx.key(args, index);
        if ctx.ks.remove(&key) {
            ctx.changed(&key, EventClass::GENERIC, "del");
            if !is_single {
                ctx.ks.effect(&key, &[b"DEL", key.bytes]);
            }
            count += 1;
        }
    }
    ctx.reply.integer(count);
    Ok(())
}

/// `EXISTS key [key …]`
pub(super) fn exists(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    count_found(ctx, args, false)
}

/// `TOUCH key [key …]`: counts as an access even for a client with CLIENT NO-TOUCH.
pub(super) fn touch(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    count_found(ctx, args, true)
}

fn count_found(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, touch: bool) -> CommandResult {
    let found = (1..args.len()).filter(|&index| ctx.ks.read_with(&ctx.key(args, index), touch).is_some()).count();
    ctx.reply.count(found);
    Ok(())
}

/// `TYPE key`
pub(super) fn r#type(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    let name = ctx.ks.read_with(&key, false).map_or("none", |entry| entry.value().kind().name());
    ctx.reply.simple(name);
    Ok(())
}
