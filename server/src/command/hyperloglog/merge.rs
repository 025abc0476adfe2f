//! PFMERGE.

use super::super::{CommandResult, args::Args, ctx::Ctx};
use crate::{
    store::{keyspace::Ttl, observer::EventClass},
    types::hyperloglog,
};

/// `PFMERGE destination [source …]`
pub(super) fn pfmerge(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let destination = ctx.key(args, 1);
    let mut union = match ctx.ks.read_string(&destination)? {
        Some(hll) => hll.to_vec(),
        None => hyperloglog::create(),
    };
    let mut sources = Vec::with_capacity(args.len() - 2);
    for index in 2..args.len() {
        sources.extend(ctx.ks.read_string(&ctx.key(args, index))?);
    }
    hyperloglog::merge(&mut union, &sources, ctx.settings.hll_sparse_bytes_max)?;
    ctx.ks.put_string(&destination, &union, Ttl::Keep);
    // Clients know a merge as many elements that were added at once.
    ctx.changed(&destination, EventClass::STRING, "pfadd");
    ctx.reply.ok();
    Ok(())
}
