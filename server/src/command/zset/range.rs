//! ZRANGE in all its forms, and ZRANGESTORE.

use super::{
    super::{CommandError, CommandResult, args::Args, ctx::Ctx},
    bounds::{Bounds, By},
    reply,
    store::store,
};
use crate::types::zset::{Iter, ZSet};

/// What a command of this file asks for.
#[derive(Clone, Copy, Debug)]
struct Query<'a> {
    bounds: Bounds<'a>,
    reverse: bool,
    with_scores: bool,
    /// LIMIT: members to leave out at the beginning; a negative number leaves out all.
    offset: i64,
    /// LIMIT: members wanted at most; a negative number wants all.
    count: i64,
}

/// What a command's name says already, before its options.
#[derive(Clone, Copy, Debug)]
struct Form {
    /// Index of the source key; the ends of the range follow.
    source_at: usize,
    by: Option<By>,
    reverse: Option<bool>,
    may_have_scores: bool,
}

impl Form {
    const fn fixed(by: By, reverse: bool) -> Self {
        Self { source_at: 1, by: Some(by), reverse: Some(reverse), may_have_scores: true }
    }

    fn parse<'a>(mut self, args: &Args<'a>) -> Result<Query<'a>, CommandError> {
        let (mut with_scores, mut offset, mut count) = (false, 0, -1);
        let mut at = self.source_at + 3;
        while at < args.len() {
            if self.may_have_scores && args.is(at, "withscores") {
                with_scores = true;
            } else if args.is(at, "limit") && at + 2 < args.len() {
                (offset, count) = (args.integer(at + 1)?, args.integer(at + 2)?);
                at += 2;
            } else if self.reverse.is_none() && args.is(at, "rev") {
                self.reverse = Some(true);
            } else if self.by.is_none() && args.is(at, "bylex") {
                self.by = Some(By::Lex);
            } else if self.by.is_none() && args.is(at, "byscore") {
                self.by = Some(By::Score);
            } else {
                return Err(CommandError::Syntax);
            }
            at += 1;
        }
        let (by, reverse) = (self.by.unwrap_or(By::Rank), self.reverse.unwrap_or(false));
        if count != -1 && by == By::Rank {
            return Err(CommandError::coded(
                "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
            ));
        }
        if with_scores && by == By::Lex {
            return Err(CommandError::coded("ERR syntax error, WITHSCORES not supported in combination with BYLEX"));
        }
        let ends = (self.source_at + 1, self.source_at + 2);
        // From the highest down, the upper end is named first.
        let (min_at, max_at) = if reverse && by != By::Rank { (ends.1, ends.0) } else { ends };
        Ok(Query { bounds: Bounds::parse(by, args, min_at, max_at)?, reverse, with_scores, offset, count })
    }
}

impl Query<'_> {
    /// The ranks asked for, from the lowest.
    fn ranks(&self, set: &ZSet) -> std::ops::Range<usize> {
        let ranks = self.bounds.ranks(set, self.reverse);
        let skipped = usize::try_from(self.offset).unwrap_or(usize::MAX).min(ranks.len());
        let left = ranks.len() - skipped;
        let taken = usize::try_from(self.count).map_or(left, |count| count.min(left));
        if self.reverse {
            let end = ranks.end - skipped;
            end - taken..end
        } else {
            let start = ranks.start + skipped;
            start..start + taken
        }
    }

    fn select<'s>(&self, set: &'s ZSet) -> Iter<'s> {
        set.range(self.ranks(set), self.reverse)
    }
}

/// `ZRANGE key start stop [BYSCORE|BYLEX] [REV] [LIMIT offset count] [WITHSCORES]`
pub(super) fn zrange(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    answer(ctx, args, Form { source_at: 1, by: None, reverse: None, may_have_scores: true })
}

/// `ZREVRANGE key start stop [WITHSCORES]`
pub(super) fn zrevrange(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    answer(ctx, args, Form::fixed(By::Rank, true))
}

/// `ZRANGEBYSCORE key min max [WITHSCORES] [LIMIT offset count]`
pub(super) fn zrangebyscore(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    answer(ctx, args, Form::fixed(By::Score, false))
}

/// `ZREVRANGEBYSCORE key max min [WITHSCORES] [LIMIT offset count]`
pub(super) fn zrevrangebyscore(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    answer(ctx, args, Form::fixed(By::Score, true))
}

/// `ZRANGEBYLEX key min max [LIMIT offset count]`
pub(super) fn zrangebylex(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    answer(ctx, args, Form::fixed(By::Lex, false))
}

/// `ZREVRANGEBYLEX key max min [LIMIT offset count]`
pub(super) fn zrevrangebylex(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    answer(ctx, args, Form::fixed(By::Lex, true))
}

fn answer(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, form: Form) -> CommandResult {
    let key = ctx.key(args, 1);
    let query = form.parse(args)?;
    match ctx.ks.read_object::<ZSet>(&key)? {
        Some(set) => reply::members(&mut ctx.reply, query.select(set), query.with_scores),
        None => ctx.reply.array(0),
    }
    Ok(())
}

/// `ZRANGESTORE destination source min max [BYSCORE|BYLEX] [REV] [LIMIT offset count]`
pub(super) fn zrangestore(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let (destination, source) = (ctx.key(args, 1), ctx.key(args, 2));
    let query = Form { source_at: 2, by: None, reverse: None, may_have_scores: false }.parse(args)?;
    let limits = &ctx.settings.encoding;
    let mut stored = ZSet::new();
    if let Some(set) = ctx.ks.read_object::<ZSet>(&source)? {
        for (member, score) in set.range(query.ranks(set), false) {
            stored.insert(member, score, limits);
        }
    }
    store(ctx, &destination, stored, "zrangestore");
    Ok(())
}
