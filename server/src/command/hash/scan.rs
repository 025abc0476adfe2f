//! HSCAN

use super::super::{
    CommandResult,
    args::Args,
    ctx::Ctx,
    scan_args::{self, ScanArgs, Scanned},
};
use crate::types::hash::Hash;

/// `HSCAN key cursor [MATCH pattern] [COUNT count] [NOVALUES]`
pub(super) fn hscan(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let cursor = scan_args::cursor(args, 2)?;
    let key = ctx.key(args, 1);
    let now_ms = ctx.now_ms();
    let Some(hash) = ctx.ks.read_object::<Hash>(&key)? else {
        scan_args::reply_nothing(&mut ctx.reply);
        return Ok(());
    };
    let options = ScanArgs::parse(args, 3, Scanned::Hash)?;
    scan_args::reply_page(&mut ctx.reply, |reply| {
        let mut written = 0;
        let next_cursor = hash.scan(cursor, options.count, now_ms, |field, value| {
            if !options.matches(field) {
                return;
            }
            reply.bulk(field);
            written += 1;
            if !options.only_names {
                reply.bulk(value);
                written += 1;
            }
        });
        (next_cursor, written)
    });
    Ok(())
}
