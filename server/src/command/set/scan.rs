//! SSCAN

use super::super::{
    CommandResult,
    args::Args,
    ctx::Ctx,
    scan_args::{self, ScanArgs, Scanned},
};
use crate::types::set::Set;

/// `SSCAN key cursor [MATCH pattern] [COUNT count]`
pub(super) fn sscan(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let cursor = scan_args::cursor(args, 2)?;
    let key = ctx.key(args, 1);
    let Some(set) = ctx.ks.read_object::<Set>(&key)? else {
        scan_args::reply_nothing(&mut ctx.reply);
        return Ok(());
    };
    let options = ScanArgs::parse(args, 3, Scanned::Set)?;
    scan_args::reply_page(&mut ctx.reply, |reply| {
        let mut written = 0;
        let mut digits = itoa::Buffer::new();
        let next_cursor = set.scan(cursor, options.count, |item| {
            let member = item.as_bytes(&mut digits);
            if options.matches(member) {
                reply.bulk(member);
                written += 1;
            }
        });
        (next_cursor, written)
    });
    Ok(())
}
