//! ZSCAN.

use rondache_protocol::resp::double::double_text;

use super::super::{
    CommandResult,
    args::Args,
    ctx::Ctx,
    scan_args::{self, ScanArgs, Scanned},
};
use crate::types::zset::ZSet;

/// `ZSCAN key cursor [MATCH pattern] [COUNT count] [NOSCORES]`
pub(super) fn zscan(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    let cursor = scan_args::cursor(args, 2)?;
    let set = ctx.ks.read_object::<ZSet>(&key)?;
    let Some(set) = set else {
        scan_args::reply_nothing(&mut ctx.reply);
        return Ok(());
    };
    let options = ScanArgs::parse(args, 3, Scanned::SortedSet)?;
    scan_args::reply_page(&mut ctx.reply, |reply| {
        let mut replies = 0;
        let next = set.scan(cursor, options.count, |member, score| {
            if !options.matches(member) {
                return;
            }
            reply.bulk(member);
            replies += 1;
            if !options.only_names {
                // A string in RESP3 as well.
                reply.bulk(double_text(score).as_bytes());
                replies += 1;
            }
        });
        (next, replies)
    });
    Ok(())
}
