//! LCS: the longest common subsequence of two strings.

use super::super::{CommandError, CommandResult, args::Args, ctx::Ctx};
use crate::util::lcs::{self, Lcs, LcsError, Match};

#[derive(Default)]
struct Options {
    len: bool,
    idx: bool,
    with_match_len: bool,
    match_len_min: usize,
}

impl Options {
    fn parse(args: &Args<'_>) -> Result<Self, CommandError> {
        let mut options = Self::default();
        let mut at = 3;
        while at < args.len() {
            if args.is(at, "IDX") {
                options.idx = true;
            } else if args.is(at, "LEN") {
                options.len = true;
            } else if args.is(at, "WITHMATCHLEN") {
                options.with_match_len = true;
            } else if args.is(at, "MINMATCHLEN") && at + 1 < args.len() {
                at += 1;
                // Below zero means no bound, as zero does.
                options.match_len_min = usize::try_from(args.integer(at)?).unwrap_or(0);
            } else {
                return Err(CommandError::Syntax);
            }
            at += 1;
        }
        if options.len && options.idx {
            return Err(CommandError::coded("ERR If you want both the length and indexes, please just use IDX."));
        }
        Ok(options)
    }
}

/// `LCS key1 key2 [LEN] [IDX] [MINMATCHLEN len] [WITHMATCHLEN]`
pub(super) fn lcs(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let (first, second) = (ctx.key(args, 1), ctx.key(args, 2));
    let (Ok(a), Ok(b)) = (ctx.ks.read_string(&first), ctx.ks.read_string(&second)) else {
        return Err(CommandError::coded("ERR The specified keys must contain string values"));
    };
    let (a, b) = (a.unwrap_or_default(), b.unwrap_or_default());
    let options = Options::parse(args)?;
    let table_bytes_max = ctx.settings.bulk_len_max as u64;
    if options.len {
        ctx.reply.count(lcs::length(a, b, table_bytes_max)?);
        return Ok(());
    }
    let found = lcs::solve(a, b, table_bytes_max)?;
    if options.idx {
        write_matches(ctx, &found, &options);
    } else {
        ctx.reply.bulk(&found.bytes);
    }
    Ok(())
}

fn write_matches(ctx: &mut Ctx<'_, '_>, found: &Lcs, options: &Options) {
    let is_long_enough = |run: &&Match| run.length() >= options.match_len_min;
    let reply = &mut ctx.reply;
    reply.map(2);
    reply.bulk(b"matches");
    reply.array(found.matches.iter().filter(is_long_enough).count());
    for run in found.matches.iter().filter(is_long_enough) {
        reply.array(2 + usize::from(options.with_match_len));
        for (first, last) in [run.a, run.b] {
            reply.array(2);
            reply.count(first);
            reply.count(last);
        }
        if options.with_match_len {
            reply.count(run.length());
        }
    }
    reply.bulk(b"len");
    reply.count(found.bytes.len());
}

impl From<LcsError> for CommandError {
    fn from(error: LcsError) -> Self {
        Self::err(error)
    }
}
