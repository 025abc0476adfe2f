//! Connections: <https://valkey.io/commands/?group=connection>.

mod select;

use super::{CommandResult, args::Args, ctx::Ctx, registry::HandlerList};

/// The family's handlers.
pub(super) const HANDLERS: HandlerList = &[("ping", ping), ("select", select::select)];

/// `PING`
fn ping(ctx: &mut Ctx<'_, '_>, _: &Args<'_>) -> CommandResult {
    ctx.reply.simple("PONG");
    Ok(())
}
