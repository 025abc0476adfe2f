//! Keys of any type: <https://valkey.io/commands/?group=generic>.

use super::{CommandResult, args::Args, ctx::Ctx, registry::HandlerList};
use crate::store::observer::EventClass;

/// The family's handlers.
pub(super) const HANDLERS: HandlerList = &[("del", del)];

/// `DEL key [key …]`
fn del(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let mut count = 0;
    for bytes in args.from(1) {
        let key = ctx.ks.key(bytes);
        if ctx.ks.remove(&key) {
            ctx.changed(&key, EventClass::GENERIC, "del");
            count += 1;
        }
    }
    ctx.reply.integer(count);
    Ok(())
}
